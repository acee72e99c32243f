#!/usr/bin/env bash
# loadtest: with --timeout, a request that timed out counts a second time, as answered, when its answer comes.
#
# Versions  loadtest 8.2.1 (npm), Node 20; uvicorn 0.54.0 as the server
# Source    loadtest/lib/httpClient.js, makeRequest: at the time-out, finishRequest() counts an error and sends the next
#           request, but leaves this one open. At its end, finishRequest() is called again. Latency.end (latency.js)
#           adds one to totalRequests before it looks whether it knows the request. --maxRequests is compared with that
#           number, and the mean is divided by it.
# Guess     A server that takes 0.3 s, asked with --timeout 100: 20 of 20 requests are errors, whose mean is 100 ms.
# Seen      About half of them: 11 errors of 20 completed requests and a mean of 60 ms, less than any took. The longer
#           a server takes, the later its answers come, and the fewer of them are counted as good.
# Output    answers in 0.3 s, --timeout 100: 11 errors of 20 requests, mean 60 ms
#           answers in 10 s, --timeout 100:  20 errors of 20 requests, mean 101 ms
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0
node_install loadtest@8.2.1

cat >views.py <<'PY'
import asyncio

async def app(scope, receive, send):
    await asyncio.sleep(float(scope["query_string"] or 0))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

port=$(free_port)
serve uvicorn --lifespan off --no-access-log --port "$port" views:app
answers "$port"

look() { # seconds that an answer takes, loadtest's arguments -> errors, completed requests, mean in ms
    loadtest -n 20 -c 1 --cores 1 "${@:2}" "http://127.0.0.1:$port/?$1" >loadtest.out 2>&1 ||
        { cat loadtest.out >&2; exit 2; }
    errors=$(awk -F': +' '/^Total errors/ {print $2}' loadtest.out)
    completed=$(awk -F': +' '/^Completed requests/ {print $2}' loadtest.out)
    mean=$(awk -F'[: ]+' '/^Mean latency/ {print int($3)}' loadtest.out)
    printf '%-32s %s errors of %s requests, mean %s ms\n' "answers in $1 s, ${*:2}:" "$errors" "$completed" "$mean"
}

look 0.3 --timeout 100
[ "$errors" -le 15 ] || changed "expected about 11 errors"
[ "$mean" -lt 100 ] || changed "expected a mean below the time-out"
look 10 --timeout 100
[ "$errors" = 20 ] || changed "expected 20 errors"
[ "$mean" -ge 100 ] || changed "expected a mean of 100 ms"
