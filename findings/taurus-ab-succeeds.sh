#!/usr/bin/env bash
# Taurus with ab or siege: answers with status 500 are successes, and a pass/fail criterion on failures never fires.
#
# Versions  bzt 1.17.2 with ab 2.3 or siege 4.0.7 (Debian 12), of which one is enough; uvicorn 0.54.0 as the server
# Source    bzt/modules/ab.py, TSVDataReader._read: the file that ab writes with -g has no status, so status and error
#           of each sample are None. siege.py, DataLogReader._read, has read the status, and its error is None as well.
#           The aggregator counts as failed what has an error. What ab itself prints, "Non-2xx responses: 40", is not
#           read.
# Guess     What Taurus reports does not depend on the tool below: a status of 400 or more is a failure, as with Locust,
#           and `fail>10%` makes bzt end with 3.
# Seen      100 % success, and bzt ends with 0. A server that answers every request with 500, and is fast at that,
#           passes.
# Output    ab:    the server answered 40 with 500; bzt: 40 samples, 0.00% failures, ended with 0
#           siege: the server answered 40 with 500; bzt: 40 samples, 0.00% failures, ended with 0
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
command -v ab >/dev/null || command -v siege >/dev/null || { echo "neither ab nor siege is installed" >&2; exit 2; }
install bzt==1.17.2 uvicorn==0.54.0 --no-binary molotov,progressbar33 # of these there are no wheels

cat >views.py <<'PY'
async def app(scope, receive, send):
    status = 200 if scope["path"] == "/" else 500
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

port=$(free_port)
serve uvicorn --lifespan off --port "$port" views:app
answers "$port"

look() { # the tool
    local status=0 samples got
    cat >test.yml <<YML
execution:
- {executor: $1, concurrency: 2, iterations: 20, scenario: fails}
scenarios:
  fails: {requests: ["http://127.0.0.1:$port/$1"]}
reporting:
- {module: passfail, criteria: ["fail>10%, stop as failed"]}
settings: {check-updates: false, artifacts-dir: $here/$1}
YML
    HOME=$here bzt test.yml >bzt.out 2>&1 || status=$?
    samples=$(sed -n 's/.*Samples count: \([0-9]*\), \(.*failures\).*/\1 samples, \2/p' bzt.out | tail -n 1)
    [ -n "$samples" ] || { cat bzt.out >&2; exit 2; }
    got=$(grep -c "GET /$1 .*500" "$server_log")
    printf '%-6s the server answered %s with 500; bzt: %s, ended with %s\n' "$1:" "$got" "$samples" "$status"
    [ "$got" = 40 ] || changed "expected 40 requests"
    [ "$samples $status" = "40 samples, 0.00% failures 0" ] || changed "expected 40 samples, 0.00% failures"
}

for tool in ab siege; do
    if command -v "$tool" >/dev/null; then look "$tool"; fi
done
