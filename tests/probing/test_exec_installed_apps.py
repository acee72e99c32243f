"""Applications that are installed packages, as one gets them from an index: no file of theirs is the person's own.

Such an application is held in its own code, and what the server runs at once of it is what is claimed.
"""

from __future__ import annotations

import pytest
from own_commands import Own, run_all, value
from support.placed import placed

# Its threads are bounded by a semaphore, as those of small servers in applications are.
SHOP = """
import socketserver
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from framework import Router
from shop.pages import index, log

FREE = threading.Semaphore(3)


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 20

    def process_request(self, request, client_address):
        FREE.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, *of_request):
        try:
            super().process_request_thread(*of_request)
        finally:
            FREE.release()


class Quiet(WSGIRequestHandler):
    def log_request(self, *of_request):
        pass


def main():
    router = log(Router({"/": index}))
    make_server("127.0.0.1", int(sys.argv[1]), router, Server, Quiet).serve_forever()


main()
"""
PAGES = """
def index(environ):
    return [b"hello"]


def log(application):
    # Middleware whose start_response the framework calls from within the view's request.
    def logging(environ, start_response):
        def noting(status, headers):
            return start_response(status, headers)

        return application(environ, noting)

    return logging


def in_parts(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    yield b"hello"
"""
WSGI = """
from framework import Router
from shop.pages import index, log

application = log(Router({"/": index}))
"""
FRAMEWORK = """
class Router:
    def __init__(self, views):
        self.views = views

    def __call__(self, environ, start_response):
        view = self.views.get(environ["PATH_INFO"])
        body = [b"missing"] if view is None else view(environ)
        start_response("404 Not Found" if view is None else "200 OK", [("Content-Length", str(len(body[0])))])
        return body
"""
# As setproctitle does: the kernel shows what is in the memory of the arguments (proc_pid_cmdline(5)).
TITLE = """
import ctypes

begin, end = map(int, open("/proc/self/stat").read().rpartition(")")[2].split()[45:47])
ctypes.memset(begin, 0, end - begin)
ctypes.memmove(begin, b"title", 5)
"""
# It brings the server that calls it.
TILES = """
import http.server
import socketserver
import sys

from framework import Router


class Tiles(Router):
    def __call__(self, environ, start_response):
        environ["tiles"] = True
        return super().__call__(environ, start_response)


class Handler(http.server.BaseHTTPRequestHandler):
    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        self.close_connection = True
        if self.parse_request():
            environ = {"REQUEST_METHOD": self.command, "PATH_INFO": self.path, "QUERY_STRING": ""}
            for name, value in self.headers.items():
                environ["HTTP_" + name.upper().replace("-", "_")] = value
            self.wfile.write(b"".join(self.server.application(environ, self.start)))

    def start(self, status, headers):
        self.send_response(int(status.split()[0]))
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def log_message(self, *of_request):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    pass


def tile(environ):
    return [b"tile"]


def main():
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    server.application = Tiles({"/": tile})
    server.serve_forever()


main()
"""
# A library's page of metrics, of several files, with a type that is made of text.
METRICS = """
from metrics.samples import Sample


def make_app(samples):
    def page(environ, start_response):
        body = "".join(map(Sample.line, samples)).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    return page
"""
SAMPLES = """
from typing import NamedTuple


class Sample(NamedTuple):
    name: str
    value: float

    def line(self):
        return f"{self.name} {self.value}\\n"
"""
EXPORTER = """
import socketserver
from wsgiref.simple_server import WSGIServer, make_server

from metrics import make_app
from metrics.samples import Sample


class Server(socketserver.ThreadingMixIn, WSGIServer):
    pass


make_server("127.0.0.1", {port}, make_app([Sample("up", 1)]), Server).serve_forever()
"""
# A library that keeps the person's views where nothing of it can be followed, and lets two in at once.
REGISTRY = """
import threading
import weakref

FREE, VIEWS = threading.Semaphore(2), weakref.WeakValueDictionary()


def application(environ, start_response):
    with FREE:
        body = VIEWS["index"](environ)
    start_response("200 OK", [("Content-Length", "5")])
    return body
"""
REGISTERED = """
from registry import VIEWS, application


def index(environ):
    return [b"hello"]


VIEWS["index"] = index
"""
FILES = {
    "site-packages/registry/__init__.py": REGISTRY,
    "registered.py": REGISTERED,
    "site-packages/framework/__init__.py": FRAMEWORK,
    "site-packages/shop/__init__.py": "",
    "site-packages/shop/wsgi.py": WSGI,
    "site-packages/shop/__main__.py": SHOP,
    "site-packages/shop/pages.py": PAGES,
    "site-packages/titled/__init__.py": "",
    "site-packages/titled/__main__.py": TITLE + SHOP.replace("shop", "titled"),
    "site-packages/titled/pages.py": PAGES,
    "site-packages/tiles/__main__.py": TILES,
    "site-packages/metrics/__init__.py": METRICS,
    "site-packages/metrics/samples.py": SAMPLES,
    "exporter.py": EXPORTER,
}
UNBOUNDED = {"ceiling.in_service": 50, "ceiling.bounded": False, "model.kind": "thread-per-request"}
INSTALLED = {"PYTHONPATH": "site-packages"}
GUNICORN = ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", "--pythonpath", "site-packages")

COMMANDS = (
    Own(
        "a package that serves itself",
        ("python", "-m", "shop", "{port}"),
        FILES,
        {
            "target.held_in": "wsgi view index()",
            "ceiling.in_service": 3,
            "ceiling.bounded": True,
            "model.kind": "thread-per-request",
        },
        env=INSTALLED,
    ),
    Own(
        "a package that has overwritten its command line",
        ("python", "-m", "titled", "{port}"),
        FILES,
        {"target.held_in": "wsgi view index()", "ceiling.in_service": 3, "ceiling.bounded": True},
        env=INSTALLED,
    ),
    # socketserver.py, ThreadingMixIn: a thread for each request.
    Own(
        "a package with a server of its own",
        ("python", "-m", "tiles", "{port}"),
        FILES,
        {"target.held_in": "wsgi view tile()", **UNBOUNDED},
        env=INSTALLED,
    ),
    Own(
        "a page of a library",
        ("python", "exporter.py"),
        FILES,
        {"target.held_in": "wsgi entry", **UNBOUNDED},
        env=INSTALLED,
    ),
    Own(
        "a view that a library keeps out of sight",
        (*GUNICORN, "registered:application"),
        FILES,
        {"target.held_in": "wsgi view index()", "ceiling.in_service": 2, "ceiling.bounded": True},
    ),
    Own(
        "a package that is named without an attribute",
        (*GUNICORN, "shop.wsgi"),
        FILES,
        {"target.held_in": "wsgi view index()", "ceiling.in_service": 3, "ceiling.bounded": True},
    ),
    # A generator's body begins after the call, so nothing in it can be held, but it is all that there is.
    Own(
        "an application that is a generator",
        (*GUNICORN, "shop.pages:in_parts"),
        FILES,
        {"target.held_in": "wsgi entry", "ceiling.in_service": 3, "ceiling.bounded": True},
    ),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_an_installed_application_is_held_in_its_own_code(own, done):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]
