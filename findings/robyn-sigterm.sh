#!/usr/bin/env bash
# robyn: SIGTERM never ends a single process, and kills several in the middle of their requests.
#
# Versions  robyn 0.88.0, Linux
# Source    robyn/processpool.py. With one process, init_processpool() calls spawn_process() itself, which does not
#           return, so run_processes() never sets its handlers of SIGINT and SIGTERM. actix takes the signal and closes
#           its side, but nothing ends loop.run_forever(). With more processes, the handler of SIGTERM calls kill() for
#           each of them, which is SIGKILL.
# Guess     As with any other server: the request in flight is answered, what shutdown_handler() was given runs, the
#           process ends.
# Seen      One process: it stays, and with it the listening socket, so clients still connect. Its view runs to the end,
#           but often its client gets an empty reply. Two processes: the view is cut off. What shutdown_handler() was
#           given runs in neither case.
# Output    1 process:   the view ended, the shutdown handler did not run; 8 s later the server was alive
#           2 processes: the view was cut off, the shutdown handler did not run; 8 s later the server was gone
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install robyn==0.88.0

cat >views.py <<'PY'
import asyncio
import os
from robyn import Robyn

app = Robyn(__file__)

@app.get("/")
def ready(request):
    return "ok"

@app.get("/slow")
async def slow(request):
    print("view begun", flush=True)
    await asyncio.sleep(3)
    print("view ended", flush=True)
    return "ok"

@app.shutdown_handler
def shutdown():
    print("shutdown handler", flush=True)

app.start(host="127.0.0.1", port=int(os.environ["PORT"]))
PY

said() { grep --quiet "$1" "$server_log"; }

look() { # processes, what is expected to become of a request and of the server
    local port client processes
    port=$(free_port)
    PORT=$port serve python3 views.py --processes "$1"
    answers "$port"
    curl --silent --max-time 20 --output /dev/null "http://127.0.0.1:$port/slow" &
    client=$!
    for _ in {1..100}; do
        if said "view begun"; then break; fi
        sleep 0.1
    done
    said "view begun" || { cat "$server_log" >&2; exit 2; }
    mapfile -t processes < <(family "$server")
    kill -TERM "$server"
    wait "$client" || true
    for _ in {1..80}; do
        if ended "${processes[@]}"; then break; fi
        sleep 0.1
    done
    if said "view ended"; then view="ended"; else view="was cut off"; fi
    if said "shutdown handler"; then handler="ran"; else handler="did not run"; fi
    if ended "${processes[@]}"; then left="gone"; else left="alive"; fi
    found="the view $view, the shutdown handler $handler; 8 s later the server was $left"
    printf '%-12s %s\n' "$1 process$([ "$1" = 1 ] || echo es):" "$found"
    [ "$found" = "$2" ] || changed "expected: $2"
    kill -KILL "${processes[@]}" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
}

look 1 "the view ended, the shutdown handler did not run; 8 s later the server was alive"
look 2 "the view was cut off, the shutdown handler did not run; 8 s later the server was gone"
