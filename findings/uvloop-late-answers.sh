#!/usr/bin/env bash
# uvloop: an answer that has been sent stays in the server until the view blocks no more; with asyncio it leaves at once.
#
# Versions  uvloop 0.22.1, starlette 1.10.0, uvicorn 0.54.0, gunicorn 27.0.1, hypercorn 0.18.0, granian 2.8.9, h2corn
#           2.0.0, daphne 4.2.3, CPython 3.11
# Source    uvloop/handles/stream.pyx, UVStream.write: what is written is kept until the loop's next turn, unless it is
#           more than the buffer's limit. asyncio's _SelectorSocketTransport.write (selector_events.py) calls
#           socket.send() first, and keeps only what the kernel does not take. No send() of an ASGI server lets the loop
#           turn if the buffer is not full. Twisted's transports, so daphne's, keep it as uvloop does; granian's and
#           h2corn's are in Rust, in threads of their own.
# Guess     A background task runs "after returning a response": if it blocks the loop, the next requests wait for it,
#           not the one that has its answer. So it is with a line of a stream that has been yielded. uvloop is "a drop-in
#           replacement", which changes speed.
# Seen      With uvloop, the client waits until the background task has ended, and each line of a stream comes when the
#           work for the next one is done. It depends on what is installed: `pip install uvicorn` answers at once,
#           `pip install uvicorn[standard]` does not, and gunicorn, too, takes uvloop if it finds it.
# Output    background task and then line of a stream, with 2 s of work after each:
#           uvicorn, asyncio:        the answer came before the work, the line came before the work
#           uvicorn, uvloop:         the answer came after the work, the line came after the work
#           gunicorn asgi, asyncio:  the answer came before the work, the line came before the work
#           gunicorn asgi, auto:     the answer came after the work, the line came after the work
#           hypercorn, asyncio:      the answer came before the work, the line came before the work
#           hypercorn, uvloop:       the answer came after the work, the line came after the work
#           granian, asyncio:        the answer came before the work, the line came before the work
#           granian, uvloop:         the answer came before the work, the line came before the work
#           h2corn, uvloop:          the answer came before the work, the line came before the work
#           daphne:                  the answer came after the work, the line came after the work
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvloop==0.22.1 starlette==1.10.0 uvicorn==0.54.0 httptools==0.9.0 gunicorn==27.0.1 hypercorn==0.18.0 \
    granian==2.8.9 h2corn==2.0.0 daphne==4.2.3

cat >views.py <<'PY'
import pathlib
import time

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

async def index(request):
    return PlainTextResponse("ok")

async def work():
    time.sleep(2)
    pathlib.Path("worked").touch()

async def background(request):
    return PlainTextResponse("ok", background=BackgroundTask(work))

async def lines():
    yield "one\n"
    await work()
    yield "two\n"

async def stream(request):
    return StreamingResponse(lines())

app = Starlette(routes=[Route("/", index), Route("/background", background), Route("/stream", stream)])
PY
cat >came.py <<'PY'
import pathlib
import socket
import sys
import time

client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
client.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % sys.argv[2].encode())
got = b""
while b"ok" not in got and b"one" not in got:
    part = client.recv(65536)
    if not part:
        sys.exit("no answer")
    got += part
print("after" if pathlib.Path("worked").exists() else "before")
end = time.monotonic() + 30
while not pathlib.Path("worked").exists(): # keep the connection until then
    if time.monotonic() > end:
        sys.exit("the work was not done")
    time.sleep(0.05)
PY

look() { # what is looked at, before or after for the answer and for the line, server, its arguments
    local answer line
    serve "${@:3}" views:app
    answers "$port"
    rm -f worked
    answer=$(python3 came.py "$port" /background) || exit 2
    rm -f worked
    line=$(python3 came.py "$port" /stream) || exit 2
    printf '%-24s the answer came %s the work, the line came %s the work\n' "$1:" "$answer" "$line"
    [ "$answer, $line" = "$2" ] || changed "expected: $2"
    port=$(free_port)
}

port=$(free_port)
look "uvicorn, asyncio" "before, before" uvicorn --lifespan off --loop asyncio --port "$port"
look "uvicorn, uvloop" "after, after" uvicorn --lifespan off --port "$port"
look "gunicorn asgi, asyncio" "before, before" gunicorn --no-control-socket -k asgi --asgi-loop asyncio --bind "127.0.0.1:$port"
look "gunicorn asgi, auto" "after, after" gunicorn --no-control-socket -k asgi --bind "127.0.0.1:$port"
look "hypercorn, asyncio" "before, before" hypercorn --bind "127.0.0.1:$port"
look "hypercorn, uvloop" "after, after" hypercorn -k uvloop --bind "127.0.0.1:$port"
look "granian, asyncio" "before, before" granian --interface asgi --loop asyncio --host 127.0.0.1 --port "$port"
look "granian, uvloop" "before, before" granian --interface asgi --loop uvloop --host 127.0.0.1 --port "$port"
look "h2corn, uvloop" "before, before" h2corn --loop uvloop --bind "127.0.0.1:$port"
look daphne "after, after" daphne --bind 127.0.0.1 --port "$port"
