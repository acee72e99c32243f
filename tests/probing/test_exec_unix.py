"""Own commands that listen on a Unix socket: found by the process tree, and probed as over TCP."""

from __future__ import annotations

import pytest
from own_commands import USAGE, Own, run_all, value
from support.placed import placed
from test_exec_commands import FLASK, FLASK_SCRIPT, OF_FLASK

QUEUED = {
    "ceiling.accept_queue": 8,
    "ceiling.accept_queue_limit": 7,
    "overflow.then": ["refused"],
    "overflow.client_sees": "refused",
}
# A second server in the process, on a port of its own, such as one for metrics.
METRICS = (
    FLASK
    + """

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

threading.Thread(target=HTTPServer(("127.0.0.1", {port}), BaseHTTPRequestHandler).serve_forever, daemon=True).start()
"""
)
TWO = ("gunicorn", "-b", "unix:a.sock", "-b", "unix:b.sock", "--no-control-socket", "app:app")

COMMANDS = (
    Own(
        "gunicorn on a socket",
        ("gunicorn", "-w", "2", "--backlog", "7", "-b", "unix:app.sock", "app:app"),
        {"app.py": FLASK},
        {**OF_FLASK, **QUEUED, "ceiling.in_service": 2, "target.server": "gunicorn"},
    ),
    Own(
        "gunicorn on a socket in another directory",
        ("gunicorn", "--chdir", "shop", "--daemon", "-b", "unix:app.sock", "app:app"),
        {"shop/app.py": FLASK},
        {**OF_FLASK, "ceiling.in_service": 1},
    ),
    Own(
        "a script on a socket",
        ("python", "app.py"),
        {"app.py": FLASK_SCRIPT.format('"unix://own.sock", threaded=False')},
        {**OF_FLASK, "ceiling.in_service": 1},
    ),
    Own(
        "beside a port that leads nowhere",
        ("gunicorn", "--backlog", "7", "-b", "unix:app.sock", "app:app"),
        {"app.py": METRICS},
        {**OF_FLASK, **QUEUED, "ceiling.in_service": 1},
    ),
    Own("two sockets", TWO, {"app.py": FLASK}, exit=USAGE),
    Own(
        "one of two sockets",
        TWO,
        {"app.py": FLASK},
        {**OF_FLASK, "ceiling.in_service": 1},
        options=("--port", "unix:b.sock"),
    ),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.parametrize("own", [each for each in COMMANDS if not each.exit], ids=lambda own: own.id)
def test_a_command_that_listens_on_a_unix_socket_is_probed_there(done, own):
    ended = done[own.id].ended
    assert ended.exit == own.exit, ended.err

    verdict = done[own.id].verdict()

    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]


def test_of_several_unix_sockets_the_person_is_asked(done):
    ended = done["two sockets"].ended

    assert ended.exit == USAGE, ended.err
    assert "several Unix sockets" in ended.err
    assert "a.sock: leads to flask view index()" in ended.err
    assert "Say with --port which one is meant." in ended.err


def test_a_socket_file_of_a_person_s_own_is_left_to_the_server(done):
    # gunicorn removes its own (gunicorn/sock.py, close_sockets()), Werkzeug does not.
    assert not (done["gunicorn on a socket"].directory / "app.sock").exists()
    assert (done["a script on a socket"].directory / "own.sock").is_socket()
