#!/usr/bin/env bash
# Artillery: http.response_time ends with the first byte and begins with the connection: what takes long is left out.
#
# Versions  artillery 2.0.34 (npm) with @artilleryio/int-core, Node 20; uvicorn 0.54.0 as the server
# Source    @artilleryio/int-core/lib/engine_http.js, _handleResponse: records res.timings.phases.firstByte, a phase of
#           its own in got's timings. The phases wait (for a free connection of config.http.pool), dns, tcp, tls, request
#           and download are recorded nowhere.
# Guess     From the moment at which a virtual user asks to the end of its answer, as with JMeter's elapsed, Locust, hey
#           and k6's waiting for a connection plus its http_req_duration.
# Seen      An answer that streams for 1 s has a response time of a few ms. With a pool of one connection and ten
#           users, each answered in 0.3 s, the last one waits for 2 s, and the report has 0.3 s for all. `ensure` and
#           p99 are about these times. Only vusers.session_length tells.
# Output    streamed for 1 s:                   longest response time 29 ms, shortest session 1003 ms
#           0.3 s, pool of 1 for 10 users:      longest response time 313 ms, longest session 2178 ms
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

run() { # path, users, pool; responses, response times and sessions (min, max) are then in $responses and so on
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
print(result["counters"]["http.responses"], *(round(each[key]) for each in (times, sessions) for key in ("min", "max")))
PY
    read -r responses time_min time_max session_min session_max <numbers
    [ "$responses" = "$2" ] || { cat artillery.out >&2; exit 2; }
}

run stream 4 10
echo "streamed for 1 s:              longest response time $time_max ms, shortest session $session_min ms"
[ "$session_min" -ge 950 ] || changed "expected sessions of 1 s"
[ "$time_max" -le 500 ] || changed "expected response times of a few ms"

run late 10 1
echo "0.3 s, pool of 1 for 10 users: longest response time $time_max ms, longest session $session_max ms"
[ "$session_max" -ge 1500 ] || changed "expected a session of 2 s"
[ "$time_min" -ge 250 ] && [ "$time_max" -le 900 ] || changed "expected response times of 0.3 s"
