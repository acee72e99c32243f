#!/usr/bin/env bash
# uvicorn --workers 2: a view may block its worker for 12 s, but not with a single C call: that is killed after 5 s.
#
# Versions  uvicorn 0.54.0, CPython 3.11
# Source    uvicorn/supervisors/multiprocess.py: Multiprocess.keep_subprocess_alive pings each worker twice a second,
#           and kills one that does not answer within timeout_worker_healthcheck (5 s). A thread answers in the worker
#           (Process.always_pong), not its event loop. So a loop that is blocked answers. It does not if one call keeps
#           the GIL, as most functions written in C do: sum() over a range, sorting, a large integer, a pattern's
#           search.
# Guess     The health check looks for workers that do not respond: all that block the event loop for longer are killed,
#           as by gunicorn's --timeout, whatever it is that they do.
# Seen      time.sleep() and a loop in Python may block a worker for as long as they like, with all of its requests. One
#           C call of more than 5 s gets SIGKILL: its client, and all others of that worker, get nothing. The log has
#           "Child process died", and no reason. Without --workers there is no check, and it is answered.
# Output    2 workers, time.sleep(12):           answered 200 after 12 s
#           2 workers, Python's loop of 12 s:    answered 200 after 12 s
#           2 workers, one C call of about 12 s: got nothing (curl's status 52) after 5 s
#           1 process, one C call of about 12 s: answered 200 after 13 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0

cat >views.py <<'PY'
import os
import time

def sleep():
    time.sleep(12)

def loop():
    end = time.monotonic() + 12
    while time.monotonic() < end:
        pass

def call():
    sum(range(int(os.environ["NUMBERS"])))

async def app(scope, receive, send):
    {"/sleep": sleep, "/loop": loop, "/call": call}.get(scope["path"], int)()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

# how many numbers this machine adds up in 12 s, now; the shortest of five tries, so that it takes no less later
NUMBERS=$(python3 -c '
import timeit
print(int(12 * 10_000_000 / min(timeit.repeat("sum(range(10_000_000))", number=1, repeat=5))))')
export NUMBERS

start() { # uvicorn's arguments
    port=$(free_port)
    serve uvicorn --lifespan off --port "$port" "$@" views:app
    answers "$port"
}

ask() { # what is measured, path -> what the client got
    local got status=0
    got=$(curl --silent --max-time 120 --output /dev/null --write-out 'answered %{http_code} after %{time_total}' \
        "http://127.0.0.1:$port/$2") || status=$?
    [ "$status" = 0 ] || got="got nothing (curl's status $status) after ${got##* }"
    printf '%-36s %s s\n' "$1:" "${got%.*}"
    got=${got% after*}
    [ "$got" = "$3" ] || changed "expected: $3"
}

start --workers 2
ask "2 workers, time.sleep(12)" sleep "answered 200"
ask "2 workers, Python's loop of 12 s" loop "answered 200"
ask "2 workers, one C call of about 12 s" call "got nothing (curl's status 52)"
for _ in {1..100}; do # the client has known it a moment longer than the parent
    grep --quiet "Child process .* died" "$server_log" && break || sleep 0.1
done
grep --quiet "Child process .* died" "$server_log" || changed "the log does not say that a worker died"
start
ask "1 process, one C call of about 12 s" call "answered 200"
