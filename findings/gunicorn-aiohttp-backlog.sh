#!/usr/bin/env bash
# gunicorn with aiohttp's worker: --backlog has no effect.
#
# Versions  gunicorn 27.0.1, aiohttp 3.14.5, Linux
# Source    aiohttp/worker.py, GunicornWebWorker._run: makes a SockSite without a backlog, so the default of
#           SockSite.__init__ (aiohttp/web_runner.py) applies, 128. SockSite.start gives it to asyncio's
#           loop.create_server(), which calls listen() once more on the socket that gunicorn is listening on.
# Guess     The master binds and listens before there is any worker, so --backlog 4 is 4 whatever the worker is.
# Seen      It is 4 for the sync worker. aiohttp's worker makes it 128, so clients queue that should have been
#           turned away; with gunicorn's default of 2,048 the queue is made sixteen times shorter.
# Output    sync:    --backlog 4 -> the listening socket has 4
#           aiohttp: --backlog 4 -> the listening socket has 128
#           aiohttp: no --backlog (2048) -> the listening socket has 128
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 aiohttp==3.14.5

cat >plain.py <<'PY'
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
cat >loop.py <<'PY'
from aiohttp import web

async def view(request):
    return web.Response(text="ok")

app = web.Application()
app.router.add_get("/", view)
PY

look() { # gunicorn's arguments -> limit of the accept queue once the worker has answered
    local port
    port=$(free_port)
    serve gunicorn --no-control-socket --bind "127.0.0.1:$port" "$@"
    answers "$port"
    limit=$(ss -Hltn "sport = :$port" | awk '{print $3}')
}

look --backlog 4 plain:app
echo "sync:    --backlog 4 -> the listening socket has $limit"
[ "$limit" = 4 ] || changed "the sync worker no longer keeps the backlog"
look --backlog 4 --worker-class aiohttp.GunicornWebWorker loop:app
echo "aiohttp: --backlog 4 -> the listening socket has $limit"
[ "$limit" = 128 ] || changed "expected 128"
look --worker-class aiohttp.GunicornWebWorker loop:app
echo "aiohttp: no --backlog (2048) -> the listening socket has $limit"
[ "$limit" = 128 ] || changed "expected 128"
