#!/usr/bin/env bash
# Quart: while `def` views hold all threads, an `async def` view cannot connect to a name, not even localhost.
#
# Versions  quart 0.22.0, hypercorn 0.18.0, httpx 0.28.1 with anyio 4.16.0, CPython 3.11
# Source    quart/utils.py, run_sync: `def` views run in the loop's default executor, min(32, CPUs + 4) threads. So does
#           loop.getaddrinfo() (asyncio/base_events.py), which AnyIO calls for httpx, and behind the views that wait for
#           a thread. An address needs no thread (anyio's connect_tcp looks for one first).
# Guess     A full executor delays `def` views. `async def` views run in the loop, which is free, and so do their
#           connections. A connect time-out is about the other server.
# Seen      The async view gets ConnectTimeout after httpx's 5 s, although the server that it calls is idle and on the
#           same machine. The error blames that server. With its address instead of its name, it is answered at once.
#           Views of FastAPI and Starlette are not concerned: theirs are AnyIO's threads.
# Output    idle:             a name: answered 200
#           all threads held: an address: answered 200
#           all threads held: a name: ConnectTimeout after 5 s
#           let go:           a name: answered 200
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install quart==0.22.0 hypercorn==0.18.0 httpx==0.28.1 anyio==4.16.0

cat >views.py <<'PY'
import os
import pathlib
import time

import httpx
from quart import Quart

app = Quart(__name__)
running = 0

@app.get("/")
async def index():
    return str(running)

@app.get("/held")
def held():
    global running
    running += 1
    end = time.monotonic() + 60
    while not pathlib.Path("let-go").exists() and time.monotonic() < end:
        time.sleep(0.05)
    return "ok"

@app.get("/call/<host>")
async def call(host):
    then = time.monotonic()
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            answer = await client.get(f"http://{host}:{os.environ['OTHER']}/")
            return f"answered {answer.status_code}"
        except httpx.TimeoutException as error:
            return f"{type(error).__name__} after {time.monotonic() - then:.0f} s"
PY

export OTHER
OTHER=$(free_port)
serve python3 -m http.server --bind 127.0.0.1 "$OTHER" # the server that is called, idle
answers "$OTHER"
port=$(free_port)
serve hypercorn --bind "127.0.0.1:$port" views:app
answers "$port"

look() { # what is looked at, host, the answer's beginning
    local got
    got=$(curl --silent --max-time 60 "http://127.0.0.1:$port/call/$2") || exit 2
    printf '%-17s %s: %s\n' "$1:" "$([ "$2" = localhost ] && echo "a name" || echo "an address")" "$got"
    [[ $got == "$3"* ]] || changed "expected: $3"
}

look idle localhost "answered 200"
threads=$(python3 -c 'import os; print(min(32, (os.cpu_count() or 1) + 4))')
clients=()
hold 40 "$port"
for _ in {1..300}; do
    [ "$(curl --silent --max-time 5 "http://127.0.0.1:$port/")" = "$threads" ] && break || sleep 0.1
done
look "all threads held" 127.0.0.1 "answered 200"
look "all threads held" localhost "ConnectTimeout"
touch let-go
wait "${clients[@]}"
look "let go" localhost "answered 200"
