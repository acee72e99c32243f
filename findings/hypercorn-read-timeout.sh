#!/usr/bin/env bash
# hypercorn: after --read-timeout, the application is told that a client has left that is only waiting for its answer.
#
# Versions  hypercorn 0.18.0, quart 0.22.0
# Source    hypercorn/asyncio/tcp_server.py, TCPServer._read_data: the socket is read while the application works, too,
#           so as to see a client leave, and the time-out applies to each read. When it is over, the protocol gets
#           Closed(), as at the end of a connection. H11Protocol.handle (protocol/h11.py) then closes the stream, and
#           HTTPStream.handle (protocol/http_stream.py) hands http.disconnect to the application. send() still works.
# Guess     The time-out ends connections whose request does not arrive. A request that has arrived may take longer.
# Seen      It is a time limit for the whole request. The application gets http.disconnect, and yet its answer reaches
#           the client; the access log has two lines for that request. Quart cancels its view, as it does when a
#           client has left, and the client, which is still there, gets nothing.
# Output    no --read-timeout: told nothing in 5 s; the client got status 200
#           --read-timeout 1:  told http.disconnect; the client got status 200; 2 lines in the access log
#           --read-timeout 1:  a view of 10 s in Quart; the client got an empty reply (curl's status 52)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install hypercorn==0.18.0 quart==0.22.0

cat >plain.py <<'PY'
import asyncio

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    told = "ok"
    if scope["path"] != "/":
        await receive()  # the request, which has no body
        try:
            told = (await asyncio.wait_for(receive(), float(scope["query_string"])))["type"]
        except asyncio.TimeoutError:
            told = "nothing"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": told.encode()})
PY
cat >framework.py <<'PY'
import asyncio
from quart import Quart

app = Quart(__name__)

@app.get("/")
async def ready():
    return "ok"

@app.get("/slow")
async def slow():
    await asyncio.sleep(10)
    return "answered"
PY

start() { # application, hypercorn's arguments
    port=$(free_port)
    serve hypercorn --bind "127.0.0.1:$port" --access-logfile - --access-logformat 'request %(U)s %(s)s' "${@:2}" "$1"
    answers "$port"
}

ask() { curl --silent --max-time 60 --write-out ' %{http_code}' "http://127.0.0.1:$port/$1" || true; }

start plain:app
told=$(ask 'wait?5')
echo "no --read-timeout: told ${told% *} in 5 s; the client got status ${told#* }"
[ "$told" = "nothing 200" ] || changed "expected nothing and 200"

start plain:app --read-timeout 1
told=$(ask 'wait?30')
for _ in {1..100}; do # the log may be written after the answer
    lines=$(grep -c 'request /wait' "$server_log") || true
    [ "$lines" -ge 2 ] && break || sleep 0.1
done
echo "--read-timeout 1:  told ${told% *}; the client got status ${told#* }; $lines lines in the access log"
[ "$told" = "http.disconnect 200" ] || changed "expected http.disconnect and 200"
[ "$lines" = 2 ] || changed "expected 2 lines"

start framework:app --read-timeout 1
status=0
curl --silent --max-time 60 --output /dev/null "http://127.0.0.1:$port/slow" || status=$?
echo "--read-timeout 1:  a view of 10 s in Quart; the client got an empty reply (curl's status $status)"
[ "$status" = 52 ] || changed "expected curl's status 52"
