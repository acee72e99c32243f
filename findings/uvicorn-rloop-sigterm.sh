#!/usr/bin/env bash
# uvicorn on rloop: SIGTERM closes the connections of the requests in flight at once, while their views run on.
#
# Versions  rloop 0.5.0, uvloop 0.23.0, uvicorn 0.54.0, CPython 3.11
# Source    src/server.rs and src/tcp.rs of rloop: close() of a server aborts its connections (streams_abort) before it
#           gives up the listening socket. asyncio's close() leaves them alone, and abort_clients() is what ends them
#           (Python 3.13). uvicorn/server.py, Server.shutdown(): begins with close(), and then waits for connections, of
#           which there are none any more, and for tasks.
# Guess     The event loop decides how fast a server is, and what it can do (rloop has no TLS), not what a graceful
#           shutdown means: a request in flight is answered, as on asyncio and on uvloop.
# Seen      Its client has an empty reply at once. The view runs to its end, and uvicorn waits for it: an order is
#           placed, a client that tries again places it twice, and the log has no error. It is the same with workers.
# Output    asyncio:            answered, and the view has ended
#           uvloop:             answered, and the view has ended
#           rloop:              closed without an answer, and the view has ended
#           asyncio, 2 workers: answered, and the view has ended
#           rloop, 2 workers:   closed without an answer, and the view has ended
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0 uvloop==0.23.0 rloop==0.5.0

cat >views.py <<'PY'
import asyncio
import pathlib

async def app(scope, receive, send):
    if scope["path"] == "/slow":
        pathlib.Path("within").touch()
        while not pathlib.Path("release").exists():
            await asyncio.sleep(0.05)
        pathlib.Path("ended").touch()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

look() { # what is looked at, what is expected, number of workers, arguments of uvicorn
    local port asking status=0 found
    port=$(free_port)
    rm -f within release ended
    serve uvicorn --lifespan off --port "$port" --workers "${@:3}" views:app
    answers "$port"
    for _ in {1..300}; do [ "$(grep -c "Started server process" "$server_log")" = "$3" ] && break || sleep 0.1; done
    curl --silent --max-time 120 --output /dev/null "http://127.0.0.1:$port/slow" &
    asking=$!
    for _ in {1..300}; do [ -e within ] && break || sleep 0.1; done
    kill "$server"
    for _ in {1..300}; do [ "$(grep -c "Shutting down" "$server_log")" = "$3" ] && break || sleep 0.1; done
    sleep 1
    touch release
    wait "$asking" || status=$?
    for _ in {1..300}; do [ -e ended ] && break || sleep 0.1; done
    found=$([ "$status" = 0 ] && echo answered || echo "closed without an answer")
    found+=$([ -e ended ] && echo ", and the view has ended" || echo ", and the view has not")
    printf '%-19s %s\n' "$1:" "$found"
    [ "$found" = "$2" ] || changed "expected: $2"
}

well="answered, and the view has ended"
lost="closed without an answer, and the view has ended"
look asyncio "$well" 1 --loop asyncio
look uvloop "$well" 1 --loop uvloop
look rloop "$lost" 1 --loop rloop:new_event_loop
look "asyncio, 2 workers" "$well" 2 --loop asyncio
look "rloop, 2 workers" "$lost" 2 --loop rloop:new_event_loop
