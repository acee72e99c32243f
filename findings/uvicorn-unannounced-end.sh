#!/usr/bin/env bash
# uvicorn after SIGTERM: the last answer on a kept connection says that it ends, or not, depending on the HTTP parser.
#
# Versions  uvicorn 0.54.0 with httptools 0.9.0, zttp 0.0.35 or h11 alone; hypercorn 0.18.0, granian 2.8.9 and gunicorn
#           27.0.1 for comparison
# Source    uvicorn/protocols/http: shutdown() of each protocol sets keep_alive of the request in flight to False.
#           send() of httptools_impl.py makes a header `connection: close` of that; in h11_impl.py and zttp_impl.py, it
#           only closes the connection behind the answer. In hypercorn/protocol/h11.py, _maybe_recycle() looks at
#           `terminated` when the answer is out.
# Guess     A server that is told to end announces it in the answers that it still gives, so that clients and proxies
#           that keep connections use another one for the next request. The parser changes the speed.
# Seen      `pip install uvicorn` does not announce it, `pip install uvicorn[standard]` does. So it is with
#           --limit-max-requests. A client that sends its next request before it notices the end gets no answer to it.
# Output    uvicorn, h11:       no word of the end, then it is closed
#           uvicorn, zttp:      no word of the end, then it is closed
#           uvicorn, httptools: connection: close, then it is closed
#           hypercorn:          no word of the end, then it is closed
#           granian:            connection: close, then it is closed
#           gunicorn, asgi:     connection: close, then it is closed
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install uvicorn==0.54.0 httptools==0.9.0 zttp==0.0.35 hypercorn==0.18.0 granian==2.8.9 gunicorn==27.0.1

cat >views.py <<'PY'
import asyncio
import pathlib

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] == "/held":
        pathlib.Path("begun").touch()
        while not pathlib.Path("let-go").exists():
            await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >client.py <<'PY'
import socket
import sys

client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
client.sendall(b"GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n")
reply = b""
while b"\r\n\r\nok" not in reply:
    part = client.recv(65536)
    if not part:
        sys.exit("the answer ended early")
    reply += part
said = "connection: close" if b"connection: close" in reply.lower() else "no word of the end"
print(f"{said}, then it is {'kept' if client.recv(1) else 'closed'}")
PY

look() { # what is looked at, what is expected, server, its arguments
    local client found
    rm -f begun let-go
    serve "${@:3}"
    answers "$port"
    python3 client.py "$port" >found &
    client=$!
    for _ in {1..300}; do [ -e begun ] && break || sleep 0.1; done
    kill -TERM "$server"
    for _ in {1..300}; do # the server takes no more connections
        curl --silent --max-time 0.5 --output /dev/null "http://127.0.0.1:$port/" || break
        sleep 0.1
    done
    sleep 1
    touch let-go
    wait "$client" || exit 2
    found=$(<found)
    printf '%-19s %s\n' "$1:" "$found"
    [ "$found" = "$2" ] || changed "expected: $2"
}

silent="no word of the end, then it is closed"
told="connection: close, then it is closed"
port=$(free_port)
look "uvicorn, h11" "$silent" uvicorn --http h11 --port "$port" views:app
port=$(free_port)
look "uvicorn, zttp" "$silent" uvicorn --http zttp --port "$port" views:app
port=$(free_port)
look "uvicorn, httptools" "$told" uvicorn --http httptools --port "$port" views:app
port=$(free_port)
look hypercorn "$silent" hypercorn --graceful-timeout 60 --bind "127.0.0.1:$port" views:app
port=$(free_port)
look granian "$told" granian --interface asgi --port "$port" views:app
port=$(free_port)
look "gunicorn, asgi" "$told" gunicorn --no-control-socket --worker-class asgi --bind "127.0.0.1:$port" views:app
