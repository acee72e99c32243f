#!/usr/bin/env bash
# granian: a second server on a taken port starts, says that it listens, and takes a share of the connections.
#
# Versions  granian 2.8.9, uvicorn 0.54.0 for comparison, Linux
# Source    SocketSpec.build in the compiled granian/_granian (called through granian/server/common.py and mp.py) sets
#           SO_REUSEPORT on every TCP listener, for a single worker also. There is no setting that leaves it out.
# Guess     A single worker needs no port sharing: the second server ends with "address already in use".
# Seen      Both run, without a warning, and the kernel divides new connections between them: after a deployment that
#           did not stop the old server, some requests still get the old code. uvicorn refuses.
# Output    uvicorn: the second server ended with status 3
#           granian: SO_REUSEPORT of its listener = 1
#           granian: both servers run; both answered some of 64 requests
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install granian==2.8.9 uvicorn==0.54.0

cat >views.py <<'PY'
import os

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": os.environ["NAME"].encode()})
PY

port=$(free_port)
NAME=old serve uvicorn --lifespan off --port "$port" views:app
answers "$port"
NAME=new serve uvicorn --lifespan off --port "$port" views:app
for _ in {1..300}; do ended "$server" && break || sleep 0.1; done
ended "$server" || changed "uvicorn shares a port"
status=0
wait "$server" || status=$?
echo "uvicorn: the second server ended with status $status"
[ "$status" != 0 ] || changed "uvicorn does not report a taken port"

shared=$(python3 - <<'PY'
import socket
from granian.net import SocketSpec

listener = SocketSpec("127.0.0.1", 0, 128).build()
print(socket.socket(fileno=listener.get_fd()).getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))
PY
)
echo "granian: SO_REUSEPORT of its listener = $shared"
[ "$shared" = 1 ] || changed "granian does not set SO_REUSEPORT"

port=$(free_port)
NAME=old serve granian --interface asginl --port "$port" views:app
old=$server
answers "$port"
NAME=new serve granian --interface asginl --port "$port" views:app
for _ in {1..300}; do # two listeners, or the end of the second server
    { ended "$server" || [ "$(ss -Hltn "sport = :$port" | wc -l)" = 2 ]; } && break
    sleep 0.1
done
for _ in {1..64}; do curl --silent --max-time 10 "http://127.0.0.1:$port/" && echo; done | sort | uniq -c >answered
ended "$old" && changed "the first server has ended"
ended "$server" && changed "the second server has ended"
[ "$(awk '{print $2}' answered | xargs)" = "new old" ] || changed "answered by: $(xargs <answered)"
echo "granian: both servers run; both answered some of 64 requests"
