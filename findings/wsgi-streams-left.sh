#!/usr/bin/env bash
# Flask's streams under uvicorn, hypercorn and pyvoy: they run on when the client has left, and nothing closes them.
#
# Versions  flask 3.1.3, uvicorn 0.54.0 with a2wsgi 1.10.10, hypercorn 0.18.0, pyvoy 1.3.0; gunicorn 27.0.1, waitress
#           3.0.2, granian 2.8.9 and uWSGI 2.0.30 for comparison
# Source    a2wsgi/wsgi.py, WSGIResponder.wsgi: iterates in a thread, and queues each part for the server's send().
#           hypercorn/app_wrappers.py, WSGIWrapper.run_app: hands each part to send() of its own. For a client that has
#           left, send() returns as usual, and neither asks receive() for http.disconnect. A WSGI server writes to the
#           connection itself: it gets an error, and calls close() of the iterable (PEP 3333). pyvoy's is compiled.
# Guess     The generator is closed with the next line that it yields: it gets GeneratorExit, its `finally` runs, its
#           thread is free.
# Seen      Nothing ends it. A view that yields events for as long as its client listens keeps its thread after that,
#           until the generator ends by itself. uvicorn logs nothing but the request, with 200.
# Output    a client reads a first line and leaves; 5 s later its stream:
#           gunicorn --threads 4:     was closed
#           waitress:                 was closed
#           granian, 4 threads:       was closed
#           uWSGI --threads 4:        was closed
#           uvicorn --interface wsgi: runs on
#           hypercorn wsgi:           runs on
#           pyvoy --interface wsgi:   runs on
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install flask==3.1.3 uvicorn==0.54.0 a2wsgi==1.10.10 hypercorn==0.18.0 pyvoy==1.3.0 gunicorn==27.0.1 waitress==3.0.2 \
    granian==2.8.9 pyuwsgi==2.0.30.post1

cat >views.py <<'PY'
import time

from flask import Flask, Response

app = application = Flask(__name__)

def note(what):
    with open("notes", "a") as notes:
        print(what, file=notes)

@app.get("/")
def index():
    return "ok"

@app.get("/events")
def events():
    def lines():
        try:
            end = time.monotonic() + 600
            while time.monotonic() < end:
                yield "data: 1\n\n"
                time.sleep(0.2)
        finally:
            note("closed")

    return Response(lines(), mimetype="text/event-stream")
PY

look() { # what is looked at, what is expected, server, its arguments
    local found="runs on"
    rm -f notes
    serve "${@:3}"
    answers "$port"
    curl --silent --no-buffer --max-time 30 "http://127.0.0.1:$port/events" | head --lines 1 >first || true
    [ -s first ] || { echo "the stream did not begin" >&2; exit 2; }
    sleep 5
    ! grep --quiet closed notes || found="was closed"
    printf '%-25s %s\n' "$1:" "$found"
    [ "$found" = "$2" ] || changed "expected: $2"
    port=$(free_port)
}

port=$(free_port)
look "gunicorn --threads 4" "was closed" gunicorn --no-control-socket --bind "127.0.0.1:$port" --threads 4 views:app
look "waitress" "was closed" waitress-serve --listen "127.0.0.1:$port" views:app
look "granian, 4 threads" "was closed" granian --interface wsgi --blocking-threads 4 --host 127.0.0.1 --port "$port" \
    views:app
look "uWSGI --threads 4" "was closed" uwsgi --master --need-app --threads 4 --disable-logging --wsgi-file views.py \
    --http-socket "127.0.0.1:$port"
look "uvicorn --interface wsgi" "runs on" uvicorn --interface wsgi --port "$port" views:app
look "hypercorn wsgi" "runs on" hypercorn --bind "127.0.0.1:$port" wsgi:views:app
look "pyvoy --interface wsgi" "runs on" pyvoy --interface wsgi --address 127.0.0.1 --port "$port" views:app
