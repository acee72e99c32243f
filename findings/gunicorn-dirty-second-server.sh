#!/usr/bin/env bash
# gunicorn with dirty workers: a second one on the machine breaks the first one's dirty calls, if the names are equal.
#
# Versions  gunicorn 27.0.1 (dirty workers since 25.0)
# Source    gunicorn/arbiter.py: _cleanup_orphaned_dirty_arbiter() ends the process whose number is in
#           gunicorn-dirty-NAME.pid of the temporary folder, as one that a crash left behind, without a look whether
#           its parent lives. NAME is proc_name, by default the application as it was given, "views:app".
#           spawn_dirty_arbiter() then replaces the one that ended, with a socket in a new folder, and tells the path to
#           its own process only (set_dirty_socket_path); workers that were forked before have the old one.
# Guess     Two services of one user on two ports, both "main:app" or "wsgi:app", have nothing to do with each other.
#           What ends of gunicorn's processes is replaced, and works.
# Seen      When the second starts, each dirty call of the first fails with DirtyConnectionError, and so it remains,
#           although its dirty arbiter was replaced within a second. SIGHUP helps, since new workers know the new
#           socket. The second one's log has "Killing orphaned dirty arbiter". With a --name for each service, they
#           leave each other alone.
# Output    one alone:                        a dirty call is answered
#           a second with another --name:     a dirty call is answered
#           a second, the same application:   DirtyConnectionError, DirtyConnectionError 5 s later; its dirty arbiter
#                                             was replaced
#           SIGHUP to the first:              a dirty call is answered
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1

cat >views.py <<'PY'
from gunicorn.dirty import DirtyApp, DirtyError, get_dirty_client

class Short(DirtyApp):
    def work(self):
        return "a dirty call is answered"

def app(environ, start_response):
    body = "ok"
    if environ["PATH_INFO"] != "/":
        try:
            body = get_dirty_client().execute("views:Short", "work")
        except DirtyError as error:
            body = type(error).__name__
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body.encode()]
PY
export TMPDIR=$here

begin() { # more arguments: a gunicorn with a dirty worker that listens
    port=$(free_port)
    serve gunicorn --no-control-socket --bind "127.0.0.1:$port" --dirty-app views:Short --dirty-workers 1 "$@" views:app
    answers "$port"
    listening "$server_log" 1
}

listening() { # log, how many: wait until so many dirty workers have listened
    for _ in {1..300}; do
        [ "$(grep --count "Dirty worker .* listening" "$1" || true)" -ge "$2" ] && return || sleep 0.1
    done
    cat "$1" >&2
    exit 2
}

ask() { curl --silent --fail --max-time 30 "http://127.0.0.1:$first_port/call" || exit 2; }

told() { # what is looked at, what was found, what is expected
    printf '%-33s %s\n' "$1:" "$2"
    [ "$2" = "$3" ] || changed "expected $3"
}

begin
first=$server first_port=$port first_log=$server_log
told "one alone" "$(ask)" "a dirty call is answered"
begin --name other
told "a second with another --name" "$(ask)" "a dirty call is answered"
begin
listening "$first_log" 2
found=$(ask)
sleep 5
found+=", $(ask) 5 s later; its dirty arbiter was replaced"
told "a second, the same application" "$found" \
    "DirtyConnectionError, DirtyConnectionError 5 s later; its dirty arbiter was replaced"
kill -s HUP "$first"
listening "$first_log" 3
told "SIGHUP to the first" "$(ask)" "a dirty call is answered"
