#!/usr/bin/env bash
# hypercorn over HTTP/2: what is in flight when a connection has had 1,000 requests is run and never answered.
#
# Versions  hypercorn 0.18.0 (h2 4), httpx 0.28.1 as the client
# Source    hypercorn/protocol/h2.py, H2Protocol._handle_events: the stream that exceeds keep_alive_max_requests (1,000)
#           is created, and its application called, before close_connection() sends GOAWAY. For h2 the connection is
#           over with that: send_headers() of any stream raises ProtocolError, which stream_send() takes for a client
#           that has gone. GOAWAY names the last stream that came, so a client must not repeat what was in flight.
# Guess     The answer to the last request closes the connection, as with HTTP/1.1, or GOAWAY lets the streams end that
#           have begun: a client that keeps to the protocol loses nothing.
# Seen      With ten requests at once, up to ten are lost for every 1,000; with one at a time it is one. The
#           application has run for all of them, and the log says nothing.
# Output    keep_alive_max_requests = 1000, the default: of 1200 requests 1200 ran, and 1191 were answered
#           keep_alive_max_requests = 5000:              of 1200 requests 1200 ran, and 1200 were answered
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install hypercorn==0.18.0 'httpx[http2]==0.28.1'

cat >views.py <<'PY'
import asyncio

calls = 0

async def app(scope, receive, send):
    global calls
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    calls += scope["path"] == "/some"
    body = str(calls).encode()
    await asyncio.sleep(0.02)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
PY
cat >client.py <<'PY'
import asyncio
import sys
import httpx

TIMES, AT_ONCE = 120, 10
answered = 0

async def one(client):
    global answered
    for _ in range(TIMES):
        try:
            reply = await client.get(f"http://127.0.0.1:{sys.argv[1]}/some")
            answered += reply.status_code == 200
        except httpx.TransportError:
            pass

async def main():
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(http1=False, http2=True, limits=limits, timeout=60) as client:
        await asyncio.gather(*[one(client) for _ in range(AT_ONCE)])
    print(answered)

asyncio.run(main())
PY

look() { # what is set, hypercorn's arguments -> requests that ran, requests that were answered
    local port
    port=$(free_port)
    serve hypercorn --bind "127.0.0.1:$port" "${@:2}" views:app
    answers "$port"
    answered=$(python3 client.py "$port")
    ran=$(curl --silent --max-time 10 "http://127.0.0.1:$port/")
    printf '%-44s of 1200 requests %s ran, and %s were answered\n' "$1:" "$ran" "$answered"
}

look "keep_alive_max_requests = 1000, the default"
[ "$answered" -lt "$ran" ] || changed "expected fewer answers"
echo "keep_alive_max_requests = 5000" >more.toml
look "keep_alive_max_requests = 5000" --config more.toml
[ "$answered" = 1200 ] || changed "expected 1200 answers"
