#!/usr/bin/env bash
# gunicorn as a service of Type=notify: it is "ready" before it has loaded the application, even if it cannot load it.
#
# Versions  gunicorn 27.0.1; h2corn 2.0.0 for comparison. systemd is not needed: the script listens where it would.
# Source    gunicorn/arbiter.py: start() sends READY=1 ("Gunicorn arbiter booted") when the sockets are bound. run()
#           starts the workers after that (manage_workers), and a worker loads the application (Worker.load_wsgi). With
#           --preload, Arbiter.setup() has loaded it before.
# Guess     Type=notify, which gunicorn's documentation has in its example of a unit, is for that: when the service
#           can answer, `systemctl start` returns, and units that come after it start. If the application cannot be
#           imported, the start fails, and a deployment script sees that.
# Seen      READY=1 comes at once, while an application that takes 4 s to load has not been loaded by any worker. With
#           one that cannot be imported, the service has started, and has then ended with 3: `systemctl start` succeeds.
# Output    takes 4 s to load, gunicorn:           ready long before the first answer
#           takes 4 s to load, gunicorn --preload: ready just before the first answer
#           takes 4 s to load, h2corn:             ready just before the first answer
#           cannot be loaded, gunicorn:            ready, then ended with 3
#           cannot be loaded, gunicorn --preload:  never ready, ended with 1
#           cannot be loaded, h2corn:              never ready, ended with 1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 h2corn==2.0.0

cat >slow.py <<'PY'
import time

time.sleep(4)

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >manager.py <<'PY' # what systemd does: starts a command, and hears from it whether it is ready
import http.client
import os
import signal
import socket
import subprocess
import sys
import time

port = int(sys.argv[1])
notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notes.bind("notify")
notes.settimeout(0.05)

def answered():
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request("GET", "/")
        return client.getresponse().status == 200
    except OSError:
        return False
    finally:
        client.close()

begun = time.monotonic()
with open("server.log", "w") as log:
    environ = os.environ | {"NOTIFY_SOCKET": os.path.abspath("notify")}
    server = subprocess.Popen(sys.argv[2:], env=environ, stdout=log, stderr=log)
try:
    ready = None
    while ready is None and server.poll() is None and time.monotonic() < begun + 30:
        try:
            if b"READY=1" in notes.recv(4096).splitlines():
                ready = time.monotonic()
        except TimeoutError:
            pass
    first = None
    while ready and first is None and server.poll() is None and time.monotonic() < begun + 40:
        if answered():
            first = time.monotonic()
        else:
            time.sleep(0.05)
    if first:
        print("ready", "long before" if first - ready > 2.5 else "just before", "the first answer")
    else:
        print("ready, then" if ready else "never ready,", f"ended with {server.wait(30)}")
finally:
    server.send_signal(signal.SIGTERM)
    server.wait(30)
    os.remove("notify")
PY

look() { # what is looked at, what is expected, server, its arguments
    local port found
    port=$(free_port)
    serve python3 manager.py "$port" "${@:3}" --bind "127.0.0.1:$port"
    wait "$server" || { cat "$server_log" server.log >&2; exit 2; }
    found=$(cat "$server_log")
    printf '%-38s %s\n' "$1:" "$found"
    [ "$found" = "$2" ] || changed "expected: $2"
}

gunicorn=(gunicorn --no-control-socket)
look "takes 4 s to load, gunicorn" "ready long before the first answer" "${gunicorn[@]}" slow:wsgi
look "takes 4 s to load, gunicorn --preload" "ready just before the first answer" "${gunicorn[@]}" --preload slow:wsgi
look "takes 4 s to load, h2corn" "ready just before the first answer" h2corn slow:asgi
look "cannot be loaded, gunicorn" "ready, then ended with 3" "${gunicorn[@]}" missing:wsgi
look "cannot be loaded, gunicorn --preload" "never ready, ended with 1" "${gunicorn[@]}" --preload missing:wsgi
look "cannot be loaded, h2corn" "never ready, ended with 1" h2corn missing:asgi
