#!/usr/bin/env bash
# locust: requests a second are those until the last answer: a server that stops after 1 s of 12 keeps its full rate.
#
# Versions  locust 2.47.0; uvicorn 0.54.0 as the server
# Source    locust/stats.py, StatsEntry.total_rps: num_requests is divided by last_request_timestamp - start_time, and
#           last_request_timestamp is set where a request is recorded, so by its answer. Those that have none are not
#           recorded: at the end of --run-time, their users are killed (--stop-timeout is 0), and HttpUser sets no time
#           limit of its own.
# Guess     60 requests in a run of 12 s are 5 a second, as in wrk and h2load, and those that wait at the end are
#           failures, or at least bring the rate down.
# Seen      60 a second, no failure, a good 99 % and status 0: of a server that stopped in the first minute of ten, the
#           summary, the CSV and the JSON tell the same as of one that worked until the end. The columns for the last
#           ten seconds (`_stats_history.csv`, the web page's chart) do fall to 0.
# Output    answers until the end:  480 requests, 51 requests/s in a run of 12 s, 0 failures, ended with 0
#           stops after 60 answers: 60 requests, 60 requests/s in a run of 12 s, 0 failures, ended with 0
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install locust==2.47.0 uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio

asked = 0

async def app(scope, receive, send):
    global asked
    asked += scope["path"] == "/stops"
    if asked > 60:
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >users.py <<'PY'
import os

from locust import HttpUser, constant_pacing, task

class Steady(HttpUser):
    wait_time = constant_pacing(0.2)

    @task
    def one(self):
        self.client.get(os.environ["ASKED"])
PY

port=$(free_port)
serve uvicorn --timeout-graceful-shutdown 1 --lifespan off --no-access-log --log-level error --port "$port" views:app
answers "$port"

look() { # what is looked at, path, the least and the most requests
    local status=0 count failures rate
    rm -f told_stats.csv
    ASKED=$2 locust --locustfile users.py --headless --only-summary --users 10 --spawn-rate 10 --run-time 12 \
        --csv told --host "http://127.0.0.1:$port" >locust.out 2>&1 || status=$?
    [ -e told_stats.csv ] || { cat locust.out >&2; exit 2; }
    read -r count failures rate < <(python3 -c 'import csv; r = list(csv.DictReader(open("told_stats.csv")))[-1]
print(r["Request Count"], r["Failure Count"], round(float(r["Requests/s"])))')
    printf '%-23s %s requests, %s requests/s in a run of 12 s, %s failures, ended with %s\n' \
        "$1:" "$count" "$rate" "$failures" "$status"
    [ "$count" -ge "$3" ] && [ "$count" -le "$4" ] || changed "expected $3 to $4 requests"
    [ "$rate" -ge 35 ] || changed "expected about 50 requests/s"
    [ "$failures $status" = "0 0" ] || changed "expected no failure, and 0"
}

look "answers until the end" /works 120 620
look "stops after 60 answers" /stops 60 60
