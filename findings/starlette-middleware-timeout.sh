#!/usr/bin/env bash
# Starlette and FastAPI: a time limit in an http middleware answers the client, and the view works on to its end.
#
# Versions  starlette 1.10.0, fastapi 0.165.0, uvicorn 0.54.0, CPython 3.11
# Source    starlette/middleware/base.py, BaseHTTPMiddleware: call_next() starts the application as a task of its own in
#           a task group of __call__(), and waits for its first message. A time limit around call_next() ends that wait.
#           The task group is left only when the view has ended, after the middleware's answer has been sent.
# Guess     `async with asyncio.timeout(1): return await call_next(request)`, the usual recipe, cancels an `async def`
#           view after 1 s, as the same limit in a plain ASGI middleware does. Only `def` views work on in their thread.
# Seen      The client gets 504 after 1 s. The view is not cancelled, and queries and calls that it makes are made: the
#           limit takes no load off a server that is too slow, and those who ask again add to it.
# Output    @app.middleware("http"):  the client got 504 after 1 s; the view ended by itself after 4 s
#           plain ASGI middleware:    the client got 504 after 1 s; the view was cancelled after 1 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install starlette==1.10.0 fastapi==0.165.0 uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio
import os
import pathlib
import time

from fastapi import FastAPI
from starlette.responses import PlainTextResponse

app = FastAPI()

@app.get("/")
async def index():
    return "ok"

@app.get("/slow")
async def slow():
    then = time.monotonic()
    how = "was cancelled"
    try:
        await asyncio.sleep(4)
        how = "ended by itself"
    finally:
        pathlib.Path("new").write_text(f"{how} after {time.monotonic() - then:.0f} s")
        pathlib.Path("new").rename("how")

if os.environ["LIMIT"] == "http":
    @app.middleware("http")
    async def limit(request, call_next):
        try:
            async with asyncio.timeout(1):
                return await call_next(request)
        except TimeoutError:
            return PlainTextResponse("late", 504)
else:
    class Limit:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            try:
                async with asyncio.timeout(1):
                    await self.app(scope, receive, send)
            except TimeoutError:
                await PlainTextResponse("late", 504)(scope, receive, send)

    app.add_middleware(Limit)
PY

look() { # what is looked at, the limit's place, what becomes of the view
    local port status seconds
    rm -f how
    port=$(free_port)
    serve env LIMIT="$2" uvicorn --lifespan off --no-access-log --port "$port" views:app
    answers "$port"
    read -r status seconds < <(curl --silent --max-time 30 --output body --write-out '%{http_code} %{time_total}\n' \
        "http://127.0.0.1:$port/slow") || exit 2
    for _ in {1..300}; do [ -e how ] && break || sleep 0.1; done
    printf '%-25s the client got %s after %.0f s; the view %s\n' "$1:" "$status" "$seconds" "$(<how)"
    [ "$status" = 504 ] || changed "expected 504"
    [[ $(<how) == "$3"* ]] || changed "expected: the view $3"
}

look '@app.middleware("http")' http "ended by itself"
look "plain ASGI middleware" asgi "was cancelled"
