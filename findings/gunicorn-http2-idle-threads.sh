#!/usr/bin/env bash
# gunicorn with threads over HTTP/2: a connection that does nothing holds a thread, as long as --keep-alive says.
#
# Versions  gunicorn 27.0.1, h2 4.4.1, as the client, too
# Source    gunicorn/workers/gthread.py: handle_http2() is the loop of a connection, runs in a thread of the pool, and
#           waits there in receive_data() (http2/connection.py) for the client's next frame, with cfg.keepalive as the
#           socket's time-out. A connection of HTTP/1.1 leaves its thread with each answer: finish_request() gives it to
#           the poller, and murder_keepalived() closes it.
# Guess     Idle connections cost no thread since gthread has its poller, whichever protocol they speak: --keep-alive 75
#           is what one sets behind a load balancer, and has no influence on how many requests run at once.
# Seen      With two threads, two clients that have had their answer keep all others waiting until --keep-alive is over,
#           those with HTTP/1.1, too. No request runs meanwhile. A proxy that keeps a pool of connections over HTTP/2
#           takes a thread for each of them, used or not.
# Output    two idle connections of HTTP/1.1, --keep-alive 8: the next client is answered within 1 s
#           two idle connections of HTTP/2, --keep-alive 8:   the next client is answered after 8 s
#           two idle connections of HTTP/2, --keep-alive 2:   the next client is answered after 2 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 h2==4.4.1

cat >views.py <<'PY'
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
cat >clients.py <<'PY' # two clients that stay when they have had their answer, and the time that a third one waits
import http.client
import socket
import sys
import time

import h2.config
import h2.connection
import h2.events

port, protocol = int(sys.argv[1]), sys.argv[2]

def http1():
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", "/")
    answer = client.getresponse()
    assert (answer.status, answer.read(), answer.will_close) == (200, b"ok", False), answer.status
    return client

def http2():
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    state.initiate_connection()
    headers = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "localhost")]
    state.send_headers(1, headers, end_stream=True)
    client.sendall(state.data_to_send())
    while True:
        events = state.receive_data(client.recv(65536))
        client.sendall(state.data_to_send())
        if any(isinstance(event, h2.events.StreamEnded) for event in events):
            return client

idle = [http2() if protocol == "HTTP/2" else http1() for _ in range(2)]
then = time.monotonic()
http1()
print(round(time.monotonic() - then))
PY

look() { # protocol, --keep-alive, what is expected, as a range of seconds
    local port took
    port=$(free_port)
    serve gunicorn --no-control-socket --threads 2 --keep-alive "$2" --http-protocols h1,h2 --http2-cleartext both \
        --bind "127.0.0.1:$port" views:app
    answers "$port"
    took=$(timeout 60 python3 clients.py "$port" "$1") || { cat "$server_log" >&2; exit 2; }
    printf '%-51s the next client is answered %s\n' "two idle connections of $1, --keep-alive $2:" \
        "$([ "$took" = 0 ] && echo "within 1 s" || echo "after $took s")"
    ((took >= $3 && took <= $4)) || changed "expected $3 to $4 s"
}

look HTTP/1.1 8 0 2
look HTTP/2 8 5 10
look HTTP/2 2 1 4
