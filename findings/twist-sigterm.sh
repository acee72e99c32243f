#!/usr/bin/env bash
# twist web --wsgi: SIGTERM in the middle of a request closes its connection at once, and the process never ends.
#
# Versions  Twisted 26.10.0; waitress 3.0.2 and gunicorn 27.0.1 for comparison
# Source    twisted/web/wsgi.py, _WSGIResponse.write: hands each part of an answer to the reactor's thread, and waits
#           there until that has taken it (blockingCallFromThread). twisted/web/tap.py, makeService: the threads are
#           stopped "after shutdown" of the reactor, by ThreadPool.stop (twisted/python/threadpool.py), which joins each
#           of them, on the reactor's own thread. So each waits for the other.
# Guess     As with waitress, which closes what it has and is gone, or as with gunicorn, which answers first.
# Seen      Its client gets nothing, and the process, which listens no more, is there until SIGKILL. Without a request
#           in flight, it ends at once. Ctrl-C does the same. So `docker stop` takes its whole 10 s, and a supervisor
#           that waits for the end of the old one before it starts the new one waits for ever.
# Output    gunicorn --threads 4, a request of 2 s: got 200, ended
#           waitress, a request of 2 s:             got nothing, ended
#           twist web --wsgi, none:                 ended
#           twist web --wsgi, a request of 2 s:     got nothing, still there 15 s later
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install twisted==26.10.0 waitress==3.0.2 gunicorn==27.0.1

cat >views.py <<'PY'
import pathlib
import time

def app(environ, start_response):
    if environ["PATH_INFO"] != "/":
        pathlib.Path("begun").touch()
        time.sleep(2)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
export PYTHONPATH=$here

look() { # what is looked at, what is expected, server, its arguments
    local client="" found=""
    rm -f begun
    serve "${@:3}"
    answers "$port"
    if [[ $1 == *request* ]]; then
        curl --silent --max-time 30 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port/slow" >got &
        client=$!
        for _ in {1..300}; do [ -e begun ] && break || sleep 0.1; done
        [ -e begun ] || { echo "the request did not begin" >&2; exit 2; }
    fi
    kill -TERM "$server"
    if [ -n "$client" ]; then
        if wait "$client"; then found="got $(<got), "; else found="got nothing, "; fi
    fi
    for _ in {1..150}; do ended "$server" && break || sleep 0.1; done
    found+=$(ended "$server" && echo ended || echo "still there 15 s later")
    printf '%-39s %s\n' "$1:" "$found"
    [ "$found" = "$2" ] || changed "expected: $2"
    kill -KILL "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
}

port=$(free_port)
look "gunicorn --threads 4, a request of 2 s" "got 200, ended" \
    gunicorn --no-control-socket --bind "127.0.0.1:$port" --threads 4 views:app
port=$(free_port)
look "waitress, a request of 2 s" "got nothing, ended" waitress-serve --listen "127.0.0.1:$port" views:app
port=$(free_port)
look "twist web --wsgi, none" ended twist web --listen "tcp:$port:interface=127.0.0.1" --wsgi views.app
port=$(free_port)
look "twist web --wsgi, a request of 2 s" "got nothing, still there 15 s later" \
    twist web --listen "tcp:$port:interface=127.0.0.1" --wsgi views.app
