#!/usr/bin/env bash
# autocannon: where the server closes each connection, as gunicorn does, latencies grow to half of the test's length.
#
# Versions  autocannon 9.0.0, Node 20; gunicorn 27.0.1 with its default worker
# Source    autocannon/lib/httpClient.js: after each answer, _doRequest() writes the next request to the connection, be
#           there `Connection: close` in the answer or not. When its end comes, _connect() writes one more to a new
#           connection. The first of the two remains in pendingRequests (pipelinedRequestsQueue.js), and the next answer
#           is put down to the oldest there. So each answer leaves another one, and its time is that since a request
#           half of the test ago. --amount counts what was written.
# Guess     An answer that takes 50 ms has a latency of 50 ms, plus that of a new connection, as in ab and wrk.
#           --amount 40 sends 40 requests.
# Seen      Of 40 requests the server gets 20, and the test ends as if all had been answered. Their latency grows by
#           about 27 ms with each, without an error. A test of 12 s reports a median of 3 s and a maximum of 6 s.
# Output    autocannon, --amount 40: the server got 20; median 297 ms, longest 588 ms, errors 0
#           Python, 40 requests:     the server got 40; median 52 ms, longest 54 ms
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1
node_install autocannon@9.0.0

cat >plain.py <<'PY'
import time

def app(environ, start_response):
    if environ["PATH_INFO"] != "/":
        time.sleep(0.05)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
cat >client.py <<'PY'
import http.client
import sys
import time

took = []
for _ in range(40):
    client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    start = time.perf_counter()
    client.request("GET", "/python")
    client.getresponse().read()
    took.append(1000 * (time.perf_counter() - start))
    client.close()
print(f"{sorted(took)[19]:.0f} {max(took):.0f}")
PY

port=$(free_port)
serve gunicorn --no-control-socket --bind "127.0.0.1:$port" --access-logfile - plain:app
answers "$port"

autocannon --json --connections 1 --amount 40 "http://127.0.0.1:$port/cannon" >result.json 2>autocannon.log ||
    { cat autocannon.log >&2; exit 2; }
read -r median longest errors < <(node -p \
    "const r = require('./result.json'); [r.latency.p50, r.latency.max, r.errors + r.non2xx].join(' ')")
got=$(grep -c "GET /cannon" "$server_log")
echo "autocannon, --amount 40: the server got $got; median $median ms, longest $longest ms, errors $errors"
[ "$got" -le 21 ] || changed "expected 20 requests"
[ "$median" -ge 200 ] || changed "expected a median of 200 ms or more"
[ "$errors" = 0 ] || changed "expected no error"

read -r median longest < <(python3 client.py "$port")
got=$(grep -c "GET /python" "$server_log")
echo "Python, 40 requests:     the server got $got; median $median ms, longest $longest ms"
[ "$got" = 40 ] || changed "expected 40 requests"
[ "$median" -lt 150 ] || changed "expected a median of about 50 ms"
