#!/usr/bin/env bash
# granian: SIGTERM and a reload wait for requests, but not for background tasks: those stop in the middle, untold.
#
# Versions  granian 2.8.9, starlette 1.10.0; uvicorn 0.54.0, hypercorn 0.18.0 and h2corn 2.0.0 for comparison
# Source    granian/server/mp.py, _spawn_asgi_worker: when the compiled side (granian/_granian), which waits for its
#           connections, has ended, _main() is over. lifespan_handler.shutdown() comes next, and the end of the process
#           after that. An application is run by granian's own scheduler (granian/_futures.py): what it still does when
#           its answer is complete is part of no connection, and asyncio has no task that could be waited for or
#           cancelled.
# Guess     An application's call is a request until it returns, so its background task is waited for like the rest of
#           it, as in the other servers, or is cancelled at a time limit (--workers-kill-timeout).
# Seen      The lifespan's shutdown, which closes pools and clients, runs at once, in the middle of the background task.
#           Then the process is gone: no CancelledError, no `finally`, and no word of it in the log. Each deployment
#           loses the mails and the writes that it meets, though their clients have had 200.
# Output    granian, SIGTERM:   the task neither ended nor was cancelled, shutdown ran within it
#           granian, SIGHUP:    the task neither ended nor was cancelled, shutdown ran within it
#           uvicorn, SIGTERM:   the task ended, shutdown ran after it
#           hypercorn, SIGTERM: the task ended, shutdown ran after it
#           h2corn, SIGTERM:    the task ended, shutdown ran after it
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install granian==2.8.9 starlette==1.10.0 uvicorn==0.54.0 hypercorn==0.18.0 h2corn==2.0.0

cat >views.py <<'PY'
import asyncio
import contextlib
import os

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse
from starlette.routing import Route

state = "before"

def note(what):
    with open("notes", "a") as notes:
        print(what, file=notes)

async def task():
    global state
    state = "within"
    note("begun")
    try:
        await asyncio.sleep(int(os.environ["TASK"]))
        note("ended")
    finally:
        state = "after"
        note("finally")

async def index(request):
    return PlainTextResponse("ok")

async def mail(request):
    return PlainTextResponse("ok", background=BackgroundTask(task))

@contextlib.asynccontextmanager
async def lifespan(app):
    yield
    if state != "before": # not a worker that had no task
        note(f"shutdown {state}")

app = Starlette(routes=[Route("/", index), Route("/mail", mail)], lifespan=lifespan)
PY

look() { # what is looked at, signal, how it ends, when shutdown runs, server, its arguments
    local how when
    rm -f notes
    serve "${@:5}" views:app
    answers "$port"
    curl --silent --max-time 10 --output /dev/null "http://127.0.0.1:$port/mail" || exit 2
    for _ in {1..100}; do grep --quiet begun notes 2>/dev/null && break || sleep 0.1; done
    kill "-$2" "$server"
    for _ in {1..150}; do grep --quiet shutdown notes && break || sleep 0.1; done
    sleep "$((TASK + 1))" # the task would be over by now
    how=$(grep --quiet ended notes && echo ended || { grep --quiet finally notes && echo "was cancelled"; } ||
        echo "neither ended nor was cancelled")
    when=$(sed -n 's/^shutdown //p' notes)
    printf '%-19s the task %s, shutdown ran %s it\n' "$1, SIG$2:" "$how" "$when"
    [ "$how" = "$3" ] || changed "expected: $3"
    [ "$when" = "$4" ] || changed "expected: $4"
    port=$(free_port)
}

port=$(free_port)
export TASK=8 # seconds; a reload waits 3.5 s before the old worker is told
look granian TERM "neither ended nor was cancelled" within granian --interface asgi --host 127.0.0.1 --port "$port"
look granian HUP "neither ended nor was cancelled" within granian --interface asgi --host 127.0.0.1 --port "$port"
TASK=2
look uvicorn TERM ended after uvicorn --port "$port"
look hypercorn TERM ended after hypercorn --bind "127.0.0.1:$port"
look h2corn TERM ended after h2corn --bind "127.0.0.1:$port"
