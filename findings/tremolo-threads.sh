#!/usr/bin/env bash
# tremolo: a pool of 5 or of 20 threads runs one `def` handler at a time.
#
# Versions  tremolo 0.5.3
# Source    tremolo/lib/executors.py, MultiThreadExecutor.submit: each thread has a queue of its own. Work without a
#           name (all handlers, see tremolo/routes.py, Routes.compile) goes to `self.thread`, the thread that was last
#           active, not to one that is free. A thread becomes the last active one when it asks for work: after a job,
#           or after a second without any.
# Guess     thread_pool_size (5 by default) is the number of `def` handlers that run at the same time.
# Seen      A burst lands in the queue of a single thread and is served one by one, with 20 threads as with 5.
#           (A thread that wakes up within the burst may take over the rest of it: then two run.)
# Output    thread_pool_size 5:  at once in 3 bursts of 10: 1 1 1
#           thread_pool_size 20: at once in 3 bursts of 10: 1 1 1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install tremolo==0.5.3

cat >run.py <<'PY'
import sys
import threading
import time
from tremolo import Application

app = Application()
lock = threading.Lock()
running = 0

@app.route("/")
def ready(**server):
    return "ok"

@app.route("/slow")
def slow(**server):
    global running
    with lock:
        running += 1
        seen = running
    time.sleep(0.1)
    with lock:
        running -= 1
    return str(seen)

if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), worker_num=1, thread_pool_size=int(sys.argv[2]))
PY
cat >burst.py <<'PY'
import http.client
import sys

for _ in range(3):
    clients = [http.client.HTTPConnection("127.0.0.1", int(sys.argv[1])) for _ in range(10)]
    for client in clients:
        client.request("GET", "/slow", headers={"Connection": "close"})
    replies = [client.getresponse() for client in clients]
    assert all(reply.status == 200 for reply in replies)
    print(max(int(reply.read()) for reply in replies), end=" ")
print()
PY

for size in 5 20; do
    port=$(free_port)
    serve python3 run.py "$port" "$size"
    answers "$port"
    read -r -a most <<<"$(python3 burst.py "$port")"
    printf 'thread_pool_size %-3s at once in 3 bursts of 10: %s\n' "$size:" "${most[*]}"
    [ "${#most[@]}" = 3 ] || changed "not all bursts were answered"
    for number in "${most[@]}"; do [ "$number" -le 2 ] || changed "$number handlers ran at the same time"; done
done
