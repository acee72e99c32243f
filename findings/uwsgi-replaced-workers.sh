#!/usr/bin/env bash
# uWSGI --max-requests: under load, all workers are replaced at once, and nothing is answered for up to a second.
#
# Versions  pyuwsgi 2.0.30.post1 (uWSGI 2.0.30)
# Source    core/utils.c, uwsgi_close_request: the number is looked at from min_worker_lifetime (10 s) on, so that all
#           workers that have had it by then end with their next request, together. core/master.c, master_loop: looks
#           with waitpid(WNOHANG) for those that have ended, and sleeps in event_queue_wait() for check_interval, whole
#           seconds, at least 1. SIGCHLD is not among what ends that sleep.
# Guess     Workers reach the number one by one, the others answer meanwhile, and the master, which gets SIGCHLD and
#           has loaded the application, has forked the next one within a few milliseconds.
# Seen      In the eleventh second both are gone. Requests wait until the master wakes up, which depends on the fraction
#           of a second at which it was started: four that were started a quarter of a second apart show it. A longer
#           --check-interval ("interval of master checks") lengthens the wait by as much. Nothing warns of it.
# Output    --max-requests 20, two processes, one client that asks about 80 times a second for 14 s:
#           started at a moment:   longest wait 0.5 s
#           0.25 s later:          longest wait 0.4 s
#           0.50 s later:          longest wait 0.2 s
#           0.75 s later:          longest wait 0.9 s (the four differ from run to run)
#           --check-interval 4:    longest wait 2.6 s (2 to 3)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install pyuwsgi==2.0.30.post1

cat >views.py <<'PY'
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
cat >longest.py <<'PY'
import http.client
import sys
import time

longest = 0
end = time.monotonic() + 14
while (then := time.monotonic()) < end:
    client = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
    client.request("GET", "/")
    assert client.getresponse().read() == b"ok"
    client.close()
    longest = max(longest, time.monotonic() - then)
    time.sleep(0.01)
print(f"{longest:.1f}")
PY

names=() ports=() clients=()
begin() { # what is looked at, server, its arguments
    names+=("$1")
    serve "${@:2}"
    ports+=("$port")
    port=$(free_port)
}
uwsgi=(uwsgi --master --need-app --processes 2 --max-requests 20 --disable-logging --wsgi-file views.py --http-socket)

port=$(free_port)
begin "started at a moment" "${uwsgi[@]}" "127.0.0.1:$port"
sleep 0.25
begin "0.25 s later" "${uwsgi[@]}" "127.0.0.1:$port"
sleep 0.25
begin "0.50 s later" "${uwsgi[@]}" "127.0.0.1:$port"
sleep 0.25
begin "0.75 s later" "${uwsgi[@]}" "127.0.0.1:$port"
begin "--check-interval 4" "${uwsgi[@]}" "127.0.0.1:$port" --check-interval 4
for n in "${!names[@]}"; do
    answers "${ports[n]}"
    python3 longest.py "${ports[n]}" >"longest.$n" &
    clients+=("$!")
done
for n in "${!names[@]}"; do
    wait "${clients[n]}" || exit 2
    printf '%-22s longest wait %s s\n' "${names[n]}:" "$(<"longest.$n")"
done
cat longest.[0-3] | awk '$1 >= 0.3 { found = 1 } END { exit !found }' || changed "expected one of 0.3 s or more"
awk '$1 < 1.5 { exit 1 }' longest.4 || changed "expected 1.5 s or more"
