#!/usr/bin/env bash
# Servers whose first process was killed: workers of five serve on, and with two, the restarted one shares their port.
#
# Versions  gunicorn 27.0.1, uvicorn-worker 0.4.0, uvicorn 0.54.0, hypercorn 0.18.0, granian 2.8.9, sanic 25.12.1,
#           h2corn 2.0.0, uWSGI 2.0.30 (pyuwsgi 2.0.30.post1); Linux
# Source    A worker of gunicorn's own looks at os.getppid() once a second (workers/gthread.py, gasgi.py), one of h2corn
#           has a signal for its parent's death (_supervisor.py, _install_parent_death_signal), and one of uWSGI meets
#           the end of the master's pipe. uvicorn/supervisors/multiprocess.py: so does a thread, which answers pings,
#           and ends alone. hypercorn/config.py, with several workers, and granian bind with SO_REUSEPORT.
# Guess     What the kernel kills for want of memory, or an operator, is one process; the others notice and end, so that
#           the manager that restarts the service (supervisord, honcho, a script) finds the port free.
# Seen      uvicorn and sanic, also uvicorn's worker in gunicorn: the restart fails while the old workers serve, with
#           nothing to replace or to stop them. hypercorn and granian start, and from then on old code and new code
#           answer, whichever process a connection happens to reach.
# Output    the first process of A was killed, and then B was started on the same port
#           gunicorn, threads:        nothing, B answers
#           gunicorn, asgi:           nothing, B answers
#           gunicorn, uvicorn-worker: A answers, A answers (B has ended)
#           uvicorn:                  A answers, A answers (B has ended)
#           sanic:                    A answers, A answers (B has ended)
#           hypercorn:                A answers, A and B answer
#           granian:                  A answers, A and B answer
#           h2corn:                   nothing, B answers
#           uWSGI:                    nothing, B answers
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 uvicorn==0.54.0 uvicorn-worker==0.4.0 hypercorn==0.18.0 granian==2.8.9 h2corn==2.0.0 \
    sanic==25.12.1 pyuwsgi==2.0.30.post1

cat >views.py <<'PY'
import os

name = os.environ["NAME"].encode()

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "1"), ("Connection", "close")])
    return [name]

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    headers = [(b"content-length", b"1"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": name})
PY
cat >sanic_views.py <<'PY'
import os

from sanic import Sanic
from sanic.response import text

app = Sanic("views")

@app.get("/")
async def index(request):
    return text(os.environ["NAME"], headers={"Connection": "close"})
PY

ask() { curl --silent --max-time 60 "http://127.0.0.1:$port/$1" || true; }

who() { # who answers 20 requests, each on a connection of its own
    local names
    names=$(ask "?[1-20]" | fold -w 1 | sort -u | xargs)
    case "$names" in "A B") echo "A and B answer" ;; '') echo nothing ;; *) echo "$names answers" ;; esac
}

look() { # name, what is expected, server, its arguments, in which PORT is the port
    local found port command all
    port=$(free_port)
    command=("${@:3}")
    NAME=A serve "${command[@]//PORT/$port}"
    answers "$port"
    for _ in {1..100}; do [ "$(family "$server" | wc -l)" -ge 3 ] && break || sleep 0.1; done
    sleep 1 # until each worker serves
    mapfile -t all < <(family "$server")
    roots+=("${all[@]}") # they are family of its no more when it is dead
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true # the shell's word on it
    sleep 3
    found=$(who)
    NAME=B serve "${command[@]//PORT/$port}"
    for _ in {1..300}; do { ended "$server" || [[ $(ask "?[1-9]") = *B* ]]; } && break || sleep 0.1; done
    found+=", $(who)"
    if ended "$server"; then found+=" (B has ended)"; fi
    printf '%-25s %s\n' "$1:" "$found"
    kill "$server" "${all[@]}" 2>/dev/null || true
    [ "$found" = "$2" ] || changed "expected: $2"
}

gunicorn=(gunicorn --no-control-socket --workers 2 --bind 127.0.0.1:PORT)
look "gunicorn, threads" "nothing, B answers" "${gunicorn[@]}" --threads 2 views:wsgi
look "gunicorn, asgi" "nothing, B answers" "${gunicorn[@]}" -k asgi views:asgi
look "gunicorn, uvicorn-worker" "A answers, A answers (B has ended)" \
    "${gunicorn[@]}" -k uvicorn_worker.UvicornWorker views:asgi
look uvicorn "A answers, A answers (B has ended)" uvicorn --workers 2 --port PORT views:asgi
look sanic "A answers, A answers (B has ended)" sanic sanic_views:app --workers 2 --host 127.0.0.1 --port PORT
look hypercorn "A answers, A and B answer" hypercorn --workers 2 --bind 127.0.0.1:PORT views:asgi
look granian "A answers, A and B answer" granian --interface asgi --workers 2 --host 127.0.0.1 --port PORT views:asgi
look h2corn "nothing, B answers" h2corn --workers 2 --bind 127.0.0.1:PORT views:asgi
look uWSGI "nothing, B answers" \
    pyuwsgi --master --die-on-term --processes 2 --http-socket 127.0.0.1:PORT --module views:wsgi
