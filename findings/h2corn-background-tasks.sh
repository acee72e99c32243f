#!/usr/bin/env bash
# h2corn and fastpysgi: the next request on a kept connection waits until the background task of the last one has ended.
#
# Versions  h2corn 2.0.0, fastpysgi 0.6, starlette 1.10.0; uvicorn 0.54.0, hypercorn 0.18.0, granian 2.8.9, daphne 4.2.3
#           and gunicorn 27.0.1 for comparison
# Source    fastwsgi/asgi.c of fastpysgi: the connection is read again in asgi_done(), the callback for the end of the
#           application's task, which is after its background tasks. h2corn's HTTP/1.1 is compiled (h2corn/_lib). In
#           uvicorn it is on_response_complete(), which is called with the last part of the body.
# Guess     Background tasks are "to be run after returning a response" (FastAPI's documentation): the client has its
#           answer, so the connection is free for the next request.
# Seen      The next request on the connection waits until the task has ended, with a free loop and nothing else to do.
#           Behind a proxy that keeps connections it may be another client's. A new connection is answered at once.
# Output    h2corn:         the next request waits for the task, one on a new connection does not
#           fastpysgi:      the next request waits for the task, one on a new connection does not
#           uvicorn:        the next request does not wait for the task
#           hypercorn:      the next request does not wait for the task
#           granian:        the next request does not wait for the task
#           daphne:         the next request does not wait for the task
#           gunicorn, asgi: the next request does not wait for the task
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install h2corn==2.0.0 fastpysgi==0.6 starlette==1.10.0 uvicorn==0.54.0 hypercorn==0.18.0 granian==2.8.9 \
    daphne==4.2.3 gunicorn==27.0.1

cat >views.py <<'PY'
import asyncio
import pathlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def until_let_go():
    for _ in range(600):
        if pathlib.Path("let-go").exists():
            break
        await asyncio.sleep(0.1)

async def index(request):
    return PlainTextResponse("ok")

async def mail(request):
    return PlainTextResponse("ok", background=BackgroundTask(until_let_go))

app = Starlette(routes=[Route("/", index), Route("/mail", mail)])
PY
cat >fast.py <<'PY'
import sys

import fastpysgi

from views import app

fastpysgi.run(app, "127.0.0.1", int(sys.argv[1]), workers=1)
PY
cat >client.py <<'PY'
import http.client
import pathlib
import sys

def answered(client, seconds):
    client.sock.settimeout(seconds)
    try:
        return client.getresponse().read() == b"ok"
    except TimeoutError:
        return False

kept = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
kept.request("GET", "/mail")
if not kept.getresponse().read() == b"ok" or kept.sock is None:
    sys.exit("no answer, or the connection was closed")
kept.request("GET", "/")
if answered(kept, 3):
    print("the next request does not wait for the task")
    pathlib.Path("let-go").touch()
else:
    new = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    new.request("GET", "/")
    other = answered(new, 30)
    pathlib.Path("let-go").touch()
    reader = kept.sock.makefile("rb") # http.client gave the first try up
    kept.sock.settimeout(30)
    if b"200" not in reader.readline():
        sys.exit("no answer after the task, either")
    print(f"the next request waits for the task, one on a new connection {'does not' if other else 'does, too'}")
PY

look() { # what is looked at, what is expected, server, its arguments
    local found
    rm -f let-go
    serve "${@:3}"
    answers "$port"
    found=$(python3 client.py "$port") || exit 2
    printf '%-15s %s\n' "$1:" "$found"
    [ "$found" = "$2" ] || changed "expected: $2"
}

waits="the next request waits for the task, one on a new connection does not"
free="the next request does not wait for the task"
port=$(free_port)
look h2corn "$waits" h2corn --bind "127.0.0.1:$port" views:app
port=$(free_port)
look fastpysgi "$waits" python3 fast.py "$port"
port=$(free_port)
look uvicorn "$free" uvicorn --port "$port" views:app
port=$(free_port)
look hypercorn "$free" hypercorn --bind "127.0.0.1:$port" views:app
port=$(free_port)
look granian "$free" granian --interface asgi --port "$port" views:app
port=$(free_port)
look daphne "$free" daphne -p "$port" views:app
port=$(free_port)
look "gunicorn, asgi" "$free" gunicorn --no-control-socket --worker-class asgi --bind "127.0.0.1:$port" views:app
