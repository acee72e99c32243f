#!/usr/bin/env bash
# fastpysgi: an idle ASGI server never sleeps, and its own setting against that has no effect.
#
# Versions  fastpysgi 0.6, CPython's asyncio, Linux
# Source    fastwsgi/asgi.c, uni_loop (compiled into _fastpysgi): libuv is polled from a callback of asyncio's. After
#           50 idle turns it is to be called only every loop_timeout milliseconds, but not if uv_backend_timeout() is
#           zero or more. The service timer that fastwsgi/server.c starts (every 3 s) is always pending, so it is
#           always zero or more, and the callback puts itself into asyncio's queue at once.
# Guess     Idle, it waits in epoll. At worst it wakes up every 3 ms, the default of loop_timeout, and asking for 1,000
#           would make that once in a second.
# Seen      It is runnable all the time, whatever loop_timeout is. The same server with a WSGI application sleeps.
#           (Runnable = time on a core + time waiting for one, so that other programs do not change the figure.)
# Output    WSGI:                    runnable for 0 % of 2 s
#           ASGI, loop_timeout 3:    runnable for 100 % of 2 s
#           ASGI, loop_timeout 1000: runnable for 100 % of 2 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install fastpysgi==0.6

cat >run.py <<'PY'
import sys
import fastpysgi

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        for _ in range(2):
            message = await receive()
            await send({"type": message["type"] + ".complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

if sys.argv[3:]:
    fastpysgi.server.loop_timeout = int(sys.argv[3])
fastpysgi.run({"wsgi": wsgi, "asgi": asgi}[sys.argv[2]], host="127.0.0.1", port=int(sys.argv[1]))
PY
cat >runnable.py <<'PY'
import sys
import time

def looked():
    with open(f"/proc/{sys.argv[1]}/schedstat") as file:
        return sum(map(int, file.read().split()[:2])) / 1e9, time.monotonic()

first, then = looked()
time.sleep(2)  # the span that is measured
last, now = looked()
print(round(100 * (last - first) / (now - then)))
PY

look() { # interface [loop_timeout] -> percent of the time in which the idle server is runnable
    local port
    port=$(free_port)
    serve python3 run.py "$port" "$@"
    answers "$port"
    percent=$(python3 runnable.py "$server")
    kill "$server"
    wait "$server" || true
}

look wsgi
echo "WSGI:                    runnable for $percent % of 2 s"
[ "$percent" -le 10 ] || changed "an idle WSGI server no longer sleeps"
look asgi 3
echo "ASGI, loop_timeout 3:    runnable for $percent % of 2 s"
[ "$percent" -ge 90 ] || changed "the idle loop sleeps"
look asgi 1000
echo "ASGI, loop_timeout 1000: runnable for $percent % of 2 s"
[ "$percent" -ge 90 ] || changed "the idle loop sleeps"
