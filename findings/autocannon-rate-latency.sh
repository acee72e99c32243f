#!/usr/bin/env bash
# autocannon: with --overallRate, answers that all take 0.2 s have a median of 0.1 s.
#
# Versions  autocannon 9.0.0, hdr-histogram-js 3; Node 20; uvicorn 0.54.0 as the server
# Source    autocannon/lib/run.js, onResponse: with a rate, each latency is recorded with an expected interval, so that
#           requests which a slow answer delayed are counted, too. The interval is Math.ceil(1 / rate), but the
#           latencies are in milliseconds: it is 1 ms for every rate, where 1,000 / rate was meant.
# Guess     At two requests a second for each connection, answers within half a second delay nothing, so nothing is
#           added, as in wrk2: the percentiles are those of the answers.
# Seen      An answer of 200 ms is recorded 200 times, as 200, 199, 198 ... 1 ms, so percentiles are of times that no
#           request took. Where one answer in five takes 400 ms and the others next to nothing, the median is about
#           180 ms. Without a rate it is right, and with --ignoreCoordinatedOmission, against which its documentation
#           advises.
# Output    all 200 ms, no rate:          median 202 ms of 24 latencies
#           all 200 ms, rate:             median 104 ms of 2050 latencies
#           one in five 400 ms, no rate:  median 1 ms of 60 latencies
#           one in five 400 ms, rate:     median 176 ms of 978 latencies
#           one in five 400 ms, rate, -C: median 2 ms of 10 latencies
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0
node_install autocannon@9.0.0

cat >views.py <<'PY'
import asyncio
import itertools

count = itertools.count()

async def app(scope, receive, send):
    if scope["path"] == "/even":
        await asyncio.sleep(0.2)
    if scope["path"] == "/uneven":
        await asyncio.sleep(0.4 if next(count) % 5 == 3 else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

port=$(free_port)
serve uvicorn --lifespan off --no-access-log --port "$port" views:app
answers "$port"

look() { # what is measured, path, autocannon's arguments -> median in ms
    autocannon --json --connections 1 --duration 5 "${@:3}" "http://127.0.0.1:$port/$2" >result.json 2>autocannon.log ||
        { cat autocannon.log >&2; exit 2; }
    read -r median all < <(node -p "const r = require('./result.json').latency; [r.p50, r.totalCount].join(' ')")
    printf '%-29s median %s ms of %s latencies\n' "$1:" "$median" "$all"
}

look "all 200 ms, no rate" even
[ "$median" -ge 200 ] || changed "expected 200 ms or more"
look "all 200 ms, rate" even --overallRate 2
[ "$median" -le 180 ] || changed "expected less than any answer took"
look "one in five 400 ms, no rate" uneven
[ "$median" -le 50 ] || changed "expected a few ms"
look "one in five 400 ms, rate" uneven --overallRate 2
[ "$median" -gt 50 ] || changed "expected about 180 ms"
look "one in five 400 ms, rate, -C" uneven --overallRate 2 --ignoreCoordinatedOmission
[ "$median" -le 50 ] || changed "expected a few ms"
