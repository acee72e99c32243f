#!/usr/bin/env bash
# uvicorn on rloop: SIGTERM, and each reload, closes the connections of the requests in flight, whose views run on.
#
# Versions  rloop 0.5.0, uvloop 0.23.0, uvicorn 0.54.0, CPython 3.11
# Source    src/server.rs and src/tcp.rs of rloop: close() of a server aborts its connections (streams_abort) before it
#           gives up the listening socket. asyncio's close() leaves them alone, and abort_clients() is what ends them
#           (Python 3.13). uvicorn/server.py, Server.shutdown(): begins with close(), and then waits for connections, of
#           which there are none any more, and for tasks.
# Guess     The event loop decides how fast a server is, and what it can do (rloop has no TLS), not what a graceful
#           shutdown means: a request in flight is answered, as on asyncio and on uvloop.
# Seen      Its client has an empty reply at once. The view runs to its end, and uvicorn waits for it: an order is
#           placed, a client that tries again places it twice, and the log has no error. A rolling reload (SIGHUP) of
#           several workers is the same.
# Output    asyncio, SIGTERM:           answered, and the view has ended
#           uvloop, SIGTERM:            answered, and the view has ended
#           rloop, SIGTERM:             closed without an answer, and the view has ended
#           asyncio, 2 workers, SIGHUP: answered, and the view has ended
#           rloop, 2 workers, SIGHUP:   closed without an answer, and the view has ended
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

look() { # what is looked at, the signal, what is expected, arguments of uvicorn
    local port asking status=0 found
    port=$(free_port)
    rm -f within release ended
    serve uvicorn --lifespan off --port "$port" "${@:4}" views:app
    answers "$port"
    curl --silent --max-time 120 --output /dev/null "http://127.0.0.1:$port/slow" &
    asking=$!
    for _ in {1..300}; do [ -e within ] && break || sleep 0.1; done
    kill "-$2" "$server"
    for _ in {1..600}; do grep --quiet "Shutting down" "$server_log" && break || sleep 0.1; done
    grep --quiet "Shutting down" "$server_log" || { cat "$server_log" >&2; exit 2; }
    sleep 1
    touch release
    wait "$asking" || status=$?
    for _ in {1..300}; do [ -e ended ] && break || sleep 0.1; done
    found=$([ "$status" = 0 ] && echo answered || echo "closed without an answer")
    found+=$([ -e ended ] && echo ", and the view has ended" || echo ", and the view has not")
    printf '%-27s %s\n' "$1, SIG$2:" "$found"
    kill "$server" 2>/dev/null || true
    [ "$found" = "$3" ] || changed "expected: $3"
}

well="answered, and the view has ended"
look asyncio TERM "$well" --loop asyncio
look uvloop TERM "$well" --loop uvloop
look rloop TERM "closed without an answer, and the view has ended" --loop rloop:new_event_loop
workers=(--workers 2 --timeout-worker-healthcheck 60) # a reload gives a new worker so long to start
look "asyncio, 2 workers" HUP "$well" --loop asyncio "${workers[@]}"
look "rloop, 2 workers" HUP "closed without an answer, and the view has ended" \
    --loop rloop:new_event_loop "${workers[@]}"
