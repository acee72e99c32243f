#!/usr/bin/env bash
# gunicorn's own ASGI worker with --statsd-host: it counts no request without an access log, and with one too much time.
#
# Versions  gunicorn 27.0.1
# Source    gunicorn/instrument/statsd.py, Statsd.access: sends the number, the status and the duration of requests. The
#           sync worker and gthread call it for each request, and it is the access log's own part that is left out
#           without a log (Logger.access). ASGIProtocol._handle_http_request (gunicorn/asgi/protocol.py) calls it only
#           `if access_log_enabled`, and takes the time when the application has returned.
# Guess     Metrics and log are two settings: with --statsd-host, each worker of gunicorn sends gunicorn.requests,
#           gunicorn.request.status.* and gunicorn.request.duration. A duration ends with the answer.
# Seen      The ASGI worker sends none of them, while gunicorn.workers comes. With `--access-logfile /dev/null` they
#           come. Then a duration includes what the application does after its answer; with threads, what is done when
#           the answer is closed does not count.
# Output    each answers 6 requests; 2 s of work after one of the answers
#           threads:                       requests 6, status 6, durations 6 (longest 2 ms), workers 1
#           asgi:                          requests 0, status 0, durations 0 (longest 0 ms), workers 1
#           asgi, an access log:           requests 6, status 6, durations 6 (longest 2002 ms), workers 1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1

cat >views.py <<'PY'
import asyncio
import pathlib
import time

async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
    if scope["path"] == "/work":
        await asyncio.sleep(2)
        pathlib.Path("worked").touch()

class Answer:
    def __iter__(self):
        yield b"ok"

    def close(self):
        time.sleep(2)
        pathlib.Path("worked").touch()

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return Answer() if environ["PATH_INFO"] == "/work" else [b"ok"]
PY
cat >statsd.py <<'PY' # write down what comes
import pathlib
import socket

listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind(("127.0.0.1", 0))
pathlib.Path("new").write_text(str(listener.getsockname()[1]))
pathlib.Path("new").rename("statsd-port")
while True:
    message = listener.recv(65536).decode()
    with open("metrics", "a") as metrics:
        print(message, file=metrics)
PY
serve python3 statsd.py
for _ in {1..300}; do [ -e statsd-port ] && break || sleep 0.1; done

count() { grep -c "^gunicorn\.$1:" metrics || true; }

look() { # what is looked at, how many requests are counted, the shortest and the longest duration of the longest, in ms
    local port longest
    rm -f worked metrics
    port=$(free_port)
    serve gunicorn --no-control-socket --statsd-host "127.0.0.1:$(<statsd-port)" --bind "127.0.0.1:$port" "${@:5}"
    answers "$port"
    for path in 1 2 3 4 work; do
        curl --silent --fail --max-time 10 --output /dev/null "http://127.0.0.1:$port/$path" || exit 2
    done
    for _ in {1..300}; do [ -e worked ] && break || sleep 0.1; done
    kill "$server"
    for _ in {1..300}; do ended "$server" && break || sleep 0.1; done
    printf end >"/dev/udp/127.0.0.1/$(<statsd-port)"
    for _ in {1..300}; do grep -qx end metrics && break || sleep 0.1; done
    longest=$(sed -n 's/^gunicorn\.request\.duration:\([0-9]*\).*/\1/p' metrics | sort -n | tail -1)
    printf '%-30s requests %s, status %s, durations %s (longest %s ms), workers %s\n' "$1:" "$(count requests)" \
        "$(count request.status.200)" "$(count request.duration)" "${longest:=0}" \
        "$(sed -n 's/^gunicorn\.workers:\([0-9]*\).*/\1/p' metrics | head -1)"
    grep -q '^gunicorn\.workers:1' metrics || changed "gunicorn.workers did not come"
    for metric in requests request.status.200 request.duration; do
        [ "$(count "$metric")" = "$2" ] || changed "expected gunicorn.$metric $2 times"
    done
    [ "$longest" -ge "$3" ] && [ "$longest" -le "$4" ] || changed "expected a longest duration of $3 to $4 ms"
}

look "threads" 6 0 1000 --threads 2 views:wsgi
look "asgi" 0 0 0 -k asgi views:asgi
look "asgi, an access log" 6 1900 4000 -k asgi --access-logfile /dev/null views:asgi
