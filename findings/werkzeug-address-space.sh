#!/usr/bin/env bash
# werkzeug (Flask's server) under `ulimit -v`: six times fewer threads than their stacks would fill.
#
# Versions  werkzeug 3.1.9, CPython 3.11, glibc 2.36, Linux on 64 bits with two or more cores
# Source    malloc/arena.c of glibc: the first malloc() of a thread makes an arena of its own (arena_get2), as long as
#           there are fewer than 8 for each core (NARENAS_FROM_NCORES), and new_heap reserves 64 MiB for it
#           (HEAP_MAX_SIZE). Reserved memory that is not used costs nothing else, but RLIMIT_AS counts it.
# Guess     A thread for each request costs its stack, 8 MiB: (1 GiB - what the process has) / 8 MiB is about 120.
# Seen      About 20. A thread costs 72 MiB, until there is no room for an arena; a few more stacks fit into the rest.
#           With MALLOC_ARENA_MAX=1, it is as guessed.
# Output    1 GiB:                     19 requests at once
#           1 GiB, MALLOC_ARENA_MAX=1: 123 requests at once
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
[ "$(nproc)" -ge 2 ] || { echo "one core: there are only 8 arenas" >&2; exit 2; }
getconf GNU_LIBC_VERSION >/dev/null 2>&1 || { echo "this is not glibc" >&2; exit 2; }
install werkzeug==3.1.9
ulimit -S -s 8192 || exit 2
unset MALLOC_ARENA_MAX MALLOC_ARENA_TEST GLIBC_TUNABLES

cat >run.py <<'PY'
import sys
import threading
from werkzeug.serving import run_simple

def held():
    yield b"started"
    threading.Event().wait()

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return held() if environ["PATH_INFO"] == "/held" else [b"ok"]

run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
PY
cat >count.py <<'PY'
import socket
import sys

def started(client):
    client.sendall(b"GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n")
    reply = b""
    while b"started" not in reply:
        try:
            part = client.recv(4096)
        except ConnectionResetError:
            return False
        if not part:
            return False
        reply += part
    return True

clients = []
while len(clients) < 1000:  # each has started, or was turned away, before the next one comes
    clients.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60))
    if not started(clients[-1]):
        break
print(len(clients) - 1)
PY

look() { # environment -> requests that run at once, until a thread cannot be started
    local port
    port=$(free_port)
    serve bash -c 'ulimit -v 1048576 && exec env "$@"' bash "$@" python3 run.py "$port"
    answers "$port"
    most=$(python3 count.py "$port") || exit 2
    grep --quiet "can't start new thread" "$server_log" || changed "the limit is not that of threads"
}

look
few=$most
echo "1 GiB:                     $few requests at once"
look MALLOC_ARENA_MAX=1
echo "1 GiB, MALLOC_ARENA_MAX=1: $most requests at once"
[ "$most" -ge 100 ] || changed "expected about 120 without arenas"
[ "$few" -le $((most / 3)) ] || changed "arenas make less of a difference"
