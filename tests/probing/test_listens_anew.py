"""What answers while a server starts, and is not the server: it is waited for until the server itself listens."""

from __future__ import annotations

import pytest
from own_commands import ANSWERED, INCONCLUSIVE, Own, run_all, value
from support import supervisor

APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]
"""
# As OctoPrint has it: a page of its own answers on the server's port, and makes way for the server.
PAGE_OF_THE_START = """
import http.server, threading, time
from wsgiref.simple_server import make_server
from app import application

class Starting(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

page = http.server.HTTPServer(("127.0.0.1", {port}), Starting)
threading.Thread(target=page.serve_forever, daemon=True).start()
time.sleep(1)
page.shutdown()
page.server_close()
make_server("127.0.0.1", {port}, application).serve_forever()
"""
# A script that starts something, sleeps for longer than a start pauses, and only then starts the server.
SCRIPT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{other}"])
subprocess.run(["sleep", "3"])
subprocess.run([sys.executable, "-m", "gunicorn", "-w", "3", "-b", "127.0.0.1:{port}", "app"])
"""
# What answers is killed, and the server has two ports.
KILLED = """
import subprocess, sys
page = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{other}"])
subprocess.run(["sleep", "3"])
page.kill()
page.wait()
subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{other}"])
subprocess.run([sys.executable, "-m", "gunicorn", "-w", "3", "-b", "127.0.0.1:{port}", "app"])
"""
# gunicorn listens at once, and its worker needs longer to load than any listener is first given (2 s, pick_port.py).
SLOW = """
import http.server, threading, time
other = http.server.HTTPServer(("127.0.0.1", {other}), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=other.serve_forever, daemon=True).start()
time.sleep(3)
"""
# Nothing but that ever listens.
ALONE = """
import http.server
http.server.HTTPServer(("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
# gunicorn ends itself when a worker ends with 3 (gunicorn/arbiter.py, WORKER_BOOT_ERROR), after the client has seen it.
MORTAL = """
import os
from flask import Flask

application = Flask(__name__)

@application.before_request
def end():
    os._exit(3)
"""
# It listens no more when it answers its first request, and ends a moment later.
ANSWERS_ONCE = """
import sys, time
from wsgiref.simple_server import WSGIServer, make_server
from app import application

class Once(WSGIServer):
    def process_request(self, request, address):
        self.socket.close()
        super().process_request(request, address)

make_server("127.0.0.1", {port}, application, Once).handle_request()
time.sleep(0.5)
sys.exit("That was all.")
"""


def own(id, script, **more):
    return Own(id, ("python", "start.py"), {"start.py": script, "app.py": APP}, **more)


def supervised(id, *owns):
    command = ("python", supervisor.__file__, "{port}", "3", *owns)
    return Own(id, command, {"app.py": APP}, {"ceiling.in_service": 3})


ENDS = (
    Own("a worker that ends", ("gunicorn", "-b", "127.0.0.1:{port}", "mortal"), {"mortal.py": MORTAL}),
    own("one answer", ANSWERS_ONCE),
)
COMMANDS = (
    # gunicorn/arbiter.py: sync workers serve one request each.
    supervised("commands on a Unix socket", "commands.sock"),
    supervised("commands on a port", "{other}"),
    # wsgiref serves one request after another.
    own("a page on the same port", PAGE_OF_THE_START, says={"ceiling.in_service": 1}),
    own("a sleep in a script", SCRIPT, says={"ceiling.in_service": 3}),
    own("a page that is killed", KILLED, says={"ceiling.in_service": 3}),
    Own(
        "a slow worker beside another port",
        ("gunicorn", "--threads", "2", "-b", "127.0.0.1:{port}", "app:application"),
        {"app.py": SLOW + APP},
        {"ceiling.in_service": 2},
    ),
    # http.server without threads handles one request after another.
    own("nothing else", ALONE, says={"ceiling.in_service": 1}),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, (*COMMANDS, *ENDS))


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_what_answers_for_the_start_alone_is_not_taken_for_the_server(own, done):
    ended = done[own.id].ended

    assert ended.exit == own.exit, ended.err
    if own.exit == ANSWERED:
        verdict = done[own.id].verdict()
        assert {name: value(verdict, name) for name in own.says} == dict(own.says)


@pytest.mark.servers
@pytest.mark.parametrize("own", ENDS, ids=lambda own: own.id)
def test_a_server_that_ends_at_the_first_request_is_not_said_to_be_still_running(own, done):
    ended = done[own.id].ended

    assert ended.exit == INCONCLUSIVE, ended.err
    assert "The server ended after the first request." in ended.err
    assert "Worker failed to boot" in ended.err or "That was all." in ended.err
