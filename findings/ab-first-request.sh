#!/usr/bin/env bash
# ab: the first request goes alone, so `-n 10 -c 10` never has ten at once, and `-n 2 -c 2` asks one after the other.
#
# Versions  ab 2.3 of Apache 2.4.71 (Debian 12), and the main branch by its source; uvicorn 0.54.0 as the server
# Source    support/ab.c: one connection is started. The others are started when the head of its first answer has been
#           read (read_response() in the main branch: "so we know this destination socket address is working").
# Guess     -c is the "Number of multiple requests to make at a time": ten requests of 1 s on ten connections take 1 s,
#           and the server sees ten at once.
# Seen      They take 2 s, and the server sees nine. With two, it sees one: a server that can do two at once looks like
#           one that cannot. The slower the answers, the longer a test has one request in flight. Nothing in the report
#           tells of it.
# Output    ab -n 10 -c 10: 2.0 s, most at once: 9
#           ab -n 2 -c 2:   2.0 s, most at once: 1
#           Python, 10:     1.0 s, most at once: 10
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
command -v ab >/dev/null || { echo "ab is not installed" >&2; exit 2; }
install uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio

running = most = 0

async def app(scope, receive, send):
    global running, most
    body = b"ok"
    if scope["path"] == "/most": # and begin anew
        body, most = b"%d" % most, 0
    elif scope["path"] != "/":
        running += 1
        most = max(most, running)
        await asyncio.sleep(1)
        running -= 1
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
PY
cat >client.py <<'PY'
import asyncio
import sys
import time

async def ask():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    writer.write(b"GET /second HTTP/1.0\r\nHost: localhost\r\n\r\n")
    await reader.read()
    writer.close()

async def main():
    then = time.monotonic()
    await asyncio.gather(*(ask() for _ in range(10)))
    print(f"{time.monotonic() - then:.3f}")

asyncio.run(main())
PY

port=$(free_port)
serve uvicorn --lifespan off --no-access-log --port "$port" views:app
answers "$port"

look() { # what is looked at, seconds, how many at once are expected
    local most
    most=$(curl --silent --max-time 10 "http://127.0.0.1:$port/most") || exit 2
    printf '%-15s %.1f s, most at once: %s\n' "$1:" "$2" "$most"
    [ "$most" = "$3" ] || changed "expected $3 at once"
}

bench() { # requests, connections; the seconds that the test took are then in $seconds
    ab -q -n "$1" -c "$2" "http://127.0.0.1:$port/second" >ab.out 2>&1 || { cat ab.out >&2; exit 2; }
    seconds=$(sed -n 's/^Time taken for tests: *\([0-9.]*\) .*/\1/p' ab.out)
    [ -n "$seconds" ] || { cat ab.out >&2; exit 2; }
}

bench 10 10
look "ab -n 10 -c 10" "$seconds" 9
bench 2 2
look "ab -n 2 -c 2" "$seconds" 1
seconds=$(python3 client.py "$port")
look "Python, 10" "$seconds" 10
