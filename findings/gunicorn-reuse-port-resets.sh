#!/usr/bin/env bash
# gunicorn with --reuse-port: each worker that --max-requests replaces resets the clients that wait for it.
#
# Versions  gunicorn 27.0.1, Linux
# Source    gunicorn/arbiter.py: with reuse_port, start() makes no listening socket, and spawn_worker() makes one in
#           each worker. So a worker has an accept queue of its own, and when it ends, the kernel resets what is in
#           there. No process keeps the socket, as the arbiter does with the one that all workers share.
# Guess     --reuse-port changes which worker gets a connection. --max-requests replaces a worker between two requests,
#           at the cost of one worker for the moment: the clients wait somewhat longer.
# Seen      Without --reuse-port nothing is lost. With it, all that wait in the queue of the worker that ends are reset,
#           and nothing is logged. With one worker, clients that come before the next one listens are refused.
# Output    1 worker:                10 of 10 requests that came at once were answered
#           1 worker, --reuse-port:  5 of 10 requests that came at once were answered
#           4 workers:               1000 of 1000 requests of 20 clients were answered
#           4 workers, --reuse-port: 982 of 1000 requests of 20 clients were answered (the number varies)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1

cat >plain.py <<'PY'
import time

def app(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
cat >clients.py <<'PY'
import http.client
import sys
import threading
import time

port, clients, times, seconds = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
answered = []

def client():
    for _ in range(times):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/?" + seconds)
            connection.getresponse().read()
            answered.append(1)
        except (OSError, http.client.HTTPException):
            pass
        connection.close()
        time.sleep(0.05)

threads = [threading.Thread(target=client) for _ in range(clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(answered))
PY

look() { # gunicorn's workers, requests of each, clients, requests of each, seconds that a request takes, more settings
    local port
    port=$(free_port)
    serve gunicorn --no-control-socket --bind "127.0.0.1:$port" --workers "$1" --max-requests "$2" "${@:6}" plain:app
    answers "$port"
    answered=$(python3 clients.py "$port" "$3" "$4" "$5")
    kill "$server"
    wait "$server" || true
}

look 1 6 10 1 0.3 # one of the six is that of `answers`
echo "1 worker:                $answered of 10 requests that came at once were answered"
[ "$answered" = 10 ] || changed "expected 10"
look 1 6 10 1 0.3 --reuse-port
echo "1 worker, --reuse-port:  $answered of 10 requests that came at once were answered"
[ "$answered" = 5 ] || changed "expected 5"
look 4 50 20 50 0.01
echo "4 workers:               $answered of 1000 requests of 20 clients were answered"
[ "$answered" = 1000 ] || changed "expected 1000"
look 4 50 20 50 0.01 --reuse-port
echo "4 workers, --reuse-port: $answered of 1000 requests of 20 clients were answered"
[ "$answered" -lt 1000 ] || changed "expected fewer"
