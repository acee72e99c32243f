#!/usr/bin/env bash
# gunicorn's own ASGI worker: --worker-connections bounds nothing.
#
# Versions  gunicorn 27.0.1, Linux
# Source    gunicorn/workers/gasgi.py: __init__ keeps the setting, and nothing reads it again; the loop that serves has
#           only a comment where the limit would be looked at. config.py names gthread and gevent for the setting, but
#           check_config() of the worker warns those who set --threads to use worker_connections instead.
# Guess     As with gthread and gevent: a worker with --worker-connections 3 has three connections at most, and the rest
#           wait in the kernel.
# Seen      All connections are accepted and all requests run at once. Who follows the warning has no limit at all.
# Output    asgi,    --worker-connections 3: 20 requests at once of 20
#           gthread, --worker-connections 3: 3 requests at once of 20
#           asgi,    --threads 3: warning: "ASGI worker does not use threads configuration. Use worker_connections instead."
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1

OFFERED=20
cat >loop.py <<'PY'
import asyncio
import os

expected = int(os.environ["AT_ONCE"])
running = most = 0
let_go = asyncio.Event()

async def app(scope, receive, send):
    global running, most
    if scope["type"] != "http":
        return
    if scope["path"] != "/":
        running += 1
        most = max(most, running)
        if most >= expected:
            let_go.set()
        try:
            await asyncio.wait_for(let_go.wait(), 30)
        except asyncio.TimeoutError:
            pass
        running -= 1
    body = str(most).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
PY
at_once

look() { # how many to wait for, then gunicorn's arguments -> the most requests at once
    local port
    clients=()
    port=$(free_port)
    AT_ONCE=$1 serve gunicorn --no-control-socket --bind "127.0.0.1:$port" "${@:2}"
    answers "$port"
    hold "$OFFERED" "$port"
    wait "${clients[@]}" || true
    most=$(curl --silent --max-time 10 "http://127.0.0.1:$port/")
}

look "$OFFERED" --worker-class asgi --worker-connections 3 --asgi-lifespan off loop:app
echo "asgi,    --worker-connections 3: $most requests at once of $OFFERED"
[ "$most" = "$OFFERED" ] || changed "expected $OFFERED"
look 3 --worker-class gthread --threads 10 --worker-connections 3 at_once:app
echo "gthread, --worker-connections 3: $most requests at once of $OFFERED"
[ "$most" = 3 ] || changed "expected 3"
look 1 --worker-class asgi --threads 3 --asgi-lifespan off loop:app
said=$(grep --only-matching 'ASGI worker does not use threads.*' "$server_log" | head -n 1)
echo "asgi,    --threads 3: warning: \"$said\""
[[ "$said" == *"Use worker_connections instead"* ]] || changed "the warning reads otherwise"
