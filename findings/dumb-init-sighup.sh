#!/usr/bin/env bash
# dumb-init: the SIGHUP that reloads a server gracefully loses the requests in flight, and ends hypercorn altogether.
#
# Versions  dumb-init 1.2.5 (1.2.5.post1 on PyPI); gunicorn 27.0.1, uvicorn 0.54.0, hypercorn 0.18.0, granian 2.8.9,
#           h2corn 2.0.0; Linux
# Source    dumb-init.c: forward_signal() sends to the process group of its child, so that workers get each signal, too,
#           and they differ. gunicorn/workers/base.py: init_signals() gives SIGHUP its default action, the end. Workers
#           that uvicorn and hypercorn start by "spawn" have no handler of it. Those of granian and h2corn are forked,
#           and still have their parent's. hypercorn/run.py: a worker that ends with something else than 0 ends all.
# Guess     An init that passes signals on is what makes `docker kill --signal HUP` reload a server in a container as it
#           does elsewhere.
# Seen      gunicorn's and uvicorn's workers are dead before their parent begins to replace them, so requests in flight
#           are closed without an answer, and hypercorn has ended, too. With --single-child all is as without it.
# Output    the request in flight / the server, without dumb-init, with it, and with --single-child
#           gunicorn:  answered / serves   lost / serves       answered / serves
#           uvicorn:   answered / serves   lost / serves       answered / serves
#           hypercorn: answered / serves   lost / is gone      answered / serves
#           granian:   answered / serves   answered / serves   answered / serves
#           h2corn:    answered / serves   answered / serves   answered / serves
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install dumb-init==1.2.5.post1 gunicorn==27.0.1 uvicorn==0.54.0 hypercorn==0.18.0 granian==2.8.9 h2corn==2.0.0

cat >views.py <<'PY'
import asyncio
import pathlib
import time

SECONDS = 2

def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        pathlib.Path("within").touch()
        time.sleep(SECONDS)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] == "/slow":
        pathlib.Path("within").touch()
        await asyncio.sleep(SECONDS)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

ask() { # the path -> the status, 000 if there is none
    curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port$1" || true
}

reload() { # the init before the server -> what became of the request in flight and of the server
    local asking
    port=$(free_port)
    rm -f within
    serve "$@" "${command[@]//PORT/$port}"
    answers "$port"
    ask /slow >answer &
    asking=$!
    for _ in {1..100}; do [ -e within ] && break || sleep 0.1; done
    kill -HUP "$server"
    wait "$asking" || true
    [ "$(cat answer)" = 200 ] && found=answered || found=lost
    sleep 3 # until each worker has been told to end
    for _ in {1..30}; do { ended "$server" || [ "$(ask /)" = 200 ]; } && break || sleep 1; done
    ended "$server" && found+=" / is gone" || found+=" / serves"
    kill "$server" 2>/dev/null || true
    for _ in {1..100}; do ended "$server" && break || sleep 0.1; done
}

look() { # name, what is expected without dumb-init, with it, with --single-child, server, its arguments
    local found wanted=("$2" "$3" "$4") name=$1
    command=("${@:5}")
    printf '%-10s' "$name:"
    for init in "" "dumb-init" "dumb-init --single-child"; do
        reload $init
        printf ' %-19s' "$found"
        [ "$found" = "${wanted[0]}" ] || { echo; changed "expected: ${wanted[0]}"; }
        wanted=("${wanted[@]:1}")
    done
    echo
}

well="answered / serves"
look gunicorn "$well" "lost / serves" "$well" \
    gunicorn --no-control-socket --workers 2 --threads 2 --bind 127.0.0.1:PORT views:wsgi
look uvicorn "$well" "lost / serves" "$well" uvicorn --workers 2 --port PORT views:asgi
look hypercorn "$well" "lost / is gone" "$well" hypercorn --workers 2 --bind 127.0.0.1:PORT views:asgi
look granian "$well" "$well" "$well" granian --interface asgi --workers 2 --host 127.0.0.1 --port PORT views:asgi
look h2corn "$well" "$well" "$well" h2corn --workers 2 --bind 127.0.0.1:PORT views:asgi
