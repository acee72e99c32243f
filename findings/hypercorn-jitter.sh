#!/usr/bin/env bash
# hypercorn: --max-requests-jitter is as large as --max-requests, whatever it is given.
#
# Versions  hypercorn 0.18.0
# Source    hypercorn/__main__.py, main: `config.max_requests_jitter = args.max_requests`. worker_serve() then adds
#           randint(0, max_requests_jitter) to the limit.
# Guess     --max-requests 10 --max-requests-jitter 1: a worker ends after 10 or 11 requests, or one later, as a limit
#           that must be exceeded would have it. The help says: randomized by randint(0, max_requests_jitter).
# Seen      It ends after 11 to 21 requests. With 10000 and 100, memory that a worker may leak for 10,100 requests grows
#           for up to 20,000. From a configuration file, the jitter is what it should be.
# Output    --max-requests 10 --max-requests-jitter 1: 8 workers had 11 to 21 requests
#           the same in a file:                        8 workers had 11 to 12 requests
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install hypercorn==0.18.0

cat >views.py <<'PY'
import os

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    headers = [(b"content-length", b"%d" % len(str(os.getpid()))), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
PY
cat >lives.py <<'PY'
import http.client
import sys
import time
from collections import Counter

seen = Counter()
end = time.monotonic() + 25
while len(seen) < 10 and time.monotonic() < end:
    client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
    try:
        client.request("GET", "/")
        seen[client.getresponse().read()] += 1
    except (OSError, http.client.HTTPException):
        time.sleep(0.05)
    client.close()
lives = list(seen.values())[1:-1]
print(len(lives), min(lives), max(lives))
PY

look() { # what is set, hypercorn's arguments -> fewest and most requests of a worker
    local port
    port=$(free_port)
    serve hypercorn --bind "127.0.0.1:$port" "${@:2}" views:app
    answers "$port"
    read -r lives fewest most < <(python3 lives.py "$port")
    printf '%-42s %s workers had %s to %s requests\n' "$1:" "$lives" "$fewest" "$most"
    [ "$lives" = 8 ] || { echo "too few workers in 25 s" >&2; exit 2; }
}

look "--max-requests 10 --max-requests-jitter 1" --max-requests 10 --max-requests-jitter 1
[ "$most" -gt 13 ] || changed "expected more than 13"
printf 'max_requests = 10\nmax_requests_jitter = 1\n' >jitter.toml
look "the same in a file" --config jitter.toml
[ "$most" -le 13 ] || changed "expected 13 at most"
