#!/usr/bin/env bash
# uvicorn at its limit of descriptors: with asyncio all clients are answered later, with uvloop half of them never.
#
# Versions  uvicorn 0.54.0, uvloop 0.23.0, CPython 3.11
# Source    asyncio/selector_events.py, BaseSelectorEventLoop._accept_connection: at EMFILE, it leaves the socket alone
#           for a second, so clients wait in the kernel's queue. The loop around accept() is not left, though: it fails,
#           and logs, as often as `backlog` says, uvicorn's 2,048. libuv, which is in uvloop: uv__server_io() of
#           src/unix/stream.c calls uv__emfile_trick(), which gives up a spare descriptor to accept all who wait, and
#           closes their connections at once.
# Guess     The same server with the same limit does the same on both loops: new clients wait until others have left,
#           with a line in the log.
# Seen      With asyncio, all are answered, and the log gets thousands of errors, with a traceback each. With uvloop,
#           who comes while the server is full gets a closed connection, and the log says nothing.
# Output    50 clients, a limit of 40 descriptors, answers of 3 s
#           asyncio: 50 answered, 0 connections closed; 8192 messages
#           uvloop:  25 answered, 25 connections closed; 0 messages
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0 uvloop==0.23.0

cat >views.py <<'PY'
import asyncio
import resource

resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

async def app(scope, receive, send):
    if scope["path"] != "/":
        await asyncio.sleep(3)
    headers = [(b"content-length", b"2"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
PY

look() { # the loop, the least and the most clients that are answered, the least messages and the most
    local port answered closed messages clients=()
    port=$(free_port)
    serve uvicorn --lifespan off --no-access-log --loop "$1" --port "$port" views:app
    answers "$port"
    rm -f ended.*
    for n in {1..50}; do
        (
            failed=0
            curl --silent --max-time 60 --output /dev/null "http://127.0.0.1:$port/slow" || failed=$?
            echo "$failed" >"ended.$n"
        ) &
        clients+=("$!")
    done
    wait "${clients[@]}"
    answered=$(cat ended.* | grep -cx 0) || true
    closed=$(cat ended.* | grep -cxE '52|56') || true # an empty reply, a reset
    messages=$(grep -c "out of system resource" "$server_log") || true
    printf '%-8s %s answered, %s connections closed; %s messages\n' "$1:" "$answered" "$closed" "$messages"
    [ $((answered + closed)) = 50 ] || changed "some ended otherwise: $(cat ended.* | sort | uniq -c)"
    [ "$answered" -ge "$2" ] && [ "$answered" -le "$3" ] || changed "expected $2 to $3 answers"
    [ "$messages" -ge "$4" ] && [ "$messages" -le "$5" ] || changed "expected $4 to $5 messages"
}

look asyncio 50 50 2048 1000000
look uvloop 10 45 0 0
