#!/usr/bin/env bash
# gevent's WSGIServer: each answer on a kept connection takes 40 ms, one on a new connection takes next to nothing.
#
# Versions  gevent 26.9.0, http.client of Python 3.11 as the client, Linux
# Source    gevent/pywsgi.py, WSGIHandler._write_with_headers: the head is one sendall(), the body another one, and
#           nothing sets TCP_NODELAY (of gevent's own servers only backdoor.py does). The kernel keeps the second piece
#           back until the first is acknowledged (Nagle's algorithm), and the client's kernel acknowledges up to 40 ms
#           late, but at once while a connection is new. It concerns each answer with a body, so Flask's, too.
# Guess     Servers set TCP_NODELAY or send a short answer in one piece, as gunicorn, waitress, cheroot, uvicorn and
#           Tornado do. A kept connection saves time.
# Seen      22 requests a second on each kept connection, however fast the application is; a proxy or a load tool that
#           keeps connections gets a small part of what one gets that does not. gunicorn's worker gevent_pywsgi has no
#           such wait: gunicorn sets the option on the listening socket, which is enough here, too.
# Output    kept connection:              median 44.1 ms
#           new connections:              median 0.5 ms
#           kept connection, TCP_NODELAY: median 0.3 ms
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gevent==26.9.0

cat >server.py <<'PY'
import socket
import sys

from gevent.pywsgi import WSGIServer
from gevent.socket import socket as green_socket

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]

if sys.argv[2] == "nodelay":
    listener = green_socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(16)
else:
    listener = ("127.0.0.1", int(sys.argv[1]))
WSGIServer(listener, app, log=None).serve_forever()
PY
cat >client.py <<'PY'
import http.client
import statistics
import sys
import time

took = []
client = None
for _ in range(41):
    then = time.perf_counter()
    if client is None or sys.argv[2] == "new":
        client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    client.request("GET", "/")
    if client.getresponse().read() != b"ok":
        sys.exit("unexpected answer")
    took.append(1000 * (time.perf_counter() - then))
    if sys.argv[2] == "new":
        client.close()
print(f"{statistics.median(took):.1f}")
PY

look() { # what is looked at, kept or new, option, least and most milliseconds
    local port median
    port=$(free_port)
    serve python3 server.py "$port" "$3"
    answers "$port"
    median=$(python3 client.py "$port" "$2") || exit 2
    printf '%-29s median %s ms\n' "$1:" "$median"
    [ "${median%.*}" -ge "$4" ] && [ "${median%.*}" -le "$5" ] || changed "expected $4 to $5 ms"
}

look "kept connection" kept none 35 200
look "new connections" new none 0 33
look "kept connection, TCP_NODELAY" kept nodelay 0 33
