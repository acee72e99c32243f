#!/usr/bin/env bash
# Flask's streams under uvicorn, hypercorn and pyvoy: they run on when the client has left, until no thread is free.
#
# Versions  flask 3.1.3, uvicorn 0.54.0 with a2wsgi 1.10.10, hypercorn 0.18.0, pyvoy 1.3.0; gunicorn 27.0.1, waitress
#           3.0.2, granian 2.8.9 and uWSGI 2.0.30 for comparison
# Source    a2wsgi/wsgi.py, WSGIResponder.wsgi: iterates in a thread, and queues each part for the server's send().
#           hypercorn/app_wrappers.py, WSGIWrapper.run_app: hands each part to send() of its own. For a client that has
#           left, send() returns as usual, and neither asks receive() for http.disconnect. A WSGI server writes to the
#           connection itself: it gets an error, and calls close() of the iterable (PEP 3333). pyvoy's is compiled.
# Guess     The generator is closed with the next line that it yields: it gets GeneratorExit, its `finally` runs, its
#           thread is free.
# Seen      Nothing ends it. A view that yields events for as long as its client listens takes its thread for ever: with
#           uvicorn's 10 and hypercorn's min(32, CPUs + 4), no request is answered any more when as many clients have
#           come and gone. The server listens and accepts. uvicorn logs nothing but the requests, each with 200.
# Output    40 clients read a first line and leave; 5 s later:
#           gunicorn --threads 4:     0 streams run, the next request was answered
#           waitress:                 0 streams run, the next request was answered
#           granian, 4 threads:       0 streams run, the next request was answered
#           uWSGI --threads 4:        0 streams run, the next request was answered
#           uvicorn --interface wsgi: 10 streams run, the next request was not answered
#           hypercorn wsgi:           6 streams run, the next request was not answered
#           pyvoy --interface wsgi:   40 streams run, the next request was answered (it has 200 threads)
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
        note("begun")
        try:
            end = time.monotonic() + 600
            while time.monotonic() < end:
                yield "data: 1\n\n"
                time.sleep(0.2)
        finally:
            note("closed")

    return Response(lines(), mimetype="text/event-stream")
PY
cat >leave.py <<'PY'
import selectors
import socket
import sys
import time

waiting = selectors.DefaultSelector()
for _ in range(40):
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
    client.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    waiting.register(client, selectors.EVENT_READ, bytearray())
end = time.monotonic() + 3
while waiting.get_map() and time.monotonic() < end: # those without a thread get nothing
    for key, _ in waiting.select(0.2):
        part = key.fileobj.recv(65536)
        key.data.extend(part)
        if not part or b"data:" in key.data:
            waiting.unregister(key.fileobj)
            key.fileobj.close()
for key in list(waiting.get_map().values()):
    key.fileobj.close()
PY

look() { # what is looked at, how many run (a pattern), the next request, server, its arguments
    local running next
    rm -f notes
    serve "${@:4}"
    answers "$port"
    python3 leave.py "$port"
    sleep 5
    running=$(($(grep -c begun notes) - $(grep -c closed notes || true)))
    next=$(curl --silent --max-time 5 --output /dev/null "http://127.0.0.1:$port/" && echo was || echo "was not")
    printf '%-25s %s streams run, the next request %s answered\n' "$1:" "$running" "$next"
    [[ $running =~ ^($2)$ && $next = "$3" ]] || changed "expected: $2, $3"
    port=$(free_port)
}

port=$(free_port)
look "gunicorn --threads 4" 0 was gunicorn --no-control-socket --bind "127.0.0.1:$port" --threads 4 views:app
look "waitress" 0 was waitress-serve --listen "127.0.0.1:$port" views:app
look "granian, 4 threads" 0 was granian --interface wsgi --blocking-threads 4 --host 127.0.0.1 --port "$port" views:app
look "uWSGI --threads 4" 0 was uwsgi --master --need-app --threads 4 --disable-logging --wsgi-file views.py \
    --http-socket "127.0.0.1:$port"
look "uvicorn --interface wsgi" 10 "was not" uvicorn --interface wsgi --port "$port" views:app
threads=$(python3 -c 'import os; print(min(32, (os.cpu_count() or 1) + 4))')
look "hypercorn wsgi" "$threads" "was not" hypercorn --bind "127.0.0.1:$port" wsgi:views:app
look "pyvoy --interface wsgi" 40 was pyvoy --interface wsgi --address 127.0.0.1 --port "$port" views:app
