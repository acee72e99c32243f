#!/usr/bin/env bash
# Unix sockets: a second server on the path of a running one makes the first unreachable, even if it cannot start.
#
# Versions  gunicorn 27.0.1, uvicorn 0.54.0, hypercorn 0.18.0, h2corn 2.0.0, uWSGI 2.0.30 (pyuwsgi 2.0.30.post1),
#           granian 2.8.9, waitress 3.0.2; Linux
# Source    Before bind(), these remove a socket that is there: gunicorn/sock.py (UnixSocket), hypercorn/config.py
#           (_create_sockets), h2corn/_socket.py, waitress/utilities.py (cleanup_unix_socket), core/socket.c of uWSGI,
#           and asyncio's create_unix_server() for uvicorn without --workers. At its end, Arbiter.stop of
#           gunicorn/arbiter.py removes the path, another one's too. So does a `finally` in run() of uvicorn/main.py,
#           which a server with --workers passes after its bind() was refused. gunicorn, hypercorn, h2corn and uWSGI
#           bind first, and load the application after that.
# Guess     As on a TCP port: the second is refused, and the first serves on. A successor that is started too early, or
#           one that cannot be started, is a line in a log.
# Seen      Only granian is as guessed. Where the path is taken over, two servers run, and one is asked. gunicorn's
#           predecessor makes its successor unreachable when it ends. With gunicorn, hypercorn, h2corn and uWSGI, a
#           release that cannot be imported takes the old one out of service, and with --workers, uvicorn's does when
#           it is refused ("Address already in use"). The old one runs on, and has nothing in its log; each
#           connection is refused until it is restarted.
# Output    who is there when B has been started, when A has ended, and beside A when a B that cannot be imported has
#           gunicorn:           B answers, nothing, nothing
#           hypercorn:          B answers, B answers, nothing
#           h2corn:             B answers, B answers, nothing
#           uWSGI:              B answers, B answers, nothing
#           uvicorn, 2 workers: nothing, nothing, nothing
#           uvicorn:            B answers, B answers, A answers
#           waitress:           B answers, B answers, A answers
#           granian:            A answers, nothing, A answers
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install gunicorn==27.0.1 uvicorn==0.54.0 hypercorn==0.18.0 granian==2.8.9 waitress==3.0.2 h2corn==2.0.0 \
    pyuwsgi==2.0.30.post1

cat >views.py <<'PY'
import os

name = os.environ["NAME"].encode()

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "1")])
    return [name]

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    await send({"type": "http.response.body", "body": name})
PY

ask() { # who answers on the socket
    local body
    body=$(curl --silent --max-time 10 --unix-socket "$here/$1" http://localhost/) || { echo nothing; return; }
    echo "$body answers"
}

until_told() { # wait at most 20 s until the socket is answered by the one given, or until the process given has ended
    for _ in {1..200}; do
        if [ "$(ask "$1")" = "$2 answers" ] || ended "${@:3}"; then return; fi
        sleep 0.1
    done
}

gone() { # wait for the end of a process that was told to end, 30 s at most
    for _ in {1..300}; do ended "$1" && return || sleep 0.1; done
    echo "a server does not end" >&2
    exit 2
}

starts=0
begin() { # the command, in which SOCKET is the path and MODULE the module: starts A
    starts=$((starts + 1))
    path=$starts.sock
    command=${1//SOCKET/$here/$path}
    NAME=A serve ${command//MODULE/views}
    until_told "$path" A "$server"
    [ "$(ask "$path")" = "A answers" ] || { cat "$server_log" >&2; exit 2; }
    first=$server
}

look() { # name, command, what is expected
    local first path command found
    begin "$2"
    NAME=B serve ${command//MODULE/views}
    until_told "$path" B "$server"
    found=$(ask "$path")
    kill "$first"
    gone "$first"
    found+=", $(ask "$path")"
    kill "$server" 2>/dev/null || true
    gone "$server"

    begin "$2"
    NAME=B serve ${command//MODULE/missing}
    gone "$server"
    found+=", $(ask "$path")"
    kill "$first"
    gone "$first"
    printf '%-19s %s\n' "$1:" "$found"
    [ "$found" = "$3" ] || changed "expected $3"
}

look gunicorn "gunicorn --no-control-socket --bind unix:SOCKET MODULE:wsgi" "B answers, nothing, nothing"
look hypercorn "hypercorn --bind unix:SOCKET MODULE:asgi" "B answers, B answers, nothing"
look h2corn "h2corn --bind unix:SOCKET MODULE:asgi" "B answers, B answers, nothing"
look uWSGI "pyuwsgi --http-socket SOCKET --need-app --die-on-term --module MODULE:wsgi" "B answers, B answers, nothing"
look "uvicorn, 2 workers" "uvicorn --workers 2 --uds SOCKET MODULE:asgi" "nothing, nothing, nothing"
look uvicorn "uvicorn --uds SOCKET MODULE:asgi" "B answers, B answers, A answers"
look waitress "waitress-serve --unix-socket=SOCKET MODULE:wsgi" "B answers, B answers, A answers"
look granian "granian --interface asgi --uds SOCKET MODULE:asgi" "A answers, nothing, A answers"
