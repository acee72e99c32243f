#!/usr/bin/env bash
# daphne: when an application raises at once, its client waits for the 500 until the next whole second of the server.
#
# Versions  daphne 4.2.3; uvicorn 0.54.0 for comparison
# Source    daphne/server.py, Server.application_checker: looks once a second for tasks that have ended, and only then
#           hands their exceptions to the protocol, which answers. Nothing is told when a task ends by itself.
# Guess     An exception in the first line of the application is answered with 500 as fast as a good request, in a few
#           milliseconds.
# Seen      It takes up to 1 s, half of that on average, with nothing else to do. A client that asks again as soon as it
#           has its answer gets one a second. So errors have the longest latencies of a load test.
# Output    uvicorn: 20 of 20 answers with status 500, median 2 ms, longest 6 ms
#           daphne:  20 of 20 answers with status 500, median 560 ms, longest 990 ms
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install daphne==4.2.3 uvicorn==0.54.0

cat >views.py <<'PY'
async def app(scope, receive, send):
    if scope["type"] != "http" or scope["path"] != "/":
        raise ValueError("as any bug would")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >client.py <<'PY'
import http.client
import sys
import threading
import time

took = []

def client():
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    start = time.perf_counter()
    connection.request("GET", "/raises")
    reply = connection.getresponse()
    reply.read()
    if reply.status == 500:
        took.append(1000 * (time.perf_counter() - start))
    connection.close()

threads = [threading.Thread(target=client) for _ in range(20)]
for thread in threads:
    thread.start()
    time.sleep(0.05)  # so that requests come at all times of a second
for thread in threads:
    thread.join()
print(len(took), round(sorted(took)[len(took) // 2]), round(max(took)))
PY

look() { # server, its arguments
    local port
    port=$(free_port)
    serve "$1" --port "$port" "${@:2}" views:app
    answers "$port"
    read -r errors median longest < <(python3 client.py "$port")
    printf '%-8s %s of 20 answers with status 500, median %s ms, longest %s ms\n' "$1:" "$errors" "$median" "$longest"
    [ "$errors" = 20 ] || changed "expected 20 answers with status 500"
}

look uvicorn --lifespan off --log-level critical
[ "$median" -le 100 ] || changed "expected a few ms"
look daphne
[ "$median" -ge 200 ] || changed "expected about 500 ms"
