#!/usr/bin/env bash
# sse-starlette: at SIGTERM, streams say farewell under uvicorn; with four other servers they never learn of it.
#
# Versions  sse-starlette 3.7.0, starlette 1.10.0, uvicorn 0.54.0, uvicorn-worker 0.4.0, gunicorn 27.0.1, hypercorn
#           0.18.0, granian 2.8.9, h2corn 2.0.0
# Source    sse_starlette/sse.py: AppStatus.handle_exit takes the place of uvicorn's Server.handle_exit, and
#           _get_uvicorn_server() looks for an object with should_exit behind the handler of SIGTERM. _shutdown_watcher
#           asks these two alone.
# Guess     "On server shutdown, the library sets your shutdown_event", whatever the server; granian is among those that
#           it recommends, and has an extra. So each stream sends its last event.
# Seen      That is so under uvicorn, alone, with workers and in gunicorn. Under hypercorn, granian, gunicorn's own ASGI
#           worker and h2corn, it is never set: they wait for the streams, which continue as before.
# Output    uvicorn:              the last event came
#           uvicorn, two workers: the last event came
#           gunicorn, uvicorn:    the last event came
#           hypercorn:            no last event, 20 others after SIGTERM
#           granian:              no last event, 20 others after SIGTERM
#           gunicorn, asgi:       no last event, 20 others after SIGTERM
#           h2corn:               no last event, 20 others after SIGTERM
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install sse-starlette==3.7.0 starlette==1.10.0 uvicorn==0.54.0 uvicorn-worker==0.4.0 gunicorn==27.0.1 packaging==26.3 \
    hypercorn==0.18.0 granian==2.8.9 h2corn==2.0.0

cat >views.py <<'PY'
import anyio
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def index(request):
    return PlainTextResponse("ok")

async def stream(request):
    shutdown = anyio.Event()

    async def events():
        while not shutdown.is_set():
            yield {"data": "tick"}
            with anyio.move_on_after(0.3):
                await shutdown.wait()
        yield {"data": "farewell"}

    return EventSourceResponse(events(), shutdown_event=shutdown, shutdown_grace_period=5)

app = Starlette(routes=[Route("/", index), Route("/stream", stream)])
PY

names=() servers=() clients=() ticks=()

begin() { # what is looked at, the option for the address or the port, its value's begin, server and arguments
    local port at=${#names[@]}
    port=$(free_port)
    serve "${@:4}" "$2" "$3$port" views:app
    answers "$port"
    curl --silent --no-buffer --max-time 240 --output "events.$at" "http://127.0.0.1:$port/stream" &
    clients+=("$!") names+=("$1") servers+=("$server")
    for _ in {1..300}; do grep -qs tick "events.$at" && break || sleep 0.1; done
}

count() { grep -c "data: $1" "events.$2" || true; }

begin "uvicorn" --port "" uvicorn --lifespan off
begin "uvicorn, two workers" --port "" uvicorn --lifespan off --workers 2
begin "gunicorn, uvicorn" --bind 127.0.0.1: gunicorn --no-control-socket -k uvicorn_worker.UvicornWorker
begin "hypercorn" --bind 127.0.0.1: hypercorn --graceful-timeout 30
begin "granian" --port "" granian --interface asgi
begin "gunicorn, asgi" --bind 127.0.0.1: gunicorn --no-control-socket -k asgi
begin "h2corn" --bind 127.0.0.1: h2corn

for at in "${!names[@]}"; do ticks[at]=$(count tick "$at"); done
kill "${servers[@]}"
for _ in {1..200}; do # until each stream has said farewell, or has had time for it
    waits=
    for at in "${!names[@]}"; do
        [ "$(count farewell "$at")" = 1 ] || [ $(($(count tick "$at") - ticks[at])) -ge 20 ] || waits=yes
    done
    [ "$waits" ] || break
    sleep 0.1
done

wrong=
for at in "${!names[@]}"; do
    if [ "$(count farewell "$at")" = 1 ]; then
        printf '%-21s the last event came\n' "${names[at]}:"
        [[ ${names[at]} = *uvicorn* ]] || wrong+="${names[at]}: expected no last event. "
    else
        printf '%-21s no last event, %s others after SIGTERM\n' "${names[at]}:" $(($(count tick "$at") - ticks[at]))
        [[ ${names[at]} != *uvicorn* ]] || wrong+="${names[at]}: expected the last event. "
        [ $(($(count tick "$at") - ticks[at])) -ge 20 ] || wrong+="${names[at]}: expected that the stream continues. "
    fi
done
kill "${clients[@]}" 2>/dev/null || true
[ -z "$wrong" ] || changed "$wrong"
