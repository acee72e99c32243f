"""A front of the person's own, nginx or a program in Python, before the server in one start script."""

from __future__ import annotations

import re
import shutil

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value

APP = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""
ONE_HOST = """
from flask import Flask, abort, request

app = Flask(__name__)


@app.before_request
def known():
    if request.host.rpartition(":")[0] != "127.0.0.1":
        abort(400)


@app.get("/")
def index():
    return "hello"
"""
# Each connection is passed on as it is to the server's socket; into a full one, it waits (connect(2) blocks).
FORWARDING = """
import socket
import threading


def copy(source, target):
    while data := source.recv(4096):
        target.sendall(data)
    target.close()


def serve(client):
    server = socket.socket(socket.AF_UNIX)
    server.connect("server.sock")
    threading.Thread(target=copy, args=(client, server), daemon=True).start()
    try:
        copy(server, client)
    except OSError:
        pass


with socket.create_server(("127.0.0.1", {port}), backlog=64) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
NGINX = """
daemon off;
pid nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    upstream unix { server unix:server.sock; }
    upstream tcp { server 127.0.0.1:{other}; }
    server {
        listen 127.0.0.1:{port};
        location / { proxy_pass http://UPSTREAM; }
        location /static { return 200 "a file"; }
    }
}
"""
FORKS = "\n\napp.run(port={other}, processes=3, threaded=False)\n"
# So that nginx's processes, which run as another user where root starts them, may connect.
SCRIPT = "#!/bin/sh\numask 0\n{} &\n{}\n"
# nginx, ngx_http_proxy_module: of requests for one page one is handed on, the others wait for proxy_cache_lock_timeout,
# 5 s, and are then handed on too.
KEEPS_PAGES = NGINX.replace(
    "proxy_pass http://UPSTREAM;",
    "proxy_pass http://tcp; proxy_cache pages; proxy_cache_lock on; proxy_cache_valid 0s;",
)
KEEPS_PAGES = KEEPS_PAGES.replace("upstream unix", "proxy_cache_path pages keys_zone=pages:1m; upstream unix")
# Another user may not come to a directory of pytest.
KEEPS_PAGES = KEEPS_PAGES.replace("daemon off;", "daemon off; user root;")
# What uWSGI needs to know of a request (the file uwsgi_params of nginx).
PASSED = ("PATH_INFO $document_uri", "REQUEST_METHOD $request_method", "QUERY_STRING $query_string")
PASSED = (*PASSED, "SERVER_NAME localhost", "SERVER_PORT $server_port", "SERVER_PROTOCOL $server_protocol")
TO_UWSGI = "".join(f"uwsgi_param {each}; " for each in PASSED)
# nginx, ngx_http_limit_req_module: a leaky bucket. Beyond `burst` a request gets 503; those within it are handed on one
# by one at this rate, or at once (nodelay), whatever becomes of those before them.
LIMITED = NGINX.replace("proxy_pass", "limit_req zone=each burst=4; proxy_pass").replace(
    "upstream unix", "limit_req_zone $binary_remote_addr zone=each:1m rate=10r/s; upstream unix"
)
CONFIGURED = {
    "nginx, a rate": LIMITED,
    "nginx, a rate without delay": LIMITED.replace("burst=4", "burst=4 nodelay"),
    "nginx, pages kept": KEEPS_PAGES,
    "nginx, uWSGI": NGINX.replace("proxy_pass http://", f"{TO_UWSGI} uwsgi_pass "),
}
# Its connections to the server are kept for 60 s (http-reuse), and `maxconn` of a server bounds requests on them.
HAPROXY = """
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout queue 60s
listen front
  bind 127.0.0.1:{port}
  server app 127.0.0.1:{other} maxconn 2
"""
NGINX_RUNS = 'exec nginx -p "$PWD" -c nginx.conf'
ON_UNIX = "gunicorn -b unix:server.sock --backlog 16"
ON_TCP = "gunicorn -b 127.0.0.1:{other} --backlog 16"


def script(name: str, server: str, front: str, says: dict[str, object], *options: str, code: int = 0) -> Own:
    upstream = "tcp" if "{other}" in server or "forks" in server else "unix"
    files = {
        "app.py": APP,
        "forks.py": APP + FORKS,
        "front.py": FORWARDING,
        "nginx.conf": CONFIGURED.get(name, NGINX).replace("UPSTREAM", upstream),
        "haproxy.cfg": HAPROXY,
    }
    files["start.sh"] = SCRIPT.replace("{}", server, 1).replace("{}", front, 1)
    return Own(name, ("sh", "start.sh"), files, says, options, exit=code)


# gunicorn's sync workers have a request each and accept no other; a queue of backlog 16 takes 17.
SYNC = {"ceiling.in_service": 3, "ceiling.bounded": True, "model.kind": "process-pool", "front.server": "gunicorn"}
QUEUE = {"front.accept_queue": 17, "front.accept_queue_limit": 16, "front.in_server": 0}

WITHOUT_NGINX = (
    script(
        "a front in Python",
        f"{ON_UNIX} -w 3 app:app",
        "exec python front.py",
        {**SYNC, **QUEUE, "front.program": "front.py", "front.in_front": 30, "ceiling.userspace_queue_bounded": False},
    ),
)
WITH_NGINX = (
    script(
        "nginx, a Unix socket",
        f"{ON_UNIX} -w 3 app:app",
        NGINX_RUNS,
        # Into a full queue nginx's connect(2), which does not block, fails; that is its 502.
        {
            **SYNC,
            **QUEUE,
            "front.program": "nginx",
            "front.in_front": 0,
            "overflow.client_sees": "502",
            "ceiling.at_exact_load": [3, 3],
        },
    ),
    script(
        "nginx, threads",
        f"{ON_UNIX} --threads 2 app:app",
        NGINX_RUNS,
        # 1,000 connections for each worker are more than are offered, and all of them come to it.
        {
            "ceiling.in_service": 2,
            "front.in_server": 48,
            "front.in_front": 0,
            "front.accept_queue": 0,
            "overflow.client_sees": "waits",
        },
    ),
    script(
        "nginx, a port",
        f"{ON_TCP} -w 3 app:app",
        NGINX_RUNS,
        # The kernel repeats the SYN that finds the queue full, so the rest waits in nginx.
        {**SYNC, **QUEUE, "front.program": "nginx", "front.in_front": 30, "overflow.client_sees": "waits"},
    ),
)
WITH_NGINX += (
    script(
        "nginx, pages kept",
        f"{ON_TCP} --threads 2 app:app",
        NGINX_RUNS,
        {"ceiling.in_service": 2, "front.program": "nginx", "front.in_front": 0, "front.in_server": 48},
    ),
    script(
        "nginx, uWSGI",
        "uwsgi --socket 127.0.0.1:{other} --listen 16 --master --enable-threads --threads 2 --module app:app",
        NGINX_RUNS,
        # Each thread accepts, and has one request.
        {"ceiling.in_service": 2, "ceiling.bounded": True, "front.accept_queue": 17, "front.in_server": 0},
    ),
    script(
        "nginx, forked processes",
        "python forks.py",
        NGINX_RUNS,
        # The process of the first request has ended when the front is looked for.
        {"ceiling.in_service": 3, "front.program": "nginx", "front.server": "forks.py"},
    ),
)
# gunicorn's two threads run two, and nothing bounds what waits behind them: which one gets 503 depends on the rate.
OF_A_RATE = {
    "ceiling.in_service": 2,
    "ceiling.bounded": True,
    "ceiling.userspace_queue": None,
    "ceiling.userspace_queue_bounded": False,
    "overflow.first": "userspace_queue",
    "overflow.client_sees": None,
}
WITH_NGINX += tuple(
    script(name, f"{ON_UNIX} --threads 2 app:app", NGINX_RUNS, OF_A_RATE, "--max-offered", "500")
    for name in ("nginx, a rate", "nginx, a rate without delay")
)
KEPT_BACK = {"ceiling.in_service": 2, "front.program": "haproxy", "front.in_front": 48, "front.in_server": 0}
WITH_HAPROXY = (
    script("haproxy, connections kept", f"{ON_TCP} --threads 4 app:app", "exec haproxy -f haproxy.cfg", KEPT_BACK),
    # Over a Unix socket the kernel does not show who sent last. What haproxy keeps it closes within 5 s
    # (pool-purge-delay), if gunicorn does not do so before (--keep-alive, 2 s).
    script("haproxy, a Unix socket", f"{ON_UNIX} --threads 4 app:app", "exec haproxy -f haproxy.cfg", KEPT_BACK),
)
WITH_HAPROXY[1].files["haproxy.cfg"] = HAPROXY.replace("127.0.0.1:{other} maxconn", "unix@server.sock maxconn")
# It keeps them for longer than they are watched.
KEPT_FOR_LONG = script(
    "haproxy, kept for long",
    f"{ON_UNIX} --threads 4 --keep-alive 60 app:app",
    "exec haproxy -f haproxy.cfg",
    {"ceiling.in_service": 2, "front.in_front": None, "front.accept_queue": 0, "front.in_server": None},
)
KEPT_FOR_LONG.files["haproxy.cfg"] = (
    WITH_HAPROXY[1].files["haproxy.cfg"].replace(" maxconn 2", " maxconn 2 pool-purge-delay 60s")
)
# Caddy uses those that it keeps (Go's net/http Transport) before it opens others.
WITH_CADDY = script(
    "caddy, a Unix socket",
    f"{ON_UNIX} --threads 2 --keep-alive 60 app:app",
    "exec caddy run --config Caddyfile --adapter caddyfile",
    {"ceiling.in_service": 2, "front.program": "caddy", "front.in_front": 0, "front.in_server": 48},
)
WITH_CADDY.files["Caddyfile"] = """
{
  admin off
}
http://127.0.0.1:{port} {
  reverse_proxy unix/server.sock
}
"""
ANSWERED_IN_FRONT = (
    # gunicorn's master listens on a socket for gunicornc too (gunicorn/ctl/server.py).
    script("static", f"{ON_UNIX} -w 2 app:app", NGINX_RUNS, {}, "--path", "/static", code=INCONCLUSIVE),
    script("unreachable", "gunicorn -b unix:other.sock app:app", NGINX_RUNS, {}, code=INCONCLUSIVE),
)
# A page of nginx's own in the place where the application has a view: what clients of nginx come to is not gunicorn.
PAGE = script("a page", f"{ON_TCP} -w 3 app:app", NGINX_RUNS, {"ceiling.in_service": 3, "front": None})
PAGE.files["nginx.conf"] = NGINX.replace(
    "location / { proxy_pass http://UPSTREAM; }", 'location / { return 200 "a page"; }'
)
# What nginx hands its requests to never answers, so neither does nginx.
MUTE = """
import socket, time

with socket.socket(socket.AF_UNIX) as mute:
    mute.bind("mute.sock")
    mute.listen(64)
    time.sleep(3600)
"""
SILENT = script(
    "a silent front", f"{ON_TCP} -w 3 app:app", f"python mute.py &\n{NGINX_RUNS}", {"ceiling.in_service": 3}
)
SILENT.files["mute.py"] = MUTE
SILENT.files["nginx.conf"] = NGINX.replace("http://UPSTREAM", "http://unix:mute.sock:")
# The socket of every IPv6 address takes IPv4 too unless it is asked not to (ipv6(7), bindv6only).
HOST = Own(
    "a host by name",
    ("gunicorn", "-b", "[::]:{port}", "--threads", "2", "app:app"),
    {"app.py": ONE_HOST},
    {"ceiling.in_service": 2, "ceiling.bounded": True},
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, (*WITHOUT_NGINX, HOST))


@pytest.fixture(scope="module")
def done_with_nginx(workshop):
    if shutil.which("nginx") is None:
        pytest.skip("not installed: nginx (apt-get install nginx-light)")
    return run_all(workshop, (*WITH_NGINX, *ANSWERED_IN_FRONT, PAGE, SILENT))


def found(own, result):
    """What the verdict says of all that is expected, and how many wait in the front, between the two, and behind it."""
    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    inside = [verdict["front"][name] for name in ("in_front", "accept_queue", "in_server")]
    waiting = verdict["places"]["userspace_queue"]
    return {name: value(verdict, name) for name in own.says}, sum(inside) == waiting


@pytest.mark.parametrize("own", WITHOUT_NGINX, ids=lambda own: own.id)
def test_where_requests_wait_behind_a_front_is_told(done, own):
    assert found(own, done[own.id]) == (dict(own.says), True)


@pytest.mark.parametrize("own", WITH_NGINX, ids=lambda own: own.id)
def test_where_requests_wait_behind_nginx_is_told(done_with_nginx, own):
    assert found(own, done_with_nginx[own.id]) == (dict(own.says), True)


@pytest.mark.servers
def test_connections_that_a_front_keeps_for_later_hold_no_request(workshop):
    if shutil.which("haproxy") is None:
        pytest.skip("not installed: haproxy (apt-get install haproxy)")
    done = run_all(workshop, WITH_HAPROXY)

    for own in WITH_HAPROXY:
        assert found(own, done[own.id]) == (dict(own.says), True)
        (told,) = [each for each in done[own.id].verdict()["warnings"] if "in haproxy" in each]
        assert "is its limit, not the server's" in told


@pytest.mark.servers
def test_a_front_that_uses_what_it_keeps_has_handed_on_all_that_wait(workshop):
    if shutil.which("caddy") is None:
        pytest.skip("not installed: caddy (apt-get install caddy)")
    (done,) = run_all(workshop, [WITH_CADDY]).values()

    assert found(WITH_CADDY, done) == (dict(WITH_CADDY.says), True)


@pytest.mark.servers
def test_connections_that_a_front_may_keep_over_a_unix_socket_are_not_taken_for_requests(workshop):
    if shutil.which("haproxy") is None:
        pytest.skip("not installed: haproxy (apt-get install haproxy)")
    (done,) = run_all(workshop, [KEPT_FOR_LONG]).values()

    verdict = done.verdict()
    assert {name: value(verdict, name) for name in KEPT_FOR_LONG.says} == dict(KEPT_FOR_LONG.says)
    assert "over a Unix socket" in verdict["unknown"]["front.in_server"]
    (told,) = [each for each in verdict["warnings"] if "in haproxy" in each]
    assert "may be its limit, not the server's" in told


def test_a_front_that_answers_itself_is_named(done_with_nginx):
    error = done_with_nginx["static"].ended.err

    assert "answered GET /static with 200 itself" in error
    assert "did not hand the request on to gunicorn" in error
    assert re.search(r"--port unix:\S*server\.sock\b", error)


def test_a_front_that_does_not_reach_the_server_is_named(done_with_nginx):
    error = done_with_nginx["unreachable"].ended.err

    assert "answered GET / with 502 itself" in error
    assert "did not reach gunicorn" in error


def test_a_front_that_answers_beside_the_server_is_told(done_with_nginx):
    result = done_with_nginx["a page"]
    verdict = result.verdict()
    (told,) = [each for each in verdict["warnings"] if "answered by itself" in each]

    assert {name: value(verdict, name) for name in PAGE.says} == dict(PAGE.says)
    assert told.startswith("nginx (pid ")
    assert f"listens on port {result.port} too" in told
    assert f"--port {result.port}" in told


def test_a_front_that_gives_no_answer_beside_the_server_is_told(done_with_nginx):
    result = done_with_nginx[SILENT.id]
    (told,) = [each for each in result.verdict()["warnings"] if "gave no answer" in each]

    assert value(result.verdict(), "ceiling.in_service") == 3
    assert told.startswith("nginx (pid ")
    assert f"listens on port {result.port} too" in told


def test_an_address_for_both_families_is_asked_by_the_host_that_applications_allow(done):
    result = done[HOST.id]

    assert result.ended.exit == HOST.exit, result.ended.err
    assert {name: value(result.verdict(), name) for name in HOST.says} == dict(HOST.says)
