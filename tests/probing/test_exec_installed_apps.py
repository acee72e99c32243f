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
FILES = {
    "site-packages/framework/__init__.py": FRAMEWORK,
    "site-packages/shop/__init__.py": "",
    "site-packages/shop/__main__.py": SHOP,
    "site-packages/shop/pages.py": PAGES,
}
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
