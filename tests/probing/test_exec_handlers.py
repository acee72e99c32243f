"""Servers on the standard library's `socketserver`, without a framework: a method answers, or an application does.

Sources: CPython 3.11, Lib/socketserver.py: a BaseServer handles one request after another, ThreadingMixIn starts a
thread for each, ForkingMixIn a process, `max_children` = 40 at most. Lib/http/server.py: BaseHTTPRequestHandler calls
the method that is named after the request's.
"""

from __future__ import annotations

import pytest
from own_commands import ANSWERED, USAGE, Own, run_all, value
from support.placed import placed

HANDLER = """
import functools
import http.server
import socketserver
import threading


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"page")

    def log_message(self, *args):
        pass


"""
ADDRESS = '("127.0.0.1", {port})'
# A person's decorator around the method lets four in.
FOUR = """
def four_at_once(method):
    free = threading.Semaphore(4)

    @functools.wraps(method)
    def wrapper(self):
        with free:
            method(self)

    return wrapper


Page.do_GET = four_at_once(Page.do_GET)
http.server.ThreadingHTTPServer(ADDRESS, Page).serve_forever()
"""
THREAD = """
import time
threading.Thread(target=http.server.ThreadingHTTPServer(ADDRESS, Page).serve_forever, daemon=True).start()
while True:
    time.sleep(0.1)
"""
FORKS = """
class Server(socketserver.ForkingMixIn, http.server.HTTPServer):
    pass


Server(ADDRESS, Page).serve_forever()
"""
# A WSGI server of one's own, as bundled ones are: the application is an attribute of the server.
OWN_WSGI = """
class Handler(http.server.BaseHTTPRequestHandler):
    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.close_connection = True
        environ = {"REQUEST_METHOD": self.command, "PATH_INFO": self.path, "QUERY_STRING": "", "wsgi.input": self.rfile}
        for name, value in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        body = b"".join(self.server.application(environ, self.start))
        self.wfile.write(body)

    def start(self, status, headers):
        self.send_response(int(status.split()[0]))
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    application = None


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]


server = Server(ADDRESS, Handler)
server.application = application
server.serve_forever()
"""
# As Mercurial has it (hgdemandimport/demandimportpy3.py): something around each finder.
AROUND = """
import sys


class Around:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, fullname, path, target=None):
        return self.finder.find_spec(fullname, path, target)


sys.meta_path[:] = map(Around, sys.meta_path)
"""
# A port for metrics beside a server: what is meant is the one with a view.
BESIDE = """
from flask import Flask
from waitress import serve

threading.Thread(target=http.server.HTTPServer(("127.0.0.1", {other}), Page).serve_forever, daemon=True).start()
app = Flask(__name__)


@app.get("/")
def index():
    return "done"


serve(app, listen="127.0.0.1:{port}", threads=3)
"""
# A server of which nothing is known, beside a port that is only asked for metrics.
UNKNOWN = """
class Line(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nline")


threading.Thread(target=http.server.HTTPServer(("127.0.0.1", {other}), Page).serve_forever, daemon=True).start()
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(ADDRESS, Line).serve_forever()
"""
# As rocket3 has it (rocket3/__init__.py, WSGIWorker.__init__): each worker thread keeps the application.
WORKERS = """
import socket
import threading


class WSGIWorker(threading.Thread):
    def __init__(self, app_info, listener):
        super().__init__()
        self.listener = listener
        self.app = app_info.get("wsgi_app")

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            with connection, connection.makefile("rwb") as stream:
                _, path, _ = stream.readline().decode().split()
                environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": ""}
                while line := stream.readline().decode().strip():
                    name, _, value = line.partition(": ")
                    environ["HTTP_" + name.upper().replace("-", "_")] = value
                body = b"".join(self.app(environ, lambda status, headers: None))
                head = f"HTTP/1.1 200 OK\\r\\nContent-Length: {len(body)}\\r\\nConnection: close\\r\\n\\r\\n"
                stream.write(head.encode() + body)


def serve(application, port):
    listener = socket.create_server(("127.0.0.1", port), backlog=5)
    for _ in range(3):
        WSGIWorker({"wsgi_app": application}, listener).start()
"""
ON_WORKERS = """
from rocket3 import serve


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]


serve(application, {port})
"""
METHOD = "http.server view Page.do_GET()"
THREADS = {"ceiling.in_service": 50, "ceiling.bounded": False, "model.kind": "thread-per-request"}


def own(id, script, says, **more):
    return Own(id, ("python", "serve.py"), {"serve.py": (HANDLER + script).replace("ADDRESS", ADDRESS)}, says, **more)


COMMANDS = (
    own(
        "one after another",
        "http.server.HTTPServer(ADDRESS, Page).serve_forever()",
        # The attribute request_queue_size of a TCPServer is 5.
        {
            "target.held_in": METHOD,
            "ceiling.in_service": 1,
            "ceiling.accept_queue": 6,
            "model.kind": "serial",
            "overflow.client_sees": "connect-timeout",
        },
    ),
    own(
        "threads and a class made for each request",
        "http.server.ThreadingHTTPServer(ADDRESS, functools.partial(Page)).serve_forever()",
        {"target.held_in": METHOD, **THREADS},
    ),
    Own(
        "something around each finder",
        ("python", "serve.py"),
        {"serve.py": f"{AROUND}{HANDLER}http.server.HTTPServer({ADDRESS}, Page).serve_forever()"},
        {"target.held_in": METHOD, "ceiling.in_service": 1},
    ),
    own("a thread of a script that sleeps", THREAD, {"target.held_in": METHOD, **THREADS}),
    own(
        "a semaphore around the method",
        FOUR,
        {
            "target.held_in": METHOD,
            "ceiling.in_service": 4,
            "ceiling.bounded": True,
            "overflow.first": "userspace_queue",
            "overflow.client_sees": "waits",
        },
    ),
    own("processes", FORKS, {"ceiling.in_service": 40, "ceiling.bounded": True, "model.kind": "process-per-request"}),
    Own(
        "files of a directory",
        ("python", "-m", "http.server", "--bind", "127.0.0.1", "{port}"),
        says={"target.held_in": "http.server view SimpleHTTPRequestHandler.do_GET()", **THREADS},
    ),
    own("an application of a bundled server", OWN_WSGI, {"target.held_in": "wsgi entry", **THREADS}),
    Own(
        "workers that keep the application",
        ("python", "serve.py"),
        {"serve.py": ON_WORKERS, "rocket3.py": WORKERS},
        {
            "target.held_in": "wsgi entry",
            "ceiling.in_service": 3,
            "ceiling.accept_queue": 6,
            "model.kind": "thread-pool",
        },
    ),
    own("metrics beside a view", BESIDE, {"target.held_in": "flask view index()", "ceiling.in_service": 3}),
)
ASKED = own("metrics beside what is not known", UNKNOWN, {}, exit=USAGE)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, (*COMMANDS, ASKED))


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_a_server_without_a_framework_is_held_in_what_answers(own, done):
    result = done[own.id]

    assert result.ended.exit == ANSWERED, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]


@pytest.mark.servers
def test_a_port_for_metrics_is_not_taken_for_a_server_that_is_not_known(done):
    ended = done[ASKED.id].ended

    assert ended.exit == ASKED.exit, ended.err
    assert "Say with --port which one is meant." in ended.err
