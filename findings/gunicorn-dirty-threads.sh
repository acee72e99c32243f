#!/usr/bin/env bash
# gunicorn --dirty-threads: a dirty worker runs one call at a time, however many threads it has.
#
# Versions  gunicorn 27.0.1 (dirty workers since 25.0)
# Source    gunicorn/dirty/arbiter.py, DirtyArbiter._start_worker_consumer: one consumer for each worker takes a call
#           from its queue, sends it to the worker, and takes the next one when the answer has come. The worker's side,
#           handle_connection() of dirty/worker.py, awaits one request of the only connection after the other, too. So
#           the ThreadPoolExecutor with dirty_threads threads never has two things to do.
# Guess     --dirty-workers 1 --dirty-threads 4 runs four calls at once: "each dirty worker can use threads to handle
#           concurrent operations within the same process" (its documentation). DirtyApp asks for thread-safe code then.
# Seen      Four calls of 1 s take 4 s with one thread and with four. Only more workers help, each with the memory of
#           its own copy of the application.
# Output    1 worker, 1 thread:   1 of 4 calls at once, the last answer after 4.1 s
#           1 worker, 4 threads:  1 of 4 calls at once, the last answer after 4.1 s
#           4 workers, 1 thread:  4 of 4 calls at once, the last answer after 1.1 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1

cat >views.py <<'PY'
import json
import time

from gunicorn.dirty import DirtyApp, get_dirty_client

class Slow(DirtyApp):
    def work(self):
        begun = time.monotonic()
        time.sleep(1)
        return [begun, time.monotonic()]

def app(environ, start_response):
    body = b"ok"
    if environ["PATH_INFO"] != "/":
        body = json.dumps(get_dirty_client().execute("views:Slow", "work")).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
PY
cat >four.py <<'PY'
import http.client
import json
import sys
import time

start = time.monotonic()
clients = [http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60) for _ in range(4)]
for client in clients:
    client.request("GET", "/work")
calls = [json.loads(client.getresponse().read()) for client in clients]
took = time.monotonic() - start
most = max(sum(begun <= at < ended for begun, ended in calls) for at, _ in calls)
print(most, f"{took:.1f}")
PY

look() { # dirty workers, threads of each -> calls at once
    local port what
    port=$(free_port)
    serve gunicorn --no-control-socket --bind "127.0.0.1:$port" --threads 8 --dirty-app views:Slow --dirty-workers "$1" \
        --dirty-threads "$2" views:app
    answers "$port"
    for _ in {1..300}; do
        [ "$(grep -c "Dirty worker .* listening" "$server_log")" = "$1" ] && break || sleep 0.1
    done
    read -r most took < <(python3 four.py "$port")
    what="$1 worker$([ "$1" = 1 ] || echo s), $2 thread$([ "$2" = 1 ] || echo s):"
    printf '%-21s %s of 4 calls at once, the last answer after %s s\n' "$what" "$most" "$took"
}

look 1 1
[ "$most" = 1 ] || changed "expected 1"
look 1 4
[ "$most" = 1 ] || changed "expected 1"
look 4 1
[ "$most" -gt 1 ] || changed "expected more"
