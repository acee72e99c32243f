#!/usr/bin/env bash
# supervisord: SIGTERM stops its programs one after another: three servers that need 5 s each take 15 s.
#
# Versions  supervisor 4.3.0, gunicorn 27.0.1
# Source    supervisor/supervisord.py: each program is a group of its own. ordered_stop_groups_phase_1() stops the last
#           group of the list only, and ordered_stop_groups_phase_2() takes it off when all its processes have stopped.
#           `supervisorctl stop all` calls stopAllProcesses() of rpcinterface.py, which tells each at once, then waits.
# Guess     Programs of the same priority get their signal together, as with `supervisorctl stop all`, so the end takes
#           as long as the slowest program, stopwaitsecs at most.
# Seen      The second server is told to stop when the first one has ended, and takes requests until then. With requests
#           that do not end, supervisord needs the sum of all stopwaitsecs.
# Output    three gunicorns, each with a request that does not end; stopwaitsecs=5
#           supervisorctl stop all: the first refuses connections, 0 others accept; all have ended after 5 s
#           SIGTERM:                the first refuses connections, 2 others accept; all have ended after 15 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install supervisor==4.3.0 gunicorn==27.0.1 packaging==26.3

cat >plain.py <<'PY'
import time

def app(environ, start_response):
    if environ["PATH_INFO"] != "/":
        print("request begun", flush=True)
        time.sleep(60)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY

accepts() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

look() { # what is looked at, how many others accept, the shortest and the longest time
    local then number others=0 seconds refused= stop
    ports=()
    printf '%s\n' "[supervisord]" "nodaemon=true" "logfile=$here/supervisord.log" "pidfile=$here/supervisord.pid" \
        "[unix_http_server]" "file=$here/control" "[supervisorctl]" "serverurl=unix://$here/control" \
        "[rpcinterface:supervisor]" \
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface" >conf
    for name in a b c; do
        ports+=("$(free_port)")
        printf '%s\n' "[program:$name]" "stopwaitsecs=5" "killasgroup=true" "redirect_stderr=true" \
            "stdout_logfile=$here/$name.log" \
            "command=gunicorn --no-control-socket --graceful-timeout 60 --bind 127.0.0.1:${ports[-1]} plain:app" >>conf
    done
    rm -f ./?.log
    serve supervisord -c conf
    for number in 0 1 2; do
        answers "${ports[number]}"
        curl --silent --max-time 60 --output /dev/null "http://127.0.0.1:${ports[number]}/held" &
    done
    for _ in {1..300}; do [ "$(cat ./?.log | grep -c "request begun")" = 3 ] && break || sleep 0.1; done
    then=$(date +%s%N)
    if [ "$1" = SIGTERM ]; then
        kill "$server"
        stop=$server
    else
        serve supervisorctl -c conf stop all
        stop=$server
    fi
    until [ "$refused" ]; do
        for number in "${ports[@]}"; do accepts "$number" || refused=$number; done
        ended "$stop" && break
    done
    sleep 1 # so that all that were told at the same time refuse, too
    for number in "${ports[@]}"; do ! accepts "$number" || ((others += 1)); done
    for _ in {1..600}; do ended "$stop" && break || sleep 0.1; done
    seconds=$(((($(date +%s%N) - then) / 100000000 + 5) / 10))
    for number in "${ports[@]}"; do ! accepts "$number" || changed "a server accepts after the end"; done
    printf '%-23s the first refuses connections, %s others accept; all have ended after %s s\n' "$1:" "$others" \
        "$seconds"
    [ "$others" = "$2" ] || changed "expected that $2 others accept"
    [ "$seconds" -ge "$3" ] && [ "$seconds" -le "$4" ] || changed "expected $3 to $4 s"
}

look "supervisorctl stop all" 0 4 11
kill "${roots[0]}"
for _ in {1..300}; do ended "${roots[0]}" && break || sleep 0.1; done
look "SIGTERM" 2 14 30
