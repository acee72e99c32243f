#!/usr/bin/env bash
# uvicorn and gunicorn after SIGHUP: one long request keeps the parent from everything else, from SIGTERM too.
#
# Versions  uvicorn 0.54.0, gunicorn 27.0.1
# Source    uvicorn/supervisors/multiprocess.py, Multiprocess.restart_all: for each worker in turn, a new one is started
#           and the old one told to end, and then old_process.join() waits for that without limit. The loop of run(),
#           which handles signals and looks for dead workers, does not turn meanwhile; SIGTERM is only put into a list.
#           gunicorn/arbiter.py, Arbiter.reload: the same loop as for everything else waits there for the old workers,
#           for --graceful-timeout (30 s) at most; murder_workers(), which enforces --timeout, is not called either.
# Guess     Both replace their workers at once, and let the old ones end in the background when they have answered. The
#           parent is free for other signals, and replaces a worker that dies.
# Seen      SIGTERM is not obeyed before the long request is answered: new requests are taken and answered. A worker
#           that dies meanwhile is not replaced. In uvicorn, the workers whose turn has not come serve the old code, and
#           a download or a stream that does not end keeps it so for ever, unless --timeout-graceful-shutdown is set.
# Output    uvicorn:                a worker that is killed is replaced; 3 s after SIGTERM, requests are refused
#           uvicorn after SIGHUP:   a worker that is killed is not replaced; 3 s after SIGTERM, requests are answered
#           gunicorn:               a worker that is killed is replaced; 3 s after SIGTERM, requests are refused
#           gunicorn after SIGHUP:  a worker that is killed is not replaced; 3 s after SIGTERM, requests are answered
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0 gunicorn==27.0.1

cat >views.py <<'PY'
import asyncio
import os
import pathlib
import time

begun, let_go = pathlib.Path("begun"), pathlib.Path("let-go")

async def app(scope, receive, send):
    if scope["path"] == "/long":
        begun.write_text(str(os.getpid()))
        while not let_go.exists():
            await asyncio.sleep(0.05)
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})

def plain(environ, start_response):
    if environ["PATH_INFO"] == "/long":
        begun.write_text(str(os.getpid()))
        while not let_go.exists():
            time.sleep(0.05)
    start_response("200 OK", [("Connection", "close")])
    return [str(os.getpid()).encode()]
PY

until_true() { # wait until a command succeeds, at most 20 s
    for _ in {1..200}; do
        if "$@"; then return; fi
        sleep 0.1
    done
    cat "$server_log" >&2
    echo "not within 20 s: $*" >&2
    exit 2
}

living() { # how many of the server's processes
    local pid count=0
    for pid in $(family "$server"); do ended "$pid" || count=$((count + 1)); done
    echo "$count"
}

fewer() { [ "$(living)" -lt "$1" ]; }

another() { # a worker that answers and has not the long request; its pid is then in $one
    one=$(curl --silent --max-time 20 "http://127.0.0.1:$port/") && [ "$one" != "$(<begun)" ]
}

logged() { [ "$(grep -c "$1" "$server_log")" -ge "$2" ]; }

look() { # what is looked at, what is expected, what has to be in the log, how often, server, its arguments
    local before found client end
    port=$(free_port)
    rm -f begun let-go
    serve "${@:5:2}" "${7/PORT/$port}" "${@:8}"
    answers "$port"
    curl --silent --max-time 120 --output /dev/null "http://127.0.0.1:$port/long" &
    client=$!
    until_true [ -s begun ]
    [ "$3" = "" ] || kill -HUP "$server"
    until_true logged "$3" "$4"
    sleep 2 # workers that had nothing to do have ended

    until_true another
    before=$(living)
    kill -KILL "$one"
    until_true fewer "$before"
    found="a worker that is killed is not replaced"
    for ((end = SECONDS + 5; SECONDS < end;)); do
        fewer "$before" || { found="a worker that is killed is replaced"; break; }
        sleep 0.2
    done
    sleep 1 # it is ready

    kill -TERM "$server"
    sleep 3
    found+="; 3 s after SIGTERM, requests are "
    found+=$(curl --silent --max-time 20 --output /dev/null "http://127.0.0.1:$port/" && echo answered || echo refused)
    printf '%-23s %s\n' "$1:" "$found"
    touch let-go
    wait "$client" || changed "the long request was not answered"
    until_true ended "$server"
    [ "$found" = "$2" ] || changed "expected: $2"
}

free="a worker that is killed is replaced; 3 s after SIGTERM, requests are refused"
busy="a worker that is killed is not replaced; 3 s after SIGTERM, requests are answered"
as_uvicorn=(uvicorn --workers=2 --port=PORT --lifespan off views:app)
as_gunicorn=(gunicorn --workers=2 --bind=127.0.0.1:PORT --no-control-socket --graceful-timeout 60 views:plain)
look uvicorn "$free" "" 0 "${as_uvicorn[@]}"
look "uvicorn after SIGHUP" "$busy" "Waiting for connections to close" 1 "${as_uvicorn[@]}"
look gunicorn "$free" "" 0 "${as_gunicorn[@]}"
look "gunicorn after SIGHUP" "$busy" "Booting worker" 4 "${as_gunicorn[@]}"
