#!/usr/bin/env bash
# locust: --spawn-rate N starts N users at once, once a second, and --spawn-rate 40 all 40 in the first instant.
#
# Versions  locust 2.47.0; uvicorn 0.54.0 as the server
# Source    locust/dispatch.py, UsersDispatcher.new_dispatch: a step has as many users as the whole part of the rate,
#           and lasts as long as they take at that rate. _dispatcher() starts a step's users first and waits afterwards.
# Guess     "Users per second", as the help has it: at 10 a second one each 0.1 s, so 4 after 0.4 s, 8 after 0.8 s and
#           14 after 1.4 s, as with JMeter's ramp-up.
# Seen      10 start at 0 s, 10 at 1 s, and so on. With constant_pacing() or constant_throughput() they stay in step:
#           what is asked for as a steady rate comes as a burst each second, and the queues that are measured are those
#           of bursts.
# Output    --spawn-rate 10: started after 0.4, 0.8 and 1.4 s: 10, 10, 20
#           --spawn-rate 40: started after 0.4, 0.8 and 1.4 s: 40, 40, 40
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install locust==2.47.0 uvicorn==0.54.0

cat >views.py <<'PY'
import time

async def app(scope, receive, send):
    if scope["path"] != "/":
        print("user", time.monotonic(), flush=True)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >once.py <<'PY'
from locust import HttpUser, constant, task

class Once(HttpUser):
    wait_time = constant(3600)

    @task
    def one(self):
        self.client.get("/started")
PY
cat >started.py <<'PY'
import sys

times = [float(line.split()[1]) for line in open(sys.argv[1]) if line.startswith("user ")]
print(*(sum(time - times[0] < end for time in times) for end in (0.4, 0.8, 1.4)))
PY

look() { # spawn rate -> how many users have started after 0.4, 0.8 and 1.4 s
    local port
    port=$(free_port)
    serve uvicorn --lifespan off --no-access-log --log-level warning --port "$port" views:app
    answers "$port"
    locust --locustfile once.py --headless --only-summary --users 40 --spawn-rate "$1" --run-time 4 \
        --host "http://127.0.0.1:$port" >locust.out 2>&1 || { cat locust.out >&2; exit 2; }
    found=$(python3 started.py "$server_log")
    read -r first second third <<<"$found"
    echo "--spawn-rate $1: started after 0.4, 0.8 and 1.4 s: $first, $second, $third"
}

look 10
[ "$found" = "10 10 20" ] || changed "expected 10, 10, 20"
look 40
[ "$found" = "40 40 40" ] || changed "expected 40, 40, 40"
