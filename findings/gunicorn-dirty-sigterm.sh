#!/usr/bin/env bash
# gunicorn with dirty workers: SIGTERM ends their calls at once, so that each request that waits for one fails.
#
# Versions  gunicorn 27.0.1 (dirty workers since 25.0)
# Source    gunicorn/arbiter.py, Arbiter.stop: the dirty arbiter gets its signal in front of the workers, and does not
#           wait for them. gunicorn/dirty/arbiter.py, stop(): cancels the tasks that wait for the answers of the dirty
#           workers (worker_consumers) before it tells those to end; the connections of the web workers end with its
#           loop. Arbiter.reload, at SIGHUP, waits for the old workers before the dirty arbiter is told.
# Guess     A request that waits for a dirty call is among those that SIGTERM lets end within --graceful-timeout, and
#           --dirty-graceful-timeout (30 s, too) gives the dirty workers "this much time to finish their current tasks".
# Seen      The call fails in the view within a moment, with DirtyProtocolError ("Connection closed"), and its client
#           gets what the view makes of that. The same work in the view itself is waited for. So each restart fails
#           the longest work, which is what dirty workers are made for. SIGHUP fails none.
# Output    the view sleeps, SIGTERM:       answered: done
#           a dirty worker sleeps, SIGHUP:  answered: done
#           a dirty worker sleeps, SIGTERM: answered: DirtyProtocolError
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1

cat >views.py <<'PY'
import pathlib
import time

from gunicorn.dirty import DirtyApp, DirtyError, get_dirty_client

class Slow(DirtyApp):
    def work(self, mark):
        pathlib.Path(mark).touch()
        time.sleep(5)
        return "done"

def app(environ, start_response):
    body = "ok"
    way, _, mark = environ["PATH_INFO"].strip("/").partition("/")
    if way == "view":
        body = Slow().work(mark)
    elif way == "dirty":
        try:
            body = get_dirty_client().execute("views:Slow", "work", mark)
        except DirtyError as error:
            body = type(error).__name__
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body.encode()]
PY

look() { # what is looked at, way, signal, what is expected
    local port mark=$2-$3 client
    port=$(free_port)
    TMPDIR=$here serve gunicorn --no-control-socket --bind "127.0.0.1:$port" --threads 4 --dirty-app views:Slow \
        --dirty-workers 1 views:app
    answers "$port"
    for _ in {1..300}; do grep --quiet "Dirty worker .* listening" "$server_log" && break || sleep 0.1; done
    curl --silent --max-time 60 "http://127.0.0.1:$port/$2/$mark" >"$mark.out" &
    client=$!
    for _ in {1..300}; do [ -e "$mark" ] && break || sleep 0.1; done
    [ -e "$mark" ] || { cat "$server_log" >&2; exit 2; }
    kill -s "$3" "$server"
    wait "$client" || exit 2
    found=$(cat "$mark.out")
    printf '%-31s answered: %s\n' "$1:" "$found"
    [ "$found" = "$4" ] || changed "expected $4"
    kill "$server" 2>/dev/null || true
    for _ in {1..400}; do ended "$server" && break || sleep 0.1; done
}

look "the view sleeps, SIGTERM" view TERM done
look "a dirty worker sleeps, SIGHUP" dirty HUP done
look "a dirty worker sleeps, SIGTERM" dirty TERM DirtyProtocolError
