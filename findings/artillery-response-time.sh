#!/usr/bin/env bash
# Artillery: http.response_time ends with the first byte and begins with the connection: what takes long is left out.
#
# Versions  artillery 2.0.34 (npm; its 600 packages may take minutes to install), Node 20; uvicorn 0.54.0 as the server
# Source    @artilleryio/int-core/lib/engine_http.js, _handleResponse: records res.timings.phases.firstByte, one of the
#           phases of got's timings. Those before it, among them the wait for a free connection of config.http.pool, and
#           the download after it are left out. http.total has them all, if ARTILLERY_EXTENDED_HTTP_METRICS is set.
# Guess     From the moment at which a virtual user asks to the end of its answer, as with Locust, hey and ab.
# Seen      An answer that streams for 1 s has a response time of a few ms. With a pool of one connection and ten users,
#           each answered in 0.3 s, the last one waits for 2 s, and the report has 0.3 s for all: the queue is missing
#           from the percentiles. Only vusers.session_length tells.
# Output    streamed for 1 s:              longest response time 23 ms, shortest session 1028 ms
#           0.3 s, pool of 1 for 10 users: longest response time 314 ms, longest session 2295 ms
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0
node_install artillery@2.0.34
export ARTILLERY_DISABLE_TELEMETRY=true HOME=$here

cat >views.py <<'PY'
import asyncio

async def app(scope, receive, send):
    if scope["path"] == "/late":
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(5 if scope["path"] == "/stream" else 0):
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await asyncio.sleep(0.2)
    await send({"type": "http.response.body", "body": b"end"})
PY
port=$(free_port)
serve uvicorn --lifespan off --no-access-log --port "$port" views:app
answers "$port"

run() { # path, users, pool; milliseconds are then in $time_max, $session_min and $session_max
    local responses
    cat >test.yml <<YML
config: {target: "http://127.0.0.1:$port", http: {pool: $3}, phases: [{duration: 1, arrivalCount: $2}]}
scenarios: [{flow: [get: {url: "/$1"}]}]
YML
    timeout 120 artillery run --quiet --output report.json test.yml >artillery.out 2>&1 ||
        { cat artillery.out >&2; exit 2; }
    python3 - >numbers <<'PY' || exit 2
import json

result = json.load(open("report.json"))["aggregate"]
times = result["summaries"]["http.response_time"]
sessions = result["summaries"]["vusers.session_length"]
print(result["counters"]["http.responses"], *map(round, (times["max"], sessions["min"], sessions["max"])))
PY
    read -r responses time_max session_min session_max <numbers
    [ "$responses" = "$2" ] || { cat artillery.out >&2; exit 2; }
}

run stream 4 10
echo "streamed for 1 s:              longest response time $time_max ms, shortest session $session_min ms"
[ "$session_min" -ge 950 ] || changed "expected sessions of 1 s"
[ $((2 * time_max)) -le "$session_min" ] || changed "expected response times of a few ms"

run late 10 1
echo "0.3 s, pool of 1 for 10 users: longest response time $time_max ms, longest session $session_max ms"
[ "$session_max" -ge 1500 ] || changed "expected a session of 2 s"
[ $((2 * time_max)) -le "$session_max" ] || changed "expected response times of 0.3 s"
