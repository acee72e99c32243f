#!/usr/bin/env bash
# wrk --timeout: requests without an answer are in no figure, and late ones are in the rate, but in no latency.
#
# Versions  wrk 4.1.0 of Debian 12; uvicorn 0.54.0 as the server
# Source    src/wrk.c: cfg.timeout is nothing but the size of the table of latencies. response_complete() counts each
#           answer, and one that stats_record() has no place for is a "timeout". Nothing looks at requests that have no
#           answer yet.
# Guess     "Socket/request timeout": a request that is not answered in time is an error, and its connection is given up
#           and made again.
# Seen      A server that never answers leaves a report without an error, and wrk ends with 0. One that answers every
#           fifth request after 3 s has a longest latency far below the limit, and the late ones are among the requests
#           of the rate.
# Output    --timeout 1s, 8 s long, two connections
#           never answers:      0 requests, no socket errors, longest 0.00us; the server got 2; ended with 0
#           all after 3 s:      4 requests, timeout 4, longest 0.00us; the server got 6; ended with 0
#           one in 5 after 3 s: 28 requests, timeout 4, longest 26.76ms; the server got 30; ended with 0
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
command -v wrk >/dev/null || { echo "wrk is not installed" >&2; exit 2; }
install uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio
import os

asked = 0
late = os.environ["LATE"]

async def app(scope, receive, send):
    global asked
    body = b"%d" % asked
    if scope["path"] != "/":
        asked += 1
        if late == "never":
            await asyncio.sleep(60)
        await asyncio.sleep(3 if late == "all" or asked % 5 == 0 else 0.02)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
PY

look() { # what is looked at, which answers are late
    local port status=0
    port=$(free_port)
    serve env LATE="$2" uvicorn --lifespan off --no-access-log --timeout-graceful-shutdown 1 --port "$port" \
        views:app
    answers "$port"
    wrk -t 1 -c 2 -d 8s --timeout 1s "http://127.0.0.1:$port/asked" >report || status=$?
    requests=$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' report)
    timeouts=$(sed -n 's/.*Socket errors: connect 0, read 0, write 0, timeout \([0-9]*\)$/\1/p' report)
    longest=$(awk '$1 == "Latency" { print $4 }' report)
    asked=$(curl --silent --max-time 5 "http://127.0.0.1:$port/") || exit 2
    printf '%-19s %s requests, %s, longest %s; the server got %s; ended with %s\n' "$1:" "$requests" \
        "${timeouts:+timeout }${timeouts:-no socket errors}" "$longest" "$asked" "$status"
    [ "$status" = 0 ] || changed "expected status 0"
    [ -n "$timeouts" ] || ! grep -q "Socket errors" report || changed "other errors: $(grep "Socket errors" report)"
}

look "never answers" never
[ "$requests" = 0 ] && [ -z "$timeouts" ] && [ "$asked" = 2 ] || changed "expected 2 requests without a trace"
look "all after 3 s" all
[ "$requests" -ge 2 ] && [ "$timeouts" = "$requests" ] && [ "$longest" = 0.00us ] || changed "expected late ones only"
look "one in 5 after 3 s" some
[ "$timeouts" -ge 1 ] && [ "$requests" -gt "$timeouts" ] || changed "expected late requests and others"
[ $((asked - requests)) -le 2 ] || changed "expected that the late ones are among the requests"
[[ "$longest" = *ms ]] || changed "expected a longest latency below 1 s"
