#!/usr/bin/env bash
# werkzeug (Flask's server) at its limit of descriptors: requests are answered with 200 and still end in an error.
#
# Versions  werkzeug 3.1.9, CPython 3.11, Linux
# Source    serving.py of werkzeug, WSGIRequestHandler.run_wsgi: when the reply is out, execute() opens an epoll instance
#           (selectors.DefaultSelector) to discard what the client may still send, in the `finally` that also calls the
#           iterable's close(). Where no descriptor is left for it, close() is not reached.
# Guess     A limit of descriptors bounds how many connections are accepted. Clients beyond it wait; of the requests that
#           run, nothing fails: each has its descriptor, gets its reply, and its iterable is closed (PEP 3333).
# Seen      All 80 clients get 200. For 21 to 45 of them the server logs "Error on request ... Too many open
#           files", and never calls close() of what the application returned: Response.call_on_close, files that are sent
#           and generators with a `finally` are left to the collector.
# Output    ulimit -n 1024: 80 of 80 got 200, close() was called 80 times
#           ulimit -n 40:   80 of 80 got 200, close() was called 44 times (35 to 59 in five runs)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install werkzeug==3.1.9

cat >run.py <<'PY'
import sys
import threading
import time

from werkzeug.serving import run_simple

lock = threading.Lock()
closed = []

class Body(list):
    def close(self):
        with lock:
            closed.append(1)

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/":
        return [str(len(closed)).encode()]
    time.sleep(0.5)
    return Body([b"ok"])

run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
PY
cat >send.py <<'PY'
import socket
import sys

clients = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) for _ in range(80)]
for client in clients:
    client.sendall(b"GET /held HTTP/1.0\r\n\r\n")
print(sum(b" 200 OK" in b"".join(iter(lambda: client.recv(4096), b"")) for client in clients))
PY

look() { # most descriptors -> how many of 80 clients got 200, and how often close() was called
    local port
    port=$(free_port)
    serve bash -c "ulimit -n $1 && exec python3 run.py $port"
    answers "$port"
    answered=$(python3 send.py "$port") || exit 2
    sleep 1  # the last threads end
    closed=$(curl --silent --max-time 20 "http://127.0.0.1:$port/") || exit 2
    printf 'ulimit -n %-6s%s of 80 got 200, close() was called %s times\n' "$1:" "$answered" "$closed"
    [ "$answered" = 80 ] || changed "not all were answered"
}

look 1024
[ "$closed" = 80 ] || changed "close() is not called without a limit either"
look 40
[ "$closed" -le 72 ] || changed "close() is called nearly always"
grep --quiet "OSError: .*Too many open files" "$server_log" || changed "there is no error in the log"
