"""Limits of a front that move, or strike while a probe looks: what the number in service is then."""

from __future__ import annotations

import shutil

import pytest
from own_commands import ANSWERED, USAGE, Own, run_all, value
from test_exec_front import APP, HAPROXY, NGINX, NGINX_RUNS, ON_UNIX, SCRIPT, TO_UWSGI

# haproxy, srv_dynamic_maxconn(): as many of `maxconn` as the backend has of `fullconn`, `minconn` at least. It is asked
# when one ends (process_srv_queue()), so while all are held it stays at what the first that waited has met.
MOVES = HAPROXY.replace("maxconn 2", "minconn 1 maxconn 4").replace("listen front", "listen front\n  fullconn 20")
ASGI = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index():
    return "hello"
"""
# nginx, ngx_http_proxy_module: 504 where the server has sent nothing for so long.
TIMES_OUT = NGINX.replace("worker_connections 512", "worker_connections 4000")
TIMES_OUT = TIMES_OUT.replace("proxy_pass http://UPSTREAM", "proxy_read_timeout 1s; proxy_pass http://tcp")
TWO = NGINX.replace("server 127.0.0.1:{other};", "server 127.0.0.1:{other}; server unix:server.sock;")
TWO = TWO.replace("proxy_pass http://UPSTREAM", f"{TO_UWSGI} uwsgi_pass tcp")
# When twenty requests are under way, it answers for three of those that wait.
IN_A_CROWD = """
import socket
import threading

under_way, lock = [], threading.Lock()


def serve(client):
    with lock:
        under_way.append(client)
        away = under_way[6:15:4] if len(under_way) == 20 else []
    for each in away:
        each.sendall(b"HTTP/1.1 502 Bad Gateway\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
        each.shutdown(socket.SHUT_RDWR)
    with client, socket.create_connection(("127.0.0.1", {other})) as server:
        try:
            server.sendall(client.recv(65536))
            while data := server.recv(4096):
                client.sendall(data)
        except OSError:
            pass
    with lock:
        under_way.remove(client)


with socket.create_server(("127.0.0.1", {port}), backlog=64) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def own(id: str, server: str, front: str, *options: str, **files: str) -> Own:
    named = {name.replace("_", "."): text for name, text in files.items()}
    start = SCRIPT.replace("{}", server, 1).replace("{}", front, 1)
    return Own(id, ("sh", "start.sh"), {"app.py": APP, **named, "start.sh": start}, {}, options)


def run(workshop, command: Own):
    done = run_all(workshop, [command])[command.id]
    assert done.ended.exit == ANSWERED, done.ended.err
    return done.verdict()


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"not installed: {program}")


@pytest.mark.servers
@pytest.mark.parametrize(
    ("settings", "ceiling", "told"),
    [(MOVES, [4, False, [4, None], None], 1), (HAPROXY, [2, True, None, [2, 2]], 0)],
    ids=["moves", "stays"],
)
def test_a_limit_that_moves_with_what_a_front_has_is_no_bound(workshop, settings, ceiling, told):
    needs("haproxy")
    server = "gunicorn --threads 8 -b 127.0.0.1:{other} app:app"
    command = own(f"haproxy {told}", server, "exec haproxy -f haproxy.cfg", haproxy_cfg=settings)

    verdict = run(workshop, command)

    names = ("in_service", "bounded", "interval", "at_exact_load")
    assert [value(verdict, f"ceiling.{name}") for name in names] == ceiling
    assert sum("let go" in each for each in verdict["warnings"]) == told


@pytest.mark.servers
def test_a_time_limit_of_a_front_that_strikes_while_queues_are_filled_leaves_the_plateau_before_it(workshop):
    needs("nginx")
    server = "uvicorn --port {other} app:app"
    command = own("times out", server, NGINX_RUNS, "--max-offered", "5000", app_py=ASGI, nginx_conf=TIMES_OUT)

    verdict = run(workshop, command)

    # AnyIO, _backends/_asyncio.py: CapacityLimiter(40).
    assert (value(verdict, "ceiling.in_service"), value(verdict, "ceiling.bounded")) == (40, True)
    assert value(verdict, "front.program") == "nginx"
    if value(verdict, "overflow.client_sees") is None:
        assert "time limit" in verdict["unknown"]["overflow.client_sees"]
    assert any("has a time limit" in each for each in verdict["warnings"])


@pytest.mark.servers
def test_processes_of_two_servers_of_which_each_queue_is_in_use_are_full(workshop):
    needs("nginx")
    uwsgi = "uwsgi --enable-threads --master --module app:app"
    server = f"{uwsgi} --socket 127.0.0.1:{{other}} --threads 2 &\n{uwsgi} --socket server.sock -p 3"

    verdict = run(workshop, own("two", server, NGINX_RUNS, nginx_conf=TWO))

    assert (value(verdict, "ceiling.in_service"), value(verdict, "ceiling.bounded")) == (5, True)


def test_what_is_turned_away_at_once_with_what_waits_shows_no_full_queue(workshop):
    server = "gunicorn --threads 4 -b 127.0.0.1:{other} app:app"
    command = own("crowd", server, "exec python front.py", "--max-offered", "20", front_py=IN_A_CROWD)

    verdict = run(workshop, command)

    assert (value(verdict, "ceiling.in_service"), value(verdict, "ceiling.bounded")) == (4, True)
    assert (value(verdict, "places.rejected"), value(verdict, "ceiling.userspace_queue")) == (3, None)
    reasons = verdict["unknown"]
    assert "under way before the first" in reasons["ceiling.userspace_queue"]
    assert reasons["overflow.client_sees"] == reasons["ceiling.userspace_queue"]


def test_which_program_listens_where_is_told_if_two_fronts_lead_to_one_server(workshop):
    needs("nginx")
    one = NGINX.replace("UPSTREAM", "unix").replace("{other}", "{port}")
    two = one.replace("listen 127.0.0.1:{port};", "listen 127.0.0.1:{other};").replace("nginx.pid", "two.pid")
    server = f"{ON_UNIX} --threads 2 app:app &\n{NGINX_RUNS.removeprefix('exec ')}"
    front = NGINX_RUNS.replace("nginx.conf", "two.conf")
    command = own("two fronts", server, front, nginx_conf=one, two_conf=two)

    ended = run_all(workshop, [command])[command.id].ended

    assert ended.exit == USAGE, ended.err
    lines = [each for each in ended.err.splitlines() if "leads to flask view index()" in each]
    assert [("(through nginx (pid" in each, "(gunicorn (pid" in each) for each in lines] == [(True, False)] * 2
