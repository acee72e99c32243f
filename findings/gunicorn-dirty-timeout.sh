#!/usr/bin/env bash
# gunicorn --dirty-timeout: the call that takes too long is not ended, and those behind it time out in turn.
#
# Versions  gunicorn 27.0.1 (dirty workers since 25.0)
# Source    gunicorn/dirty/worker.py, DirtyWorker.execute: wait_for() gives up waiting for the executor's thread, which
#           works on. The heartbeat comes from the worker's event loop (_heartbeat_loop, twice in dirty_timeout), which
#           is free meanwhile, so murder_workers() of dirty/arbiter.py never finds the worker silent.
# Guess     "Workers silent for more than this many seconds are considered stuck and will be killed" (its
#           documentation): the caller gets its error, the worker is replaced, and the next call runs in a new one.
# Seen      The worker stays. Its thread is taken until the call returns by itself, so that calls of no length time out
#           as well: all of them, if it does not return. Nothing kills the worker, and the log has no "DIRTY WORKER
#           TIMEOUT".
# Output    a call of no length:   answered by the first worker
#           a call of 12 s:        DirtyTimeoutError
#           a call of no length:   DirtyTimeoutError
#           a call of no length:   DirtyTimeoutError
#           after 12 s:            answered by the first worker
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1

cat >views.py <<'PY'
import os
import pathlib
import time

from gunicorn.dirty import DirtyApp, DirtyError, get_dirty_client

class Slow(DirtyApp):
    def work(self, seconds):
        time.sleep(seconds)
        if seconds:
            pathlib.Path("returned").touch()
        return os.getpid()

def app(environ, start_response):
    body = "ok"
    if environ["PATH_INFO"] != "/":
        try:
            body = str(get_dirty_client().execute("views:Slow", "work", int(environ["QUERY_STRING"])))
        except DirtyError as error:
            body = "DirtyTimeoutError" if "timed out" in str(error) or "timeout" in str(error) else repr(error)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body.encode()]
PY

port=$(free_port)
serve gunicorn --no-control-socket --bind "127.0.0.1:$port" --threads 8 --dirty-app views:Slow --dirty-workers 1 \
    --dirty-timeout 2 views:app
answers "$port"
for _ in {1..300}; do grep --quiet "Dirty worker .* listening" "$server_log" && break || sleep 0.1; done
first=$(sed -n 's/.*Dirty worker \([0-9]*\) listening.*/\1/p' "$server_log")

ask() { # what is asked for, its seconds, what is expected
    local got
    got=$(curl --silent --max-time 60 "http://127.0.0.1:$port/work?$2") || exit 2
    [ "$got" != "$first" ] || got="answered by the first worker"
    printf '%-22s %s\n' "$1:" "$got"
    [ "$got" = "$3" ] || changed "expected: $3"
}

ask "a call of no length" 0 "answered by the first worker"
ask "a call of 12 s" 12 DirtyTimeoutError
for _ in 1 2; do ask "a call of no length" 0 DirtyTimeoutError; done
[ ! -e returned ] || { echo "this took more than 12 s" >&2; exit 2; }
for _ in {1..600}; do [ -e returned ] && break || sleep 0.1; done
[ -e returned ] || changed "the call of 12 s does not return"
sleep 1
ask "after 12 s" 0 "answered by the first worker"
! grep --quiet "DIRTY WORKER TIMEOUT" "$server_log" || changed "the worker is found silent"
