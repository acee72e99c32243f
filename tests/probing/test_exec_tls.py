"""Servers that speak TLS themselves: they are spoken to in TLS, and the verdict is that of their settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed

PEM = Path(__file__).parents[1] / "engine" / "localhost.pem"
"""Key and self-signed certificate of localhost and 127.0.0.1, valid for a hundred years and worth nothing."""

WSGI = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""
# It answers plain HTTP with 400 in plain HTTP, as nginx, Apache and Go's server do.
CHEROOT = (
    WSGI
    + """

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server

server = Server(("127.0.0.1", {port}), app, numthreads=3)
server.ssl_adapter = BuiltinSSLAdapter("both.pem", "both.pem")
try:
    server.start()
finally:
    server.stop()
"""
)
ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
"""
FILES = {"asgi.py": ASGI, "app.py": WSGI, "both.pem": PEM.read_text(), "serve.py": CHEROOT}
GUNICORN = ("gunicorn", "-b", "127.0.0.1:{port}", "--backlog", "7")
CERTIFICATE = ("--certfile", "both.pem", "--keyfile", "both.pem")
OF_GRANIAN = ("--ssl-certificate", "both.pem", "--ssl-keyfile", "both.pem")
OF_UVICORN = ("--ssl-certfile", "both.pem", "--ssl-keyfile", "both.pem", "--ssl-ca-certs", "both.pem")
OVER_TLS = {"target.held_in": "flask view index()", "tls.certificate_checked": False}

COMMANDS = (
    Own(
        "sync",
        (*GUNICORN, "-w", "2", *CERTIFICATE, "app:app"),
        FILES,
        {
            **OVER_TLS,
            "ceiling.in_service": 2,
            "ceiling.bounded": True,
            "ceiling.accept_queue": 8,
            "tls.before_handshake": 0,
            "overflow.client_sees": "connect-timeout",
        },
    ),
    Own(
        "threads",
        (*GUNICORN, "--threads", "3", "--worker-connections", "10", *CERTIFICATE, "app:app"),
        FILES,
        {
            **OVER_TLS,
            "ceiling.in_service": 3,
            "ceiling.userspace_queue": 7,
            # A thread shakes hands when it takes the connection out of the pool's queue (gthread.py, TConn.init).
            "tls.before_handshake": 7,
            "abandoned.run_anyway": 0,
        },
        options=("--tls",),
    ),
    Own(
        "400 in plain HTTP",
        ("python", "serve.py"),
        FILES,
        {**OVER_TLS, "ceiling.in_service": 3, "ceiling.bounded": True},
    ),
    Own(
        "an alert",
        ("granian", "--interface", "wsgi", "--port", "{port}", "--blocking-threads", "2", *OF_GRANIAN, "app:app"),
        FILES,
        {**OVER_TLS, "ceiling.in_service": 2, "ceiling.bounded": True},
    ),
    Own(
        "plain",
        (*GUNICORN, "app:app"),
        FILES,
        {"ceiling.in_service": 1, "tls": None},
    ),
    Own("plain, asked for TLS", (*GUNICORN, "app:app"), FILES, options=("--tls",), exit=INCONCLUSIVE),
    Own(
        "client certificate",
        (*GUNICORN, *CERTIFICATE, "--ca-certs", "both.pem", "--cert-reqs", "2", "app:app"),
        FILES,
        exit=INCONCLUSIVE,
    ),
    # asyncio closes the connection without an alert where the client shows no certificate (sslproto.py, _fatal_error).
    Own(
        "client certificate, not said",
        ("uvicorn", "--port", "{port}", "--loop", "asyncio", *OF_UVICORN, "--ssl-cert-reqs", "2", "asgi:app"),
        FILES,
        exit=INCONCLUSIVE,
    ),
    # gunicorn answers 403 in plain HTTP where it cannot load its key (workers/base.py, handle_error), and logs why.
    Own(
        "no key in its file",
        (*GUNICORN, "--certfile", "both.pem", "--keyfile", "app.py", "app:app"),
        FILES,
        exit=INCONCLUSIVE,
    ),
)


REFUSED = {
    "plain, asked for TLS": ("does not speak TLS", "Leave --tls out"),
    "client certificate, not said": ("closed", "demands a certificate of its clients"),
    "no key in its file": ("answered with 403", "PEM lib"),
    "client certificate": ("speaks TLS, but not with holdfast", "asks its clients for a certificate"),
}


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.parametrize("own", [each for each in COMMANDS if each.says], ids=lambda own: own.id)
def test_a_server_that_speaks_tls_is_measured_as_one_without(done, own):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]


@pytest.mark.parametrize(("id", "words"), REFUSED.items(), ids=REFUSED)
def test_where_the_two_do_not_meet_in_tls_it_is_said_how_they_would(done, id, words):
    result = done[id]

    assert result.ended.exit == INCONCLUSIVE, result.ended.err
    assert all(each in result.ended.err for each in words), result.ended.err


def test_a_server_that_speaks_plain_http_says_so_in_the_verdict(done):
    assert done["plain"].verdict()["unknown"]["tls"] == "requests were sent in plain HTTP"
