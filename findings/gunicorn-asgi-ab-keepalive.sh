#!/usr/bin/env bash
# gunicorn's own ASGI worker asked by `ab -k`: each answer takes as long as --keep-alive.
#
# Versions  gunicorn 27.0.1, ab 2.3 of Apache 2.4.71 (Debian 12); uvicorn 0.54.0 for comparison
# Source    ab asks with HTTP/1.0 and `Connection: Keep-Alive`. gunicorn/asgi/parser.py takes that for a connection to
#           be kept, and ASGIProtocol._send_response_start (gunicorn/asgi/protocol.py) writes a Connection header only
#           where it closes. With HTTP/1.0, a connection is kept only if the answer says so (RFC 9112, 9.3). So ab reads
#           to the end of the connection, which comes when --keep-alive is over. The other workers always write the
#           header (gunicorn/http/wsgi.py, Response.default_headers).
# Guess     A server keeps the connection, as gunicorn's gthread does, or closes it behind the answer, as uvicorn does
#           for HTTP/1.0. ab shows which: "Keep-Alive requests". -k is never slower.
# Seen      Half a request a second on each connection, no failed request, and no error. A longer --keep-alive, as is
#           usual behind a load balancer, makes it slower still.
# Output    gunicorn asgi, ab:                     4 requests took 0.0 s, 0 failed, 0 kept
#           gunicorn asgi, ab -k:                  4 requests took 8.0 s, 0 failed, 0 kept
#           gunicorn asgi --keep-alive 4, ab -k:   4 requests took 16.0 s, 0 failed, 0 kept
#           gunicorn gthread, ab -k:               4 requests took 0.0 s, 0 failed, 4 kept
#           uvicorn, ab -k:                        4 requests took 0.0 s, 0 failed, 0 kept
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
command -v ab >/dev/null || { echo "ab is not installed" >&2; exit 2; }
install gunicorn==27.0.1 uvicorn==0.54.0

cat >views.py <<'PY'
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY

look() { # what is looked at, the least and the most seconds, ab's option
    local seconds failed kept
    answers "$port"
    ab -q -n 4 -c 1 ${4:+"$4"} "http://127.0.0.1:$port/" >ab.out 2>&1 || { cat ab.out >&2; exit 2; }
    seconds=$(sed -n 's/^Time taken for tests: *\([0-9.]*\) .*/\1/p' ab.out)
    failed=$(sed -n 's/^Failed requests: *//p' ab.out)
    kept=$(sed -n 's/^Keep-Alive requests: *//p' ab.out)
    printf '%-38s 4 requests took %.1f s, %s failed, %s kept\n' "$1:" "$seconds" "$failed" "${kept:-0}"
    [ "${seconds%.*}" -ge "$2" ] && [ "${seconds%.*}" -le "$3" ] || changed "expected $2 to $3 s"
    [ "$failed" = 0 ] || changed "expected no failed requests"
}

run() { serve gunicorn --no-control-socket --bind "127.0.0.1:$port" "$@"; }

port=$(free_port)
run --worker-class asgi views:app
look "gunicorn asgi, ab" 0 1
look "gunicorn asgi, ab -k" 7 12 -k
port=$(free_port)
run --worker-class asgi --keep-alive 4 views:app
look "gunicorn asgi --keep-alive 4, ab -k" 15 24 -k
port=$(free_port)
run --threads 2 views:wsgi
look "gunicorn gthread, ab -k" 0 1 -k
port=$(free_port)
serve uvicorn --lifespan off --port "$port" views:app
look "uvicorn, ab -k" 0 1 -k
