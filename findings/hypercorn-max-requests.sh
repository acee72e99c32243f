#!/usr/bin/env bash
# hypercorn: --max-requests answers what is still running after 3 s with status 500.
#
# Versions  hypercorn 0.18.0
# Source    hypercorn/asyncio/worker_context.py, WorkerContext.mark_request: the request after the last one sets
#           `terminate`. worker_serve (asyncio/run.py) then does what it does at SIGTERM: it closes the listener, waits
#           for --graceful-timeout (3 s), and cancels the rest.
# Guess     The worker takes no more connections, answers what it has, and is replaced. A routine replacement costs no
#           request.
# Seen      A request that takes longer than 3 s fails if its worker gets its number of requests meanwhile. With
#           --graceful-timeout 60 it is answered, although the help says of that: "after SIGTERM or Ctrl-C".
# Output    --max-requests 5:                       the slow request got status 500
#           --max-requests 5 --graceful-timeout 60: the slow request got status 200
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install hypercorn==0.18.0

cat >views.py <<'PY'
import asyncio
import pathlib

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] == "/slow":
        pathlib.Path("begun").touch()
        for _ in range(600): # 30 s, unless it is let go earlier
            if pathlib.Path("let-go").exists():
                break
            await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
PY

begin() { # hypercorn's arguments: start it, and a slow request
    rm -f begun let-go
    port=$(free_port)
    serve hypercorn --bind "127.0.0.1:$port" --workers 1 --max-requests 5 "$@" views:app
    answers "$port"
    curl --silent --max-time 120 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port/slow" >status &
    slow=$!
    for _ in {1..300}; do [ -e begun ] && return || sleep 0.1; done
    echo "the slow request has not begun" >&2
    exit 2
}

quick() { # answered within so many seconds?
    curl --silent --max-time "$1" --output /dev/null "http://127.0.0.1:$port/"
}

begin
for _ in {1..6}; do quick 60 || true; done # the last of them waits for the next worker
wait "$slow" || true
echo "--max-requests 5:                       the slow request got status $(<status)"
[ "$(<status)" = 500 ] || changed "expected 500"

begin --graceful-timeout 60
for _ in {1..6}; do quick 2 || break; done # one that is not answered: the worker takes no more
touch let-go
wait "$slow" || true
echo "--max-requests 5 --graceful-timeout 60: the slow request got status $(<status)"
[ "$(<status)" = 200 ] || changed "expected 200"
