#!/usr/bin/env bash
# uvicorn --workers 2: an application that takes more than 5 s to start cannot be replaced by SIGHUP, only by a restart.
#
# Versions  uvicorn 0.54.0
# Source    uvicorn/supervisors/multiprocess.py: Multiprocess.restart_all gives a new worker timeout_worker_healthcheck
#           seconds (5) until its server has started (Process.wait_until_ready), kills it otherwise, and leaves the
#           other workers alone. The time-out bounds only each answer of a ping elsewhere, and a thread answers that
#           from the first instant, so the first start and the replacement of a dead worker may take as long as they
#           like.
# Guess     What starts in 7 s starts in 7 s again: SIGHUP replaces the workers, a little later. The time-out's help
#           says: "Maximum number of seconds to wait for a worker to respond to a healthcheck".
# Seen      The old code is served for ever, as the log says once for each SIGHUP. With a longer time-out for the health
#           check, both are replaced.
# Output    first start:                         2 workers
#           SIGHUP:                              0 of 2 workers were replaced
#           a worker that is killed:             1 of 2 workers were replaced
#           --timeout-worker-healthcheck 60:     2 of 2 workers were replaced
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0

cat >views.py <<'PY'
import time

time.sleep(7) # as a model does that is loaded

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

workers() { sed -n 's/.*Started server process \[\([0-9]*\)\].*/\1/p' "$server_log"; } # all that have ever started

logged() { # wait until the log has so many lines of a kind, at most 90 s
    for _ in {1..900}; do
        if [ "$(grep -c "$2" "$server_log")" -ge "$1" ]; then return; fi
        sleep 0.1
    done
    cat "$server_log" >&2
    echo "not within 90 s: $2" >&2
    exit 2
}

start() { # uvicorn's arguments
    serve uvicorn --workers 2 --lifespan off --port "$(free_port)" "$@" views:app
    logged 2 "Started server process"
}

replaced() { # what is done -> how many of the first two workers have ended
    local pid count=0
    while read -r pid; do ! ended "$pid" || count=$((count + 1)); done < <(workers | head -n 2)
    printf '%-36s %s of 2 workers were replaced\n' "$1:" "$count"
    [ "$count" = "$2" ] || changed "expected $2"
}

start
printf '%-36s %s workers\n' "first start:" "$(workers | wc -l)"
kill -HUP "$server"
logged 1 "was not ready in time; keeping worker"
replaced SIGHUP 0
kill -KILL "$(workers | head -n 1)"
logged 3 "Started server process"
replaced "a worker that is killed" 1
start --timeout-worker-healthcheck 60
kill -HUP "$server"
logged 2 "Finished server process"
replaced "--timeout-worker-healthcheck 60" 2
