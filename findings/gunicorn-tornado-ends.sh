#!/usr/bin/env bash
# gunicorn's tornado worker: what ends a worker, --max-requests too, breaks off its requests after a second or two.
#
# Versions  gunicorn 27.0.1, tornado 6.6.1
# Source    gunicorn/workers/gtornado.py, TornadoWorker.heartbeat: runs once a second. If the worker is to end, the
#           first run stops the listener, the second one the loop. Nothing asks for requests in flight, nor reads
#           --graceful-timeout. What is counted is the calls of the HTTP server's on_close(), one for each connection
#           that has ended.
# Guess     `async def` handlers that wait are let end for as long as --graceful-timeout says, as requests in
#           threads are. --max-requests 8 replaces the worker after 8 requests, and costs none.
# Seen      A handler that needs 8 s is gone after a second or two, with an empty reply for its client, at SIGTERM, at
#           SIGHUP, and when the worker has had its number. That is a number of connections: clients that keep theirs
#           may ask as often as they like.
# Output    threads, SIGTERM:                                    status 200 (curl's 0) after 8 s
#           tornado, SIGTERM:                                    status 000 (curl's 52) after 2 s
#           tornado, SIGHUP:                                     status 000 (curl's 52) after 2 s
#           tornado, --max-requests 8, 8 connections beside it:  status 000 (curl's 52) after 3 s
#           tornado, --max-requests 8, 30 requests on one:       status 200 (curl's 0) after 8 s, 1 worker answered
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 packaging==26.3 tornado==6.6.1

cat >views.py <<'PY'
import asyncio
import os
import time

from tornado.web import Application, RequestHandler

class Quick(RequestHandler):
    async def get(self):
        self.write(f"{os.getpid()}\n")

class Slow(RequestHandler):
    async def get(self):
        print("request begun", flush=True)
        await asyncio.sleep(8)
        self.write("done")

app = Application([("/", Quick), ("/slow", Slow)])

def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        print("request begun", flush=True)
        time.sleep(8)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY

begin() { # start a server, and a slow request to it; its status, curl's status and its seconds come into the file slow
    port=$(free_port)
    serve gunicorn --no-control-socket --graceful-timeout 30 --bind "127.0.0.1:$port" "$@"
    answers "$port"
    (
        failed=0
        seen=$(curl --silent --max-time 40 --output /dev/null --write-out '%{http_code} %{time_total}' \
            "http://127.0.0.1:$port/slow") || failed=$?
        echo "$seen $failed" >slow
    ) &
    client=$!
    for _ in {1..300}; do grep -q "request begun" "$server_log" && break || sleep 0.1; done
}

tell() { # what is looked at, the status, the most seconds, more words
    local status seconds failed
    wait "$client"
    read -r status seconds failed <slow
    printf "%-52s status %s (curl's %s) after %.0f s%s\n" "$1:" "$status" "$failed" "$seconds" "${4:-}"
    [ "$status" = "$2" ] || changed "expected status $2"
    [ "${seconds%.*}" -lt "$3" ] || changed "expected less than $3 s"
}

begin --threads 2 views:wsgi
kill "$server"
tell "threads, SIGTERM" 200 30
begin -k tornado views:app
kill "$server"
tell "tornado, SIGTERM" 000 5
begin -k tornado views:app
kill -HUP "$server"
tell "tornado, SIGHUP" 000 5
begin -k tornado --max-requests 8 views:app
for _ in {1..8}; do curl --silent --max-time 5 --output /dev/null "http://127.0.0.1:$port/" || true; done
tell "tornado, --max-requests 8, 8 connections beside it" 000 5
begin -k tornado --max-requests 8 views:app
mapfile -t urls < <(yes "http://127.0.0.1:$port/" | head -30)
answered=$(curl --silent --max-time 10 "${urls[@]}" | sort | uniq -c) || exit 2
[ "$(awk '{ print $1 }' <<<"$answered")" = 30 ] || changed "expected 30 answers of one worker: $answered"
tell "tornado, --max-requests 8, 30 requests on one" 200 30 ", 1 worker answered"
