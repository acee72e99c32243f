#!/usr/bin/env bash
# gunicorn's ASGI worker, uvicorn's and aiohttp's: after --max-requests, --timeout aborts what only awaits.
#
# Versions  gunicorn 27.0.1, uvicorn-worker 0.4.0, uvicorn 0.54.0, aiohttp 3.14.5
# Source    gunicorn/arbiter.py, murder_workers(): aborts a worker that has shown no sign of life for --timeout, be it
#           about to end or not. run() of gunicorn/workers/gthread.py calls notify() while it waits for its last
#           requests. _shutdown() of gunicorn/workers/gasgi.py does not, nor does the runner.cleanup() that
#           aiohttp/worker.py, _run(), ends with. uvicorn_worker/_workers.py leaves it to Server.on_tick
#           (uvicorn/server.py), every --timeout / 2, and that runs no more when Server.shutdown() waits.
# Guess     A request that awaits has nothing to do with --timeout, as long as its loop runs. A worker that has had its
#           number of requests lets it end, at most for --graceful-timeout.
# Seen      The same request is answered by these workers, too, but aborted together with a worker that has had its
#           number ("WORKER TIMEOUT"). A longer --graceful-timeout has no effect there.
# Output    --timeout 8 --graceful-timeout 60, a request of 20 s, 20 quick ones beside it
#           threads, --max-requests 10: status 200 (curl's 0)
#           asgi:                       status 200 (curl's 0)
#           uvicorn:                    status 200 (curl's 0)
#           aiohttp:                    status 200 (curl's 0)
#           asgi, --max-requests 10:    status 000 (curl's 52), WORKER TIMEOUT
#           uvicorn, --max-requests 10: status 000 (curl's 52), WORKER TIMEOUT
#           aiohttp, --max-requests 10: status 000 (curl's 52), WORKER TIMEOUT
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 packaging==26.3 uvicorn-worker==0.4.0 uvicorn==0.54.0 aiohttp==3.14.5

cat >views.py <<'PY'
import asyncio
import os
import time

from aiohttp import web

def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        print("request begun in", os.getpid(), flush=True)
        time.sleep(20)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("only HTTP")
    if scope["path"] == "/slow":
        print("request begun in", os.getpid(), flush=True)
        await asyncio.sleep(20)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

async def view(request):
    if request.path == "/slow":
        print("request begun in", os.getpid(), flush=True)
        await asyncio.sleep(20)
    return web.Response(text="ok")

app = web.Application()
app.router.add_get("/{any:.*}", view)
PY

names=() expected=() logs=() clients=()
begin() { # what is looked at, the expected status, arguments of gunicorn
    local port at=${#names[@]}
    port=$(free_port)
    serve gunicorn --no-control-socket --timeout 8 --graceful-timeout 60 --bind "127.0.0.1:$port" "${@:3}"
    answers "$port"
    names+=("$1") expected+=("$2") logs+=("$server_log")
    (
        failed=0
        status=$(curl --silent --max-time 90 --output /dev/null --write-out '%{http_code}' \
            "http://127.0.0.1:$port/slow") || failed=$?
        echo "$status $failed" >"slow.$at"
    ) &
    clients+=("$!")
    for _ in {1..300}; do grep -q "request begun" "$server_log" && break || sleep 0.1; done
    for _ in {1..20}; do curl --silent --max-time 1 --output /dev/null "http://127.0.0.1:$port/" || true; done &
}

uvicorn=uvicorn_worker.UvicornWorker aiohttp=aiohttp.GunicornWebWorker
begin "threads, --max-requests 10" 200 --threads 2 --max-requests 10 views:wsgi
begin "asgi" 200 -k asgi views:asgi
begin "uvicorn" 200 -k "$uvicorn" views:asgi
begin "aiohttp" 200 -k "$aiohttp" views:app
begin "asgi, --max-requests 10" 000 -k asgi --max-requests 10 views:asgi
begin "uvicorn, --max-requests 10" 000 -k "$uvicorn" --max-requests 10 views:asgi
begin "aiohttp, --max-requests 10" 000 -k "$aiohttp" --max-requests 10 views:app
wait "${clients[@]}"

wrong=
for at in "${!names[@]}"; do
    read -r status failed <"slow.$at"
    pid=$(sed -n 's/.*request begun in //p' "${logs[$at]}")
    aborted=$(grep -o "WORKER TIMEOUT (pid:$pid)" "${logs[$at]}" | sed 's/ (.*//;q') || true
    printf "%-27s status %s (curl's %s)%s\n" "${names[$at]}:" "$status" "$failed" "${aborted:+, $aborted}"
    [ "$status" = "${expected[$at]}" ] || wrong+="${names[$at]}: expected status ${expected[$at]}. "
    [ "${aborted:+000}" = "${expected[$at]#200}" ] || wrong+="${names[$at]}: aborted or not. "
done
[ -z "$wrong" ] || changed "$wrong"
