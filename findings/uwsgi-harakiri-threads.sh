#!/usr/bin/env bash
# uWSGI --harakiri with --threads: a request that hangs is never ended as long as the other threads have requests.
#
# Versions  pyuwsgi 2.0.30.post1 (uWSGI 2.0.30); the main branch as of 2025 has an instant for each thread
# Source    core/utils.c: set_harakiri() writes the instant at which it is due to workers[].harakiri, of which there is
#           one for each process, not for each thread. wsgi_req_recv() and wsgi_req_async_recv() set it when a request
#           comes, and uwsgi_close_request() clears it when any request ends. The master compares it once a second.
# Guess     A request that takes longer than 2 s costs its process, and so the requests of the other threads. The quick
#           ones have no influence on that.
# Seen      It is as guessed on an idle server, as in a test. With a quick request every 0.2 s, the other one ends by
#           itself after 10 s, and its client gets 200: each quick one has cleared the instant. If all threads but one
#           hang, and that one has traffic, none of them is ended.
# Output    nothing else:             the request of 10 s was ended after 1 s (curl's status 52)
#           a quick one every 0.2 s:  the request of 10 s was answered after 10 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install pyuwsgi==2.0.30.post1

cat >plain.py <<'PY'
import time

def application(environ, start_response):
    if environ["PATH_INFO"] == "/long":
        time.sleep(10)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY

look() { # seconds between quick requests, or nothing
    local port client status=0
    port=$(free_port)
    serve pyuwsgi --http-socket "127.0.0.1:$port" --wsgi-file plain.py --master --threads 2 --harakiri 2 --die-on-term
    answers "$port"
    curl --silent --max-time 60 --output /dev/null --write-out '%{time_total}' "http://127.0.0.1:$port/long" >took &
    client=$!
    while ! ended "$client"; do
        [ -z "$1" ] || curl --silent --max-time 20 --output /dev/null "http://127.0.0.1:$port/" || true
        sleep "${1:-0.1}"
    done
    wait "$client" || status=$?
    found="answered after $(cut -d. -f1 took) s"
    [ "$status" = 0 ] || found="ended after $(cut -d. -f1 took) s (curl's status $status)"
}

look ""
echo "nothing else:             the request of 10 s was $found"
[[ "$found" == ended* ]] || changed "harakiri does not end it"
grep --quiet "HARAKIRI ON WORKER" "$server_log" || changed "the log has no harakiri"
look 0.2
echo "a quick one every 0.2 s:  the request of 10 s was $found"
[[ "$found" == answered* ]] || changed "harakiri ends it"
! grep --quiet "HARAKIRI ON WORKER" "$server_log" || changed "the log has a harakiri"
