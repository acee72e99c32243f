#!/usr/bin/env bash
# h2load --h1: all answers of hypercorn are failures, because its status line has no words.
#
# Versions  h2load of nghttp2 1.52.0 (Debian 12), hypercorn 0.18.0; uvicorn 0.54.0 for comparison
# Source    src/h2load_http1_session.cc: the status is noted in htp_statuscb(), which llhttp calls with the words behind
#           the number. If there are none, llhttp has nothing to call it with. hypercorn/protocol/h11.py makes an
#           h11.Response without a reason, so the line is "HTTP/1.1 200 ", which RFC 9112, 4 allows.
# Guess     An answer with status 200 has succeeded, as it does for h2load over HTTP/2, curl, ab and wrk.
# Seen      Of 100 such answers none succeeds, 100 fail, and the counts of 2xx to 5xx are 0. Over HTTP/2 the same server
#           has no failure.
# Output    uvicorn, HTTP/1.1:   100 done, 100 succeeded, 0 failed; 100 2xx
#           hypercorn, HTTP/1.1: 100 done, 0 succeeded, 100 failed; 0 2xx
#           hypercorn, HTTP/2:   100 done, 100 succeeded, 0 failed; 100 2xx
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
command -v h2load >/dev/null || { echo "h2load is not installed" >&2; exit 2; }
install hypercorn==0.18.0 uvicorn==0.54.0

cat >views.py <<'PY'
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY

look() { # what is measured, port, what is expected, h2load's arguments
    h2load -n 100 -c 1 "${@:4}" "http://127.0.0.1:$2/" >h2load.out 2>&1 || { cat h2load.out >&2; exit 2; }
    found="$(sed -n 's/^requests: .* \([0-9]* done, [0-9]* succeeded, [0-9]* failed\),.*/\1/p' h2load.out); "
    found+=$(sed -n 's/^status codes: \([0-9]* 2xx\),.*/\1/p' h2load.out)
    printf '%-20s %s\n' "$1:" "$found"
    [ "$found" = "$3" ] || changed "expected: $3"
}

port=$(free_port)
serve uvicorn --no-access-log --port "$port" views:app
answers "$port"
look "uvicorn, HTTP/1.1" "$port" "100 done, 100 succeeded, 0 failed; 100 2xx" --h1
port=$(free_port)
serve hypercorn --bind "127.0.0.1:$port" views:app
answers "$port"
look "hypercorn, HTTP/1.1" "$port" "100 done, 0 succeeded, 100 failed; 0 2xx" --h1
look "hypercorn, HTTP/2" "$port" "100 done, 100 succeeded, 0 failed; 100 2xx"
