#!/usr/bin/env bash
# daphne: SIGTERM cancels the requests in flight at once, --application-close-timeout or not.
#
# Versions  daphne 4.2.3; uvicorn 0.54.0 for comparison
# Source    daphne/server.py: run() registers kill_all_applications() "before shutdown" of Twisted's reactor, which
#           cancels each task that runs. The time-out is looked at in application_checker() alone, for clients that have
#           left.
# Guess     What is in flight is answered, as by uvicorn, hypercorn, granian, gunicorn and h2corn, and a time-out for
#           the application to close (10 s by default, here 60 s) says for how long.
# Seen      The application gets CancelledError at once, and its client an empty reply. Each deployment fails the
#           requests that it meets.
# Output    uvicorn: the application ended, its client got status 200
#           daphne:  the application was cancelled, its client got nothing (curl's status 52)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install daphne==4.2.3 uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("only HTTP")
    if scope["path"] != "/":
        print("application begun", flush=True)
        try:
            await asyncio.sleep(3)
        except asyncio.CancelledError:
            print("application was cancelled", flush=True)
            raise
        print("application ended", flush=True)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

look() { # what is expected, server, its arguments
    local port client
    port=$(free_port)
    serve "$2" --port "$port" "${@:3}" views:app
    answers "$port"
    curl --silent --max-time 20 --output /dev/null --write-out 'status %{http_code}' \
        "http://127.0.0.1:$port/slow" >got &
    client=$!
    for _ in {1..100}; do
        if grep --quiet "application begun" "$server_log"; then break; fi
        sleep 0.1
    done
    kill -TERM "$server"
    status=0
    wait "$client" || status=$?
    [ "$status" = 0 ] || echo "nothing (curl's status $status)" >got
    wait "$server" || true
    found="the $(grep -o "application \(ended\|was cancelled\)" "$server_log"), its client got $(cat got)"
    printf '%-8s %s\n' "$2:" "$found"
    [ "$found" = "$1" ] || changed "expected: $1"
}

look "the application ended, its client got status 200" uvicorn --lifespan off
look "the application was cancelled, its client got nothing (curl's status 52)" daphne --application-close-timeout 60
