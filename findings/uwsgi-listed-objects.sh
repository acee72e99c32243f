#!/usr/bin/env bash
# uWSGI: while anything has a list of all objects, threads that are new close their connections without an answer.
#
# Versions  pyuwsgi 2.0.30.post1, CPython 3.11, Linux
# Source    plugins/python/wsgi_subhandler.c, uwsgi_request_subhandler_wsgi(): every thread has a tuple of arguments
#           ready, and puts the environ of its first request into it with PyTuple_SetItem(). That fails while anything
#           else refers to the tuple, and gc.get_objects() refers to all tuples of the process.
# Guess     Looking for leaks (objgraph, pympler, gc.get_objects()) in a running server costs time and nothing else.
# Seen      While one request has such a list, the process's other threads that have had no request yet get closed
#           connections, without an HTTP status; a thread that fails stays new, and fails again. The log says: "unable
#           to set environ to the python application callable, consider using the holy env allocator".
# Output    beside a request that sleeps: 10 of 10 answered, 0 closed
#           beside one that has a list:   0 of 10 answered, 10 closed
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install pyuwsgi==2.0.30.post1

cat >objects.py <<'PY'
import gc
import time

def application(environ, start_response):
    if environ["PATH_INFO"] == "/list":
        kept = gc.get_objects()
    if environ["PATH_INFO"] != "/":
        time.sleep(3)  # what is done with the list
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY

start() { # a process without a request so far
    port=$(free_port)
    serve uwsgi --http-socket "127.0.0.1:$port" --wsgi-file objects.py --threads 2 --die-on-term
    for _ in {1..300}; do
        if grep --quiet "spawned uWSGI worker" "$server_log"; then return; fi
        sleep 0.1
    done
    cat "$server_log" >&2
    exit 2
}

ten() { # how many of ten requests are answered, and how many closed
    local status
    answered=0 closed=0
    for _ in {1..10}; do
        status=0
        curl --silent --max-time 5 --output /dev/null "http://127.0.0.1:$port/" || status=$?
        case $status in 0) answered=$((answered + 1)) ;; 52 | 56) closed=$((closed + 1)) ;; esac # nothing came; reset
    done
}

beside() { # path -> what becomes of ten requests while it is under way
    curl --silent --output /dev/null "http://127.0.0.1:$port/$1" &
    sleep 0.5 # its view runs
    ten
}

start
beside wait
echo "beside a request that sleeps: $answered of 10 answered, $closed closed"
[ "$answered" = 10 ] || changed "requests fail without a list"
start
beside list
echo "beside one that has a list:   $answered of 10 answered, $closed closed"
[ "$closed" = 10 ] || changed "requests are answered"
