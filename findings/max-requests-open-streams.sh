#!/usr/bin/env bash
# Maximum numbers of requests: a worker that has had its number keeps its place until its longest answer has ended.
#
# Versions  gunicorn 27.0.1 with threads, gevent 26.9.0 and its ASGI worker, uvicorn 0.54.0; h2corn 2.0.0 for comparison
# Source    gunicorn/workers/gthread.py, run(): with the last request, `alive` is False; the worker stops accepting, and
#           waits for its connections, --graceful-timeout (30 s) at most. gunicorn/arbiter.py, manage_workers(): starts
#           workers for those that have ended. uvicorn/server.py, Server.shutdown(): waits without a limit, and
#           supervisors/multiprocess.py, keep_subprocess_alive(), looks for processes that are dead. h2corn's worker
#           asks for its successor (schedule_worker_retire() of _supervisor.py), and is told to end when that is ready.
# Guess     The number is there to bound leaks, and costs the start of a worker: a new one takes the old one's place at
#           once, while that one finishes what it has, as with a reload.
# Seen      With one open stream in each worker (server-sent events, a download), nothing answers: clients are accepted
#           by the kernel, and wait until a stream ends. Each worker that has a stream when it has had its number is one
#           less meanwhile.
# Output    two workers with --max-requests 100, an open stream in each
#           gunicorn, threads: the next client waits until the streams end
#           gunicorn, gevent:  the next client waits until the streams end
#           gunicorn, asgi:    the next client waits until the streams end
#           uvicorn:           the next client waits until the streams end
#           h2corn:            a new worker answers while the streams are open
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 gevent==26.9.0 packaging==26.3 uvicorn==0.54.0 h2corn==2.0.0

cat >views.py <<'PY'
import asyncio
import os
import time

def pid():
    return str(os.getpid()).encode() + b"\n"

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Connection", "close")])
    return stream() if environ["PATH_INFO"] == "/stream" else [pid()]

def stream():
    while not os.path.exists("release"):
        yield pid()
        time.sleep(0.2)

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    while scope["path"] == "/stream" and not os.path.exists("release"):
        await send({"type": "http.response.body", "body": pid(), "more_body": True})
        await asyncio.sleep(0.2)
    await send({"type": "http.response.body", "body": pid()})
PY
cat >clients.py <<'PY' # opens a stream in each of two workers, and then asks until something new comes
import http.client
import pathlib
import sys
import threading

port = int(sys.argv[1])

def ask(path):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=100)
    client.request("GET", path)
    return client.getresponse()

def asks(pids): # until it has an answer: a worker may close what it has accepted in its last moment
    while not pids:
        try:
            pids.append(ask("/").read())
        except ConnectionError:
            pass

streams = {}
while len(streams) < 2:
    answer = ask("/stream")
    pid = answer.readline()
    if pid in streams:
        answer.close()
    else:
        streams[pid] = answer
while True:
    pids = []
    asking = threading.Thread(target=asks, args=(pids,), daemon=True)
    asking.start()
    asking.join(10)
    if not pids or pids[0] not in streams:
        break
pathlib.Path("release").touch()
if pids:
    print("a new worker answers while the streams are open")
else:
    asking.join(60)
    print("the next client waits until the streams end" if pids else "the next client has no answer")
PY

look() { # name, what is expected, server, its arguments, in which PORT is the port
    local port command found
    port=$(free_port)
    command=("${@:3}")
    rm -f release
    serve "${command[@]//PORT/$port}"
    answers "$port"
    found=$(timeout 200 python3 clients.py "$port") || { cat "$server_log" >&2; exit 2; }
    printf '%-18s %s\n' "$1:" "$found"
    [ "$found" = "$2" ] || changed "expected: $2"
    kill "$server"
}

waits="the next client waits until the streams end"
gunicorn=(gunicorn --no-control-socket --workers 2 --max-requests 100 --bind 127.0.0.1:PORT)
look "gunicorn, threads" "$waits" "${gunicorn[@]}" --threads 4 views:wsgi
look "gunicorn, gevent" "$waits" "${gunicorn[@]}" -k gevent views:wsgi
look "gunicorn, asgi" "$waits" "${gunicorn[@]}" -k asgi views:asgi
look uvicorn "$waits" uvicorn --no-access-log --workers 2 --limit-max-requests 100 --port PORT views:asgi
look h2corn "a new worker answers while the streams are open" \
    h2corn --workers 2 --max-requests 100 --bind 127.0.0.1:PORT views:asgi
