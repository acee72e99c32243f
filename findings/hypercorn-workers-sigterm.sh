#!/usr/bin/env bash
# hypercorn with two workers: after SIGTERM, the first worker that has ended takes the others with it, requests and all.
#
# Versions  hypercorn 0.18.0; uvicorn 0.54.0, granian 2.8.9 and h2corn 2.0.0 for comparison
# Source    hypercorn/run.py, run(): a signal sets an event that the workers look at, and each then waits for its
#           requests (--graceful-timeout). The parent waits with multiprocessing's wait(), which returns when one of
#           the workers has ended, and then calls terminate() for those that are left. A worker has no handler of
#           SIGTERM (worker_serve in asyncio/run.py sets one only where there is no event), so it dies. reload() joins
#           each worker, and loses nothing.
# Guess     A request of 2 s is answered, as by one worker, and --graceful-timeout says how long one may take.
# Seen      The idle worker ends within 0.1 s, and the busy one is killed with it: its client gets nothing,
#           --graceful-timeout or not, and its lifespan's shutdown does not run. hypercorn ends with 0. One worker
#           answers, and two do when SIGHUP replaces them. One does not, either, where each process gets SIGTERM, as
#           systemd does it by default.
# Output    hypercorn -w 1, SIGTERM:                       its client got status 200
#           hypercorn -w 2, SIGTERM:                       its client got nothing (curl's status 52)
#           hypercorn -w 2 --graceful-timeout 60, SIGTERM: its client got nothing (curl's status 52)
#           hypercorn -w 2, SIGHUP:                        its client got status 200
#           hypercorn -w 1, SIGTERM to each process:       its client got nothing (curl's status 52)
#           uvicorn --workers 2, SIGTERM to each process:  its client got status 200
#           uvicorn --workers 2, SIGTERM:                  its client got status 200
#           granian --workers 2, SIGTERM:                  its client got status 200
#           h2corn --workers 2, SIGTERM:                   its client got status 200
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install hypercorn==0.18.0 uvicorn==0.54.0 granian==2.8.9 h2corn==2.0.0

cat >views.py <<'PY'
import asyncio
import pathlib

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                print("worker started", flush=True)
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] != "/":
        pathlib.Path("begun").touch()
        await asyncio.sleep(2)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

look() { # what is looked at, workers, signal (and if each process gets it), what the client gets, server, its arguments
    local client told status=0
    rm -f begun
    serve "${@:5}" views:app
    answers "$port"
    for _ in {1..300}; do [ "$(grep -c "worker started" "$server_log")" = "$2" ] && break || sleep 0.1; done
    curl --silent --max-time 30 --output /dev/null --write-out 'status %{http_code}' \
        "http://127.0.0.1:$port/slow" >got &
    client=$!
    for _ in {1..300}; do [ -e begun ] && break || sleep 0.1; done
    [ -e begun ] || { echo "the request did not begin" >&2; exit 2; }
    if [[ $3 == *each ]]; then mapfile -t told < <(family "$server"); else told=("$server"); fi
    kill "-${3% each}" "${told[@]}"
    wait "$client" || status=$?
    [ "$status" = 0 ] || echo "nothing (curl's status $status)" >got
    printf '%-46s its client got %s\n' "$1, SIG${3/each/to each process}:" "$(<got)"
    [[ $(<got) == "$4"* ]] || changed "expected: $4"
}

port=$(free_port)
look "hypercorn -w 1" 1 TERM "status 200" hypercorn --bind "127.0.0.1:$port"
port=$(free_port)
look "hypercorn -w 2" 2 TERM nothing hypercorn --bind "127.0.0.1:$port" -w 2
port=$(free_port)
look "hypercorn -w 2 --graceful-timeout 60" 2 TERM nothing hypercorn --bind "127.0.0.1:$port" -w 2 --graceful-timeout 60
port=$(free_port)
look "hypercorn -w 2" 2 HUP "status 200" hypercorn --bind "127.0.0.1:$port" -w 2
port=$(free_port)
look "hypercorn -w 1" 1 "TERM each" nothing hypercorn --bind "127.0.0.1:$port" -w 1
port=$(free_port)
look "uvicorn --workers 2" 2 "TERM each" "status 200" uvicorn --port "$port" --workers 2
port=$(free_port)
look "uvicorn --workers 2" 2 TERM "status 200" uvicorn --port "$port" --workers 2
port=$(free_port)
look "granian --workers 2" 2 TERM "status 200" granian --interface asgi --host 127.0.0.1 --port "$port" --workers 2
port=$(free_port)
look "h2corn --workers 2" 2 TERM "status 200" h2corn --bind "127.0.0.1:$port" --workers 2
