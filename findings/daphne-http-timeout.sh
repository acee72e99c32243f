#!/usr/bin/env bash
# daphne --http-timeout: a streamed answer that takes longer is ended in the middle, and looks complete.
#
# Versions  daphne 4.2.3, Twisted 26.10.0; uvicorn 0.54.0 for comparison
# Source    daphne/http_protocol.py, WebRequest.check_timeouts: looks at the time since the request began. If the answer
#           has begun, it calls finish() of Twisted's Request, the same as at the end of a good answer, so that the last
#           chunk of length 0 is sent. The application is not told: handle_reply() returns when `finished` is set.
# Guess     "How long to wait for worker before timing out HTTP connections", as --help has it, is about answers that do
#           not come: those get 503. One that has begun is not touched, or at worst its connection is cut, which clients
#           recognize as an error.
# Seen      The client gets status 200, a part of the body and a proper end: nothing tells it that the rest is missing.
#           The application goes through its whole stream. The access log has no line for the request; there is only a
#           warning, "Application timed out while sending response", without a path.
# Output    uvicorn:                  6 of 6 parts; curl's status 0, HTTP 200; the application has sent 6
#           daphne:                   6 of 6 parts; curl's status 0, HTTP 200; the application has sent 6
#           daphne, --http-timeout 3: 4 of 6 parts; curl's status 0, HTTP 200; the application has sent 6
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install daphne==4.2.3 twisted==26.10.0 uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("only HTTP")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] != "/":
        for _ in range(6):
            await send({"type": "http.response.body", "body": b"part\n", "more_body": True})
            print("sent", flush=True)
            await asyncio.sleep(1)
        print("application ended", flush=True)
    await send({"type": "http.response.body", "body": b""})
PY

look() { # what is looked at, server, its arguments -> parts that came, curl's status
    local port http
    port=$(free_port)
    serve "$2" --port "$port" "${@:3}" views:app
    answers "$port"
    status=0
    http=$(curl --silent --no-buffer --max-time 60 --output body --write-out '%{http_code}' \
        "http://127.0.0.1:$port/stream") || status=$?
    parts=$(grep -c part body)
    for _ in {1..300}; do grep --quiet "application ended" "$server_log" && break || sleep 0.1; done
    sent=$(grep -c '^sent$' "$server_log")
    printf '%-25s %s of 6 parts; curl'"'"'s status %s, HTTP %s; the application has sent %s\n' \
        "$1:" "$parts" "$status" "$http" "$sent"
    [ "$http $sent" = "200 6" ] || changed "expected HTTP 200, and 6 parts sent"
    [ "$status" = 0 ] || changed "the end can be told from a good one"
}

look uvicorn uvicorn --lifespan off
[ "$parts" = 6 ] || changed "expected 6 parts"
look daphne daphne
[ "$parts" = 6 ] || changed "expected 6 parts"
look "daphne, --http-timeout 3" daphne --http-timeout 3
[ "$parts" -lt 6 ] || changed "the answer is not cut"
grep --quiet "Application timed out while sending response" "$server_log" || changed "there is no warning"
! grep --quiet "GET /stream" "$server_log" || changed "the access log has the request"
