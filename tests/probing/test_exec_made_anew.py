"""Views whose functions are made anew, and applications of which only the entry can be held.

Sources: the scripts themselves, with waitress's four threads (waitress/adjustments.py, `threads`) and gunicorn's three.
Zope's threads have a connection to the database each, and with it templates that each compiles for itself (Chameleon:
chameleon/template.py, `cook`). Webware loads a servlet's module again for each request in development
(webware/ServletFactory.py, `servletForTransaction`). a2wsgi's `start_response` waits until its loop has sent the head
(a2wsgi/wsgi.py, `WSGIResponder.send`), and it has ten threads.
"""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed

# As a package of an environment.
FRAMEWORK = """
import importlib
import threading

kept = threading.local()


def compiled_by_each_thread(path):
    def app(environ, start_response):
        if not hasattr(kept, "page"):
            # Each thread writes a copy of its own where the first one differs.
            kept.page = load(path)["initialize"]()["page"]
        parts = []
        kept.page(parts)
        return respond(start_response, parts)
    return app


def loaded_for_each_request(path):
    loading = threading.Lock()

    def app(environ, start_response):
        with loading:
            servlet = load(path)["Servlet"]()
        return respond(start_response, [servlet.title(), servlet.body()])
    return app


def on_a_thread(path):
    def app(environ, start_response):
        importlib.import_module("mimetypes").guess_type(path)
        parts = []
        thread = threading.Thread(target=parts.append, args=(b"page",))
        thread.start()
        thread.join()
        return respond(start_response, parts)
    return app


def files(path):
    def app(environ, start_response):
        importlib.import_module("mimetypes").guess_type(path)
        with open(path, "rb") as file:
            return respond(start_response, [file.read()])
    return app


def respond(start_response, parts):
    start_response("200 OK", [("Content-Length", str(sum(map(len, parts))))])
    return parts


def load(path):
    names = {}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), names)
    return names
"""
TEMPLATE = """
def initialize():
    def page(parts):
        parts.append(b"page")
    return {"page": page}
"""
SERVLET = """
class Servlet:
    def title(self):
        return b"title"

    def body(self):
        return b"body"
"""
FILES = {
    "site-packages/framework/__init__.py": FRAMEWORK,
    "templates/page.py": TEMPLATE,
    "servlets/main.py": SERVLET,
    "shop.py": """
from a2wsgi import WSGIMiddleware
import framework

each_thread = framework.compiled_by_each_thread("templates/page.py")
each_request = framework.loaded_for_each_request("servlets/main.py")
on_a_thread = framework.on_a_thread("shop.py")
behind_a_bridge = WSGIMiddleware(framework.files("shop.py"))
""",
}
SERIAL = """
from wsgiref.simple_server import make_server
from shop import on_a_thread

make_server("127.0.0.1", {port}, on_a_thread).serve_forever()
"""
INSTALLED = {"PYTHONPATH": "site-packages"}
WAITRESS = ("waitress-serve", "--listen", "127.0.0.1:{port}")
GEVENT = ("gunicorn", "--no-control-socket", "-b", "127.0.0.1:{port}", "-k", "gevent", "--worker-connections", "5")
GUNICORN = ("gunicorn", "--no-control-socket", "-b", "127.0.0.1:{port}", "--threads", "3")
COMMANDS = (
    Own(
        "each thread makes its own",
        (*WAITRESS, "shop:each_thread"),
        FILES,
        {"target.held_in": "wsgi view page()", "ceiling.in_service": 4, "ceiling.bounded": True},
        env=INSTALLED,
    ),
    Own(
        "each request loads its own",
        (*GUNICORN, "shop:each_request"),
        FILES,
        {"target.held_in": "wsgi view Servlet.title()", "ceiling.in_service": 3, "ceiling.bounded": True},
        env=INSTALLED,
    ),
    Own(
        "each request loads its own and bodies run",
        (*GUNICORN, "shop:each_request"),
        FILES,
        {"ceiling.in_service": 3, "call.bodies": 6, "call.finished": 6, "call.raised": 0, "call.replies": {"200": 6}},
        options=("--call", "--max-called", "6"),
        env=INSTALLED,
    ),
    # So many greenlets (gunicorn/workers/ggevent.py, `worker_connections`), all on one thread, which has one profiler.
    Own(
        "each request loads its own in a greenlet",
        (*GEVENT, "shop:each_request"),
        FILES,
        {"target.held_in": "wsgi entry", "places.in_service": 5, "places.answered": 0, "ceiling.in_service": None},
        env=INSTALLED,
        exit=INCONCLUSIVE,
    ),
    # What answers is not found; wsgiref calls the application one request after another (wsgiref/simple_server.py).
    Own(
        "an entry that takes one request at a time",
        ("python", "serial.py"),
        {**FILES, "serial.py": SERIAL},
        {
            "target.held_in": "wsgi entry",
            "target.view": None,
            "ceiling.in_service": 1,
            "ceiling.bounded": True,
            "model.kind": None,
            "overflow.first": "accept_queue",
        },
        env=INSTALLED,
    ),
    Own(
        "a bridge that waits until the head is sent",
        ("uvicorn", "--port", "{port}", "shop:behind_a_bridge"),
        FILES,
        {"target.held_in": "wsgi entry", "ceiling.in_service": 10, "ceiling.bounded": True},
        env=INSTALLED,
    ),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_what_runs_at_once_is_known_although_the_view_has_no_function_that_stays(own, done):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]
