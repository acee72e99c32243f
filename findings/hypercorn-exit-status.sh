#!/usr/bin/env bash
# hypercorn, and uvicorn with several workers: where the application cannot start, they end with status 0, a success.
#
# Versions  hypercorn 0.18.0, uvicorn 0.54.0; granian 2.8.9, gunicorn 27.0.1 and h2corn 2.0.0 for comparison
# Source    hypercorn/run.py, run(): _join_exited() collects the statuses of the workers that have ended, and removes
#           them from the list. If one is not 0, run() asks it again, and the answer about those that are left, of
#           which there are none, or which it has just terminated but not joined, is 0. uvicorn/main.py, run(): a
#           server that has not started ends with STARTUP_FAILURE (3) only `if config.workers == 1`.
#           Multiprocess.keep_subprocess_alive gets that status from a worker, and stops everything, with no status.
# Guess     As uvicorn does with one worker, and others with any number: something else than 0, so that systemd's
#           Restart=on-failure, an orchestrator or a script notices. hypercorn's code looks as if it meant to.
# Seen      0. So it is when a worker that had its number of requests is replaced in the moment in which a database is
#           away: the new one cannot start, the others, which work, are ended as well, and nothing restarts the service.
# Output    lifespan fails, hypercorn:                ended with 0
#           lifespan fails, uvicorn:                  ended with 3
#           lifespan fails, uvicorn --workers 2:      ended with 0
#           lifespan fails, granian --workers 2:      ended with 1
#           lifespan fails, gunicorn -k asgi -w 2:    ended with 3 (or 1)
#           lifespan fails, h2corn --workers 2:       ended with 1
#           no such module, hypercorn:                ended with 0
#           no such module, uvicorn --workers 2:      ended with 0
#           no such module, granian --workers 2:      ended with 1
#           no such module, gunicorn -k asgi -w 2:    ended with 3 (or 1)
#           no such module, h2corn --workers 2:       ended with 1
#           one of two cannot be replaced, hypercorn: ended with 0
#           one of two cannot be replaced, uvicorn:   ended with 0
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install hypercorn==0.18.0 uvicorn==0.54.0 granian==2.8.9 gunicorn==27.0.1 h2corn==2.0.0

cat >views.py <<'PY'
import pathlib

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if pathlib.Path("away").exists():
            await send({"type": "lifespan.startup.failed", "message": "the database is away"})
            return
        print("worker started", flush=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    headers = [(b"content-length", b"2"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
PY

ends() { # what is looked at, the status's pattern -> how the server ended
    local status=0
    for _ in {1..300}; do ended "$server" && break || sleep 0.1; done
    ended "$server" || { echo "$1: it did not end within 30 s" >&2; exit 2; }
    wait "$server" || status=$?
    printf '%-41s ended with %s\n' "$1:" "$status"
    [[ $status = $2 ]] || changed "expected: $2"
}

look() { # what is looked at, the status's pattern, server, its arguments
    serve "${@:3}"
    ends "$1" "$2"
}

bind=(--bind "127.0.0.1:$(free_port)")
port=(--port "$(free_port)")
touch away
look "lifespan fails, hypercorn" 0 hypercorn "${bind[@]}" views:app
look "lifespan fails, uvicorn" "[1-9]*" uvicorn "${port[@]}" views:app
look "lifespan fails, uvicorn --workers 2" 0 uvicorn "${port[@]}" --workers 2 views:app
look "lifespan fails, granian --workers 2" "[1-9]*" granian --interface asgi "${port[@]}" --workers 2 views:app
look "lifespan fails, gunicorn -k asgi -w 2" "[1-9]*" gunicorn --no-control-socket "${bind[@]}" -k asgi -w 2 views:app
look "lifespan fails, h2corn --workers 2" "[1-9]*" h2corn "${bind[@]}" --workers 2 views:app
look "no such module, hypercorn" 0 hypercorn "${bind[@]}" view:app
look "no such module, uvicorn --workers 2" 0 uvicorn "${port[@]}" --workers 2 view:app
look "no such module, granian --workers 2" "[1-9]*" granian --interface asgi "${port[@]}" --workers 2 view:app
look "no such module, gunicorn -k asgi -w 2" "[1-9]*" gunicorn --no-control-socket "${bind[@]}" -k asgi -w 2 view:app
look "no such module, h2corn --workers 2" "[1-9]*" h2corn "${bind[@]}" --workers 2 view:app

replaced() { # what is looked at, port, server, its arguments
    rm -f away
    serve "${@:3}" views:app
    for _ in {1..300}; do [ "$(grep -c "worker started" "$server_log")" = 2 ] && break || sleep 0.1; done
    touch away
    for _ in {1..300}; do # until one of the workers has had its number
        ended "$server" && break
        curl --silent --max-time 5 --output /dev/null "http://127.0.0.1:$2/" || sleep 0.1
    done
    ends "$1" 0
}

number=$(free_port)
replaced "one of two cannot be replaced, hypercorn" "$number" \
    hypercorn --bind "127.0.0.1:$number" -w 2 --max-requests 50
number=$(free_port)
replaced "one of two cannot be replaced, uvicorn" "$number" \
    uvicorn --port "$number" --workers 2 --limit-max-requests 50
