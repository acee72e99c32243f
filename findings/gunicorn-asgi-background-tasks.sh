#!/usr/bin/env bash
# gunicorn's own ASGI worker: a background task is cancelled three seconds after its client, which has its answer, left.
#
# Versions  gunicorn 27.0.1, daphne 4.2.3, starlette 1.10.0; uvicorn 0.54.0, hypercorn 0.18.0, granian 2.8.9 and h2corn
#           2.0.0 for comparison
# Source    gunicorn/asgi/protocol.py, ASGIProtocol.connection_lost: whenever a connection ends, its task is cancelled
#           after asgi_disconnect_grace_period (3 s), unless it is done. Whether the answer was complete is not asked,
#           and a task is done when the application returns. daphne/server.py, application_checker: the same with
#           --application-close-timeout (10 s).
# Guess     A client that leaves before it has its answer needs none, so its request may be cancelled. One that has its
#           answer and closes the connection, as each does sooner or later, has nothing to do with the background task.
# Seen      The task gets CancelledError, with gunicorn after 3 s, with daphne after 10 or 11. A client that keeps its
#           connection, as a browser or a test does, lets it end. curl does not, nor does a proxy that makes a new
#           connection for each request. gunicorn logs nothing, daphne a warning.
# Output    gunicorn asgi, connection kept:         the task ended after 13 s
#           gunicorn asgi, connection closed:       the task was cancelled after 3 s
#           daphne, connection closed:              the task was cancelled after 11 s
#           uvicorn, connection closed:             the task ended after 13 s
#           hypercorn, connection closed:           the task ended after 13 s
#           granian, connection closed:             the task ended after 13 s
#           h2corn, connection closed:              the task ended after 13 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 daphne==4.2.3 starlette==1.10.0 uvicorn==0.54.0 hypercorn==0.18.0 granian==2.8.9 \
    h2corn==2.0.0

cat >views.py <<'PY'
import asyncio
import time

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def task():
    then = time.monotonic()
    how = "was cancelled"
    try:
        await asyncio.sleep(13)
        how = "ended"
    finally:
        print(f"the task {how} after {time.monotonic() - then:.0f} s", flush=True)

async def index(request):
    return PlainTextResponse("ok")

async def mail(request):
    return PlainTextResponse("ok", background=BackgroundTask(task))

app = Starlette(routes=[Route("/", index), Route("/mail", mail)])
PY
cat >keep.py <<'PY'
import http.client
import sys
import time

client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
client.request("GET", "/mail")
assert client.getresponse().read() == b"ok" and client.sock is not None
time.sleep(17)
PY

names=() expected=() logs=() kept=""
begin() { # what is looked at, what is expected, server, its arguments
    names+=("$1") expected+=("$2")
    serve "${@:3}" views:app
    logs+=("$server_log")
    answers "$port"
    if [[ $1 == *kept ]]; then
        python3 keep.py "$port" &
        kept=$!
    else
        curl --silent --max-time 10 --output /dev/null "http://127.0.0.1:$port/mail" || exit 2
    fi
    port=$(free_port)
}

port=$(free_port)
gunicorn=(gunicorn --no-control-socket -k asgi --keep-alive 60 --bind)
begin "gunicorn asgi, connection kept" ended "${gunicorn[@]}" "127.0.0.1:$port"
begin "gunicorn asgi, connection closed" "was cancelled after [34] s" "${gunicorn[@]}" "127.0.0.1:$port"
begin "daphne, connection closed" "was cancelled" daphne --bind 127.0.0.1 --port "$port"
begin "uvicorn, connection closed" ended uvicorn --port "$port"
begin "hypercorn, connection closed" ended hypercorn --bind "127.0.0.1:$port"
begin "granian, connection closed" ended granian --interface asgi --host 127.0.0.1 --port "$port"
begin "h2corn, connection closed" ended h2corn --bind "127.0.0.1:$port"
for n in "${!names[@]}"; do
    for _ in {1..300}; do grep --quiet "the task" "${logs[n]}" && break || sleep 0.1; done
    found=$(grep -o "the task .*" "${logs[n]}") || { echo "${names[n]}: the task did not end" >&2; exit 2; }
    printf '%-39s %s\n' "${names[n]}:" "$found"
    [[ $found =~ ${expected[n]} ]] || changed "expected: ${expected[n]}"
done
wait "$kept" || exit 2
