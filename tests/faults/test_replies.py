"""What answers is no HTTP, malformed HTTP, endless, cut short, too long, or not the view."""

from __future__ import annotations

import json
import sys

import pytest

ANSWERED, INCONCLUSIVE = 0, 3

# Stands where an interpreter is expected: asked for packages it is one, told to serve it does what a test wants.
NOT_PYTHON = """#!/bin/sh
case "$*" in
  *holdfast_inside.flask_server*) exec {python} {script} "$@" ;;
  *) exec {python} "$@" ;;
esac
"""
SERVER = """
import itertools, socket, sys

port = int(sys.argv[sys.argv.index("--port") + 1])
with socket.create_server(("127.0.0.1", port)) as listener:
    while True:
        connection = listener.accept()[0]
        connection.recv(65536)
        try:
            for piece in {pieces}:
                connection.sendall(piece)
        except OSError:
            pass
        connection.close()
"""


# What it says, and what is found of it.
NO_HTTP = {
    "SMTP": (r'[b"220 mail.example.org ESMTP\r\n"]', "it begins with b'220 mail"),
    "uwsgi protocol": (r'[b"\x00\x12\x00\x00uwsgi"]', "the reply is not HTTP/1"),
    "status": (r'[b"HTTP/1.1 two hundred OK\r\n\r\n"]', "the head of the reply is not HTTP/1"),
    "field": (r'[b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"]', "the head of the reply is not HTTP/1"),
    "length": (r'[b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"]', "is not HTTP/1"),
    "chunk": (
        r'[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"]',
        "the body of the reply is not HTTP/1",
    ),
    "endless fields": (
        r'itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X-More: 1\r\n"))',
        "does not end within 64 KiB",
    ),
    "endless 100": (r'itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n")', "does not end within 64 KiB"),
}
NO_ANSWER = "The first request, GET /, got no answer: its connection was"
BROKE_OFF = "The reply to the first request, GET /, broke off: its connection was closed before its announced end."
BROKEN_OFF = {
    "nothing": ("[]", NO_ANSWER),
    "half a head": (r'[b"HTTP/1.1 200 OK\r\nX: "]', f"{NO_ANSWER} closed."),
    "short body": (r'[b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"]', BROKE_OFF),
    "half a chunk": (r'[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"]', BROKE_OFF),
    "long body": (
        r'[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nlonger"]',
        "The server answers, but has not loaded the application that it was given.",
    ),
}

# RFC 8446, appendix D: a fatal alert (2), protocol_version (70), as a server of TLS answers what it does not speak.
TLS_ALERT = r'[b"\x15\x03\x01\x00\x02\x02\x46"]'
# The same (unrecognized_name, 112), as nginx (`ssl_reject_handshake`) and haproxy (`strict-sni`) answer without a name.
NO_SUCH_NAME = r'[b"\x15\x03\x03\x00\x02\x02\x70"]'
TLS_ALERTS = {"TLS alert": (TLS_ALERT, "protocol version"), "unknown name": (NO_SUCH_NAME, "unrecognized name")}


@pytest.fixture(scope="module")
def endings(workshop):
    """How a probe ended of servers that answer everything with the same bytes."""
    pythons = {}
    for name, (pieces, _) in (NO_HTTP | BROKEN_OFF | TLS_ALERTS).items():
        place = workshop.directory / name.replace(" ", "-")
        place.mkdir()
        script, pythons[name] = place / "server.py", place / "python"
        script.write_text(SERVER.format(pieces=pieces))
        pythons[name].write_text(NOT_PYTHON.format(python=sys.executable, script=script))
        pythons[name].chmod(0o755)
    ended = workshop.run_together(["probe", "--python", str(python)] for python in pythons.values())
    return dict(zip(pythons, ended, strict=True))


@pytest.mark.parametrize("name", NO_HTTP)
def test_a_reply_that_is_no_http_is_shown_for_what_it_is(endings, name):
    ended = endings[name]

    assert ended.exit == INCONCLUSIVE, ended.err
    assert "does not speak HTTP as holdfast understands it." in ended.what
    assert NO_HTTP[name][1] in ended.err
    assert "Choose the server's HTTP port" in ended.err


@pytest.mark.parametrize("name", TLS_ALERTS)
def test_a_server_that_speaks_another_tls_is_named_as_one_that_speaks_tls(endings, name):
    ended = endings[name]

    assert ended.exit == INCONCLUSIVE, ended.err
    assert ended.what.endswith("speaks TLS, but not with holdfast.")
    assert f"tlsv1 alert {TLS_ALERTS[name][1]}" in ended.err
    assert "-H 'Host: NAME'" in ended.err


@pytest.mark.parametrize("name", BROKEN_OFF)
def test_a_reply_that_breaks_off_is_told_from_none(endings, name):
    ended = endings[name]

    assert ended.exit == INCONCLUSIVE, ended.err
    assert ended.what.startswith(f"holdfast: {BROKEN_OFF[name][1]}")


def changed(header: str) -> str:
    return f"from app import app\n@app.after_request\ndef change(response):\n    {header}\n    return response\n"


@pytest.mark.parametrize("server", ["flask", "uwsgi"])
def test_an_application_that_announces_too_much_is_found_out(holdfast, write, server):
    write("long.py", changed("response.headers['Content-Length'] = '999'"))

    ended = holdfast.run("probe", "long.py", "--server", server)

    assert ended.exit == INCONCLUSIVE
    assert "broke off" in ended.what
    assert "Content-Length that is too long" in ended.err


def test_an_application_that_announces_too_little_is_probed_with_a_warning(holdfast, write):
    write("short.py", changed("response.headers['Content-Length'] = '2'"))

    ended = holdfast.run(
        "probe", "short.py", "--server", "uwsgi", "--max-offered", "5", "--json", "-", "--", "--http-socket", ":0"
    )

    assert ended.exit == ANSWERED, ended.err
    assert any("more bytes than they announced" in each for each in json.loads(ended.out)["warnings"])


GUARDED = """
from flask import Flask, abort, redirect, request
app = Flask(__name__)

@app.before_request
def guard():
    if request.path == "/moved":
        return redirect("/login")
    if request.path == "/secret" and request.headers.get("Authorization") != "Bearer right":
        abort(401)
    if request.path == "/forbidden":
        abort(403)
    if request.path == "/broken":
        raise RuntimeError("the session store is away")

@app.get("/secret")
@app.get("/moved")
@app.get("/forbidden")
@app.get("/broken")
def view():
    return "in"

@app.post("/orders")
def order():
    return "ordered"
"""


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/moved", 302, "It is a redirect to /login"),
        ("/secret", 401, "It asks for a login."),
        ("/forbidden", 403, "Access is denied"),
        ("/broken", 500, "RuntimeError: the session store is away"),
    ],
)
def test_what_answers_in_front_of_the_view_is_named(holdfast, write, path, status, says):
    write("guarded.py", GUARDED)

    ended = holdfast.run("probe", "guarded.py", "--path", path)

    assert ended.exit == INCONCLUSIVE
    assert ended.what == f"holdfast: GET {path} was answered with {status} before any view was entered."
    assert says in ended.err
    assert "--path" in ended.err


def test_a_login_can_be_sent(holdfast, write):
    write("guarded.py", GUARDED)

    ended = holdfast.run(
        "probe",
        "guarded.py",
        "--path",
        "/secret",
        "-H",
        "Authorization: Bearer right",
        "--max-offered",
        "3",
        "--json",
        "-",
    )

    assert ended.exit == ANSWERED, ended.err
    assert json.loads(ended.out)["target"]["held_in"] == "flask view view()"


def test_a_view_that_takes_only_posts_is_held_where_the_server_hands_over_and_that_is_said(holdfast, write):
    write("guarded.py", GUARDED)

    ended = holdfast.run("probe", "guarded.py", "--path", "/orders", "--max-offered", "3", "--json", "-")

    assert ended.exit == ANSWERED, ended.err
    verdict = json.loads(ended.out)
    assert verdict["target"]["held_in"] == "flask entry (no view for GET at /orders)"
    (said,) = [each for each in verdict["warnings"] if "no view for GET at this path" in each]
    assert said.endswith("Name the path of a view with --path. holdfast sends no other method.")
