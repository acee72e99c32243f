#!/usr/bin/env bash
# granian: of requests whose clients left before they were read, RSGI drops one in a hundred unseen.
#
# Versions  granian 2.8.9 (hyper 1, tokio 1), Linux
# Source    WorkerSvc.call in granian's src/workers.rs makes a future, which asks nothing of Python before it is polled.
#           hyper's Dispatcher.poll_loop (src/proto/h1/dispatch.rs) polls it only after poll_read, which ends the
#           connection if the client's end is known by then (Conn::mid_message_detect_eof, src/proto/h1/conn.rs). A
#           new connection is read before the kernel has told of that end, unless tokio asks the kernel in between. With
#           RSGI over HTTP/1.1 all tasks are in one LocalSet (granian/server/common.py, runtime_mode), which lets tokio
#           ask once in 61 polls (src/task/local.rs, MAX_TASKS_PER_TICK), wherever in its queue it is.
# Guess     Such requests are all run, or none of them is.
# Seen      With RSGI most are run, and some are closed without a call or a line in the log: hardly any where few
#           connections are accepted at once (--backpressure 10), one in a hundred or more with --backpressure 100.
#           With ASGI it is one in ten thousand, on a busy machine.
# Output    rsgi: 24 of 3000 requests whose clients had left were not run (the number varies)
#           asgi: 0 of 3000 requests whose clients had left were not run (or 1)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install granian==2.8.9

cat >views.py <<'PY'
import asyncio

async def rsgi(scope, protocol):
    print("called", scope.path, flush=True)
    if scope.path == "/held":
        await asyncio.sleep(0.3)
    protocol.response_str(200, [], "ok")

async def asgi(scope, receive, send):
    print("called", scope["path"], flush=True)
    if scope["path"] == "/held":
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >leave.py <<'PY'
import socket
import sys

HELD, LEFT, TIMES = 100, 150, 20

def request(path):
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return client

def answered(client):
    while client.recv(65536):
        pass
    client.close()

for _ in range(TIMES):
    held = [request("/held") for _ in range(HELD)]
    for _ in range(LEFT): # all that may be accepted is held, so these wait in the accept queue
        request("/left").close()
    for client in held:
        answered(client)
    answered(request("/last")) # accepted after all of them
PY

not_run() { # interface, callable
    port=$(free_port)
    serve granian --interface "$1" --backlog 300 --backpressure 100 --port "$port" "views:$2"
    answers "$port"
    python3 leave.py "$port"
    answers "$port"
    sleep 1 # calls that were asked for have been made by now
    missing=$((3000 - $(grep -c 'called /left' "$server_log")))
    echo "$2: $missing of 3000 requests whose clients had left were not run"
}

not_run rsgi rsgi
[ "$missing" -ge 5 ] || changed "expected some"
not_run asginl asgi
[ "$missing" -lt 5 ] || changed "expected next to none"
