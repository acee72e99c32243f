#!/usr/bin/env bash
# gunicorn with dirty workers: SIGHUP loads no new code of theirs, nor of an application in the same module.
#
# Versions  gunicorn 27.0.1 (dirty workers since 25.0)
# Source    gunicorn/dirty/arbiter.py, DirtyArbiter.__init__: looks for an attribute `workers` of each dirty app's class
#           (get_app_workers_attribute), which imports its module. Arbiter.spawn_dirty_arbiter (gunicorn/arbiter.py)
#           makes that object before it forks, so the module is imported by the master, and each process that it forks
#           has it already, as with --preload. Besides, DirtyArbiter.reload spawns new dirty workers and then ends those
#           in list(self.workers.keys())[dirty_workers:]: the last in a dictionary that is in the order of their start,
#           so the new ones (manage_workers(), once a second, ends the oldest if it finds too many).
# Guess     SIGHUP starts new workers that import the application's new version, as without --preload, ends the old
#           ones, and does the same with the dirty workers.
# Seen      The dirty workers have the old code, those that SIGHUP starts and those that replace one that dies, too. The
#           log looks as after a good reload: spawned, initialized, exited. Where the application is in the module of
#           the dirty app, it is old in the new web workers as well, without any --preload. Only a restart loads both.
#           With a number of workers in --dirty-app (tasks:Tasks:1), the master imports nothing.
# Output    two modules, at the start:   web 1, dirty 1
#           SIGHUP with version 2:       web 2, dirty 1
#           a dirty worker is replaced:  web 2, dirty 1
#           one module, at the start:    web 1, dirty 1
#           SIGHUP with version 2:       web 1, dirty 1
#           tasks:Tasks:1, at the start: web 1, dirty 1
#           a dirty worker is replaced:  web 1, dirty 2
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1

version() { # write the modules, of the version given
    cat >tasks.py <<PY
from gunicorn.dirty import DirtyApp, get_dirty_client

class Tasks(DirtyApp):
    def about(self):
        return "dirty $1"

def app(environ, start_response, version=$1):
    body = "ok"
    if environ["PATH_INFO"] != "/":
        body = f"web {version}, " + get_dirty_client().execute("tasks:Tasks", "about")
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body.encode()]
PY
    cat >views.py <<PY
import tasks

def app(environ, start_response):
    return tasks.app(environ, start_response, $1)
PY
}

count() { grep --count "$1" "$server_log" || true; }

logged() { # wait until the log has so many lines with a text
    for _ in {1..300}; do
        [ "$(count "$1")" -ge "$2" ] && return || sleep 0.1
    done
    cat "$server_log" >&2
    exit 2
}

ask() { # the versions that answer
    curl --silent --fail --max-time 30 "http://127.0.0.1:$port/about" || { cat "$server_log" >&2; exit 2; }
}

look() { # what is looked at, what is expected
    local found
    found=$(ask)
    printf '%-28s %s\n' "$1:" "$found"
    [ "$found" = "$2" ] || changed "expected $2"
}

begin() { # what is looked at, dirty app, application
    version 1
    port=$(free_port)
    serve gunicorn --no-control-socket --bind "127.0.0.1:$port" --dirty-app "$2" --dirty-workers 1 "$3"
    answers "$port"
    logged "Dirty worker .* listening" 1
    look "$1, at the start" "web 1, dirty 1"
}

reload() { # what is expected
    version 2
    kill -s HUP "$server"
    logged "Spawned dirty worker" 2
    sleep 5 # who is told to end is told within a second, and a call may meet its end
    look "SIGHUP with version 2" "$1"
}

replace() { # what is expected
    local arbiter before
    version 2
    before=$(count "Dirty worker .* listening")
    arbiter=$(sed -n 's/.*Spawned dirty arbiter (pid: \([0-9]*\)).*/\1/p' "$server_log")
    for worker in $(family "$arbiter" | tail -n +2); do kill -s KILL "$worker"; done
    logged "Dirty worker .* listening" $((before + 1))
    look "a dirty worker is replaced" "$1"
}

stop() { # end the server, before the next one takes its pid file over
    kill "$server"
    for _ in {1..300}; do ended "$server" && break || sleep 0.1; done
}

export PYTHONDONTWRITEBYTECODE=1 TMPDIR=$here
begin "two modules" tasks:Tasks views:app
reload "web 2, dirty 1"
replace "web 2, dirty 1"
stop
begin "one module" tasks:Tasks tasks:app
reload "web 1, dirty 1"
stop
begin "tasks:Tasks:1" tasks:Tasks:1 views:app
replace "web 1, dirty 2"
