#!/usr/bin/env bash
# uWSGI stats: avg_rt, the average response time of a worker, is half that of its last request.
#
# Versions  pyuwsgi 2.0.30.post1 (uWSGI 2.0.30)
# Source    core/utils.c, uwsgi_close_request: avg_response_time = (avg_response_time + time of this request) / 2, after
#           each request. So the last one counts a half, the one before a quarter, and what was ten requests ago a
#           thousandth. uwsgitop's "AVG" and the exporters take it from there.
# Guess     The mean of the worker's requests since it started, like requests, tx and running_time beside it. Ten
#           requests of 0.3 s and ten of next to nothing have a mean of 150 ms.
# Seen      It is about 1 ms, and 300 ms if they come in the other order: a health check every few seconds is what is
#           seen on a dashboard, and one slow request looks like a slow worker. running_time / requests, of the same
#           answer, is the mean.
# Output    ten of 0.3 s, then ten quick ones: avg_rt 1 ms,   running_time / requests 151 ms
#           ten quick ones, then ten of 0.3 s: avg_rt 300 ms, running_time / requests 151 ms
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install pyuwsgi==2.0.30.post1

cat >views.py <<'PY'
import time

def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
cat >stats.py <<'PY'
import json
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    worker = json.load(connection.makefile())["workers"][0]
print(worker["requests"], round(worker["avg_rt"] / 1000), worker["running_time"])
PY

look() { # what is looked at, the least and the most milliseconds of avg_rt, paths
    local port stats path average count total before_count before_total mean
    port=$(free_port)
    stats=$(free_port)
    serve pyuwsgi --http-socket "127.0.0.1:$port" --stats "127.0.0.1:$stats" --wsgi-file views.py
    answers "$port"
    read -r before_count average before_total < <(python3 stats.py "$stats") || exit 2
    for path in "${@:4}"; do
        for _ in {1..10}; do
            curl --silent --fail --max-time 30 --output /dev/null "http://127.0.0.1:$port/$path" || exit 2
        done
    done
    read -r count average total < <(python3 stats.py "$stats") || exit 2
    mean=$(((total - before_total) / (count - before_count) / 1000))
    printf '%-34s avg_rt %s ms, running_time / requests %s ms\n' "$1:" "$average" "$mean"
    [ "$average" -ge "$2" ] && [ "$average" -le "$3" ] || changed "expected avg_rt of $2 to $3 ms"
    [ "$mean" -ge 145 ] || changed "expected a mean of 150 ms"
}

look "ten of 0.3 s, then ten quick ones" 0 60 slow quick
look "ten quick ones, then ten of 0.3 s" 290 600 quick slow
