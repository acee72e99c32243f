#!/usr/bin/env bash
# FastAPI: with a `def` dependency in front of a `def` view, the first request of a burst waits for the last one.
#
# Versions  fastapi 0.165.0, starlette 1.10.0, anyio 4.16.0, uvicorn 0.54.0
# Source    fastapi/dependencies/utils.py, solve_dependencies, and fastapi/routing.py, run_endpoint_function: each
#           takes a thread through starlette.concurrency.run_in_threadpool and gives it back in between. The threads
#           are counted by CapacityLimiter (anyio/_backends/_asyncio.py), whose waiting queue is first in, first out.
# Guess     40 threads: the first 40 requests pass dependency and view, are answered, then come the next 40.
# Seen      The view stands at the end of the queue, behind the dependencies of all other requests. Of 120 requests
#           nobody is answered before the 120th dependency has begun; the longer the queue, the later the first
#           answer. With an `async def` view behind the same dependency, 40 requests are answered before the others
#           have got through.
# Output    def view:   120 of 120 dependencies had begun when the first view ran
#           async view: 40 of 120 dependencies had begun when the first view ran
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install fastapi==0.165.0 starlette==1.10.0 anyio==4.16.0 uvicorn==0.54.0

cat >views.py <<'PY'
import itertools
import time
from fastapi import Depends, FastAPI

app = FastAPI()
count = itertools.count(1)
begun = 0

def dependency():
    global begun
    begun = next(count)
    time.sleep(1)

@app.get("/")
async def ready():
    return "ok"

@app.get("/def")
def plain(_=Depends(dependency)):
    return begun

@app.get("/async")
async def on_the_loop(_=Depends(dependency)):
    return begun
PY
cat >burst.py <<'PY'
import http.client
import sys

clients = [http.client.HTTPConnection("127.0.0.1", int(sys.argv[1])) for _ in range(120)]
for client in clients:
    client.request("GET", "/" + sys.argv[2], headers={"Connection": "close"})
replies = [client.getresponse() for client in clients]
assert all(reply.status == 200 for reply in replies)
print(min(int(reply.read()) for reply in replies))
PY

look() { # path -> how many dependencies had begun when the first view ran
    local port
    port=$(free_port)
    serve uvicorn --log-level warning --port "$port" views:app
    answers "$port"
    first=$(python3 burst.py "$port" "$1")
}

look def
echo "def view:   $first of 120 dependencies had begun when the first view ran"
[ "$first" -ge 119 ] || changed "views run before all dependencies have begun" # two threads may finish at once
look async
echo "async view: $first of 120 dependencies had begun when the first view ran"
[ "$first" -le 80 ] || changed "an async view waits for all dependencies, too"
