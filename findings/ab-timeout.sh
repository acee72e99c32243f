#!/usr/bin/env bash
# ab -s 1: an answer that takes 3 s has no time-out while others come, and costs the whole report when none does.
#
# Versions  ab 2.3 of Apache 2.4.71 (Debian 12), and the main branch by its source; uvicorn 0.54.0 as the server
# Source    support/ab.c: the seconds of -s are given to apr_pollset_poll() alone, which waits for any of all
#           connections. No connection has a time of its own. If poll() times out, ab ends itself at once, with what
#           graceful_strerror() prints; -r is for other errors.
# Guess     "Seconds to max. wait for each response": a request that is not answered within 1 s is a failed one, and the
#           next one is sent. The report has 39 good requests and a failed one.
# Seen      With two connections, it is a good request of 3 s. With one connection, ab ends after the first second
#           without an answer, and of the 3 requests before that there is only the count, no figure, with -r also. A
#           server that overload brings to a halt for as long as -s leaves no report at all.
# Output    ab -s 1 -c 2:    40 complete, 0 failed, longest 3001 ms; ended with 0
#           ab -s 1 -c 1:    no report, "Total of 3 requests completed"; ended with 119
#           ab -s 1 -c 1 -r: no report, "Total of 3 requests completed"; ended with 119
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
command -v ab >/dev/null || { echo "ab is not installed" >&2; exit 2; }
install uvicorn==0.54.0

cat >views.py <<'PY'
import asyncio
import collections

seen = collections.Counter()

async def app(scope, receive, send):
    if scope["path"] != "/":
        seen[scope["path"]] += 1
        await asyncio.sleep(3 if seen[scope["path"]] == 4 else 0.15)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY
port=$(free_port)
serve uvicorn --lifespan off --no-access-log --port "$port" views:app
answers "$port"

look() { # path, what is expected, options
    local status=0 complete failed longest total found
    ab -q -n 40 "${@:3}" "http://127.0.0.1:$port/$1" >ab.out 2>&1 || status=$?
    complete=$(sed -n 's/^Complete requests: *//p' ab.out)
    failed=$(sed -n 's/^Failed requests: *//p' ab.out)
    longest=$(sed -n 's/^ *100% *\([0-9]*\) .*/\1/p' ab.out)
    total=$(grep -o 'Total of [0-9]* requests completed' ab.out || true)
    if [ -n "$complete" ]; then
        found="$complete complete, $failed failed"
        [ "$longest" -ge 2900 ] || changed "expected a longest time of 3 s, found $longest ms"
        found+=", longest $longest ms"
    else
        found="no report, \"$total\""
    fi
    printf '%-16s %s; ended with %s\n' "ab ${*:3}:" "$found" "$status"
    [[ $found == "$2"* ]] || changed "expected: $2"
}

look two "40 complete, 0 failed, longest" -s 1 -c 2
look one 'no report, "Total of 3 requests completed"' -s 1 -c 1
look again 'no report, "Total of 3 requests completed"' -s 1 -c 1 -r
