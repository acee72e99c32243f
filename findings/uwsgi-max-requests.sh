#!/usr/bin/env bash
# uWSGI --max-requests 5: a worker handles as many requests as come in its first ten seconds, be it thousands.
#
# Versions  pyuwsgi 2.0.30.post1 (uWSGI 2.0.30)
# Source    core/utils.c, uwsgi_close_request: the number is looked at only if the request has ended min_worker_lifetime
#           seconds after the worker's start (core/init.c: 10). reload-on-rss and reload-on-as have the same condition.
# Guess     A worker is replaced after 5 requests, as with gunicorn's --max-requests. So a leak of 1 MB for each request
#           is bounded by 5 MB.
# Seen      All that come in the first ten seconds are handled by the same process, and the first one that ends after
#           them is its last. At 500 requests a second, --max-requests 1000 means 5,000. Nothing is logged. With
#           --min-worker-lifetime 0, it is 5.
# Output    --max-requests 5:                         60 requests by 1 process
#           --max-requests 5, 12 s later:             the next one was its last
#           --max-requests 5 --min-worker-lifetime 0: 60 requests by 13 processes
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install pyuwsgi==2.0.30.post1

cat >plain.py <<'PY'
import os

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
PY
cat >ask.py <<'PY'
import http.client
import sys

for _ in range(int(sys.argv[2])):
    client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    client.request("GET", "/")
    print(client.getresponse().read().decode())
    client.close()
PY

start() { # uWSGI's arguments
    port=$(free_port)
    serve pyuwsgi --http-socket "127.0.0.1:$port" --wsgi-file plain.py --master --max-requests 5 --die-on-term "$@"
    answers "$port"
}

start
begun=$(date +%s%N)
processes=$(python3 ask.py "$port" 60 | sort -u | wc -l)
took=$((($(date +%s%N) - begun) / 1000000))
printf '%-41s 60 requests by %s process%s\n' "--max-requests 5:" "$processes" "$([ "$processes" = 1 ] || echo es)"
[ "$took" -lt 5000 ] || { echo "60 requests took $took ms" >&2; exit 2; }
[ "$processes" = 1 ] || changed "expected 1 process"
sleep 12
processes=$(python3 ask.py "$port" 2 | sort -u | wc -l)
last="the next one was its last"
[ "$processes" = 2 ] || last="it handles more"
printf '%-41s %s\n' "--max-requests 5, 12 s later:" "$last"
[ "$processes" = 2 ] || changed "expected its end"
start --min-worker-lifetime 0
processes=$(python3 ask.py "$port" 60 | sort -u | wc -l)
printf '%-41s 60 requests by %s processes\n' "--max-requests 5 --min-worker-lifetime 0:" "$processes"
[ "$processes" -ge 12 ] || changed "expected 12 or more"
