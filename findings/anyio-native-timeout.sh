#!/usr/bin/env bash
# FastAPI: asyncio.timeout() around a request lifts the limit of 40 threads: those that are late work on, uncounted.
#
# Versions  fastapi 0.165.0, starlette 1.10.0, anyio 4.16.0, uvicorn 0.54.0, CPython 3.11
# Source    anyio/_backends/_asyncio.py, AsyncIOBackend.run_sync_in_worker_thread: waits for the thread's future within
#           `async with limiter`, shielded by a CancelScope. That keeps out AnyIO's own cancellation only. asyncio's
#           timeout(), wait_for() and Task.cancel() raise CancelledError in the middle of the wait, which gives the
#           token back while the thread is in the view. The next request starts a new thread.
# Guess     abandon_on_cancel=False, which Starlette uses, is "to ignore cancellations in the host task until the
#           operation has completed in the worker thread". So a late view keeps its token, and never more than 40 run.
# Seen      As guessed with anyio.fail_after(): views that have a thread are answered when they end, those without one
#           get 504, 40 run at most. With asyncio.timeout() all get 504 in time, and each further 40 requests start 40
#           more threads: the slower the views, the more of them run at once.
# Output    anyio.fail_after(2), 3 x 40 requests: 80 got 504, 40 were late; at most 40 views at once
#           asyncio.timeout(2), 3 x 40 requests:  120 got 504, 0 were late; at most 120 views at once
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install fastapi==0.165.0 starlette==1.10.0 anyio==4.16.0 uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio
import os
import pathlib
import threading
import time

import anyio
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

lock = threading.Lock()
running = most = 0
app = FastAPI()

@app.get("/")
async def index():
    return most

@app.get("/held")
def held():
    global running, most
    with lock:
        running += 1
        most = max(most, running)
    end = time.monotonic() + 60
    while not pathlib.Path("let-go").exists() and time.monotonic() < end:
        time.sleep(0.1)
    with lock:
        running -= 1

class Limit:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        try:
            if os.environ["LIMIT"] == "asyncio":
                async with asyncio.timeout(2):
                    await self.app(scope, receive, send)
            else:
                with anyio.fail_after(2):
                    await self.app(scope, receive, send)
        except TimeoutError:
            await PlainTextResponse("late", 504)(scope, receive, send)

app.add_middleware(Limit)
PY
cat >client.py <<'PY'
import asyncio
import sys

async def ask():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    writer.write(b"GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return int((await reader.readline()).split()[1])

async def main():
    waves = []
    for _ in range(3): # each begins when the one before has its answers, or has had none for 6 s
        waves.append([asyncio.create_task(ask()) for _ in range(40)])
        await asyncio.wait(waves[-1], timeout=6)
    tasks = [task for wave in waves for task in wave]
    print(sum(task.done() and task.result() == 504 for task in tasks), sum(not task.done() for task in tasks))
    for task in tasks:
        task.cancel()

asyncio.run(main())
PY

look() { # what is looked at, the limit's kind, the least and the most views at once
    local port late unanswered most
    rm -f let-go
    port=$(free_port)
    serve env LIMIT="$2" uvicorn --lifespan off --no-access-log --port "$port" views:app
    answers "$port"
    read -r late unanswered < <(python3 client.py "$port") || exit 2
    most=$(curl --silent --max-time 10 "http://127.0.0.1:$port/") || exit 2
    touch let-go
    printf '%-37s %s got 504, %s were late; at most %s views at once\n' "$1:" "$late" "$unanswered" "$most"
    [ "$most" -ge "$3" ] && [ "$most" -le "$4" ] || changed "expected $3 to $4 views at once"
}

look "anyio.fail_after(2), 3 x 40 requests" anyio 40 40
look "asyncio.timeout(2), 3 x 40 requests" asyncio 81 120
