"""Frameworks whose own threads take what a request has put into a queue, and call the view there.

Sources: the scripts themselves: gunicorn's eight threads call the application, and three threads of the framework's own
call views. A thread that only catches `Exception` does not outlive a hold that ends by another one, so nothing is held
where it is not known what the view would return. What a view lets such a thread run is a part of its body, and what a
thread renders again for a cache is a part of no request.
"""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed

# As a package of an environment.
FRAMEWORK = """
import queue
import threading


class App:
    def __init__(self, view, threads=3):
        self.view, self.work = view, queue.Queue()
        for _ in range(threads):
            threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            environ, answers = self.work.get()
            try:
                answers.put(self.view(environ))
            except Exception as error:
                answers.put(str(error))

    def __call__(self, environ, start_response):
        answers = queue.Queue()
        self.work.put((environ, answers))
        answer = answers.get(timeout=20)
        body = answer if isinstance(answer, bytes) else str(answer).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
"""
FILES = {
    "site-packages/framework/__init__.py": FRAMEWORK,
    "shop.py": """
from framework import App


def page(environ):
    return b"page"


def priced(environ):
    return 12.5


app, prices = App(page), App(priced)
""",
    "logging_shop.py": """
import logging
import logging.handlers
import queue

from routes import Router

records = queue.Queue()


class Written(logging.Handler):
    def emit(self, record):
        record.getMessage()


log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.addHandler(logging.handlers.QueueHandler(records))
logging.handlers.QueueListener(records, Written()).start()


def page(environ):
    log.info("a page")
    return b"page"


app = Router(page)
""",
    "helped.py": """
from routes import Helpers, Router

helpers = Helpers(2)


def compute():
    return b"page"


def page(environ):
    return helpers.run(compute)


app = Router(page)
""",
    "cached.py": """
import os
import queue
import threading

from routes import Router

stale = queue.Queue()


def refresh():
    file = os.open("refreshed", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        os.write(file, page(stale.get()) + b" ")


def page(environ):
    return b"page"


threading.Thread(target=refresh, daemon=True).start()
app = Router(page, before=lambda environ: stale.put(dict(environ)))
""",
    "site-packages/routes/__init__.py": """
import queue
import threading


class Router:
    def __init__(self, view, before=lambda environ: None):
        self.view, self.before = view, before

    def __call__(self, environ, start_response):
        self.before(environ)
        if environ["PATH_INFO"] != "/":
            start_response("404 Not Found", [("Content-Length", "0")])
            return []
        body = self.view(environ)
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


class Helpers:
    def __init__(self, threads):
        self.work = queue.Queue()
        for _ in range(threads):
            threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            function, results = self.work.get()
            results.put(function())

    def run(self, function):
        results = queue.Queue()
        self.work.put((function, results))
        return results.get(timeout=20)
""",
}
GUNICORN = (
    "gunicorn",
    "--no-control-socket",
    "-b",
    "127.0.0.1:{port}",
    "--threads",
    "8",
    "--pythonpath",
    "site-packages",
)
COMMANDS = (
    Own(
        "a view behind a queue",
        (*GUNICORN, "shop:app"),
        FILES,
        {
            "target.held_in": "wsgi view page()",
            "ceiling.in_service": 3,
            "ceiling.bounded": True,
            "model.kind": "thread-pool",
        },
    ),
    # gevent.monkey.patch_queue(): `queue.Queue` is gevent's, and threads are greenlets.
    Own(
        "a view behind a queue of gevent's",
        (*GUNICORN, "-k", "gevent", "--worker-connections", "5", "shop:app"),
        FILES,
        {
            "target.held_in": "wsgi view page()",
            "ceiling.in_service": 3,
            "ceiling.bounded": True,
            "model.kind": "greenlets",
        },
    ),
    Own(
        "a view behind a queue of eventlet's",
        ("python", "green.py"),
        {
            **FILES,
            "green.py": """
import eventlet

eventlet.monkey_patch()

import sys

import eventlet.wsgi

sys.path.append("site-packages")

from shop import app

eventlet.wsgi.server(eventlet.listen(("127.0.0.1", {port})), app, max_size=5)
""",
        },
        {
            "target.held_in": "wsgi view page()",
            "ceiling.in_service": 3,
            "ceiling.bounded": True,
            "model.kind": "greenlets",
        },
    ),
    Own(
        "bodies behind a queue",
        (*GUNICORN, "shop:app"),
        FILES,
        {"ceiling.in_service": 3, "call.bodies": 6, "call.finished": 6, "call.raised": 0, "call.replies": {"200": 6}},
        options=("--call", "--max-called", "6"),
    ),
    # What writes the log of a request gives it no answer.
    Own(
        "a queue of a log",
        (*GUNICORN, "logging_shop:app"),
        FILES,
        {"target.held_in": "wsgi view page()", "ceiling.in_service": 8, "ceiling.bounded": True},
    ),
    Own(
        "a helper behind a queue",
        (*GUNICORN, "helped:app"),
        FILES,
        {"target.held_in": "wsgi view page()", "ceiling.in_service": 8, "ceiling.bounded": True},
    ),
    Own(
        "a cache behind a queue",
        (*GUNICORN, "cached:app"),
        FILES,
        {"target.held_in": "wsgi view page()", "ceiling.in_service": 8, "ceiling.bounded": True},
    ),
    Own(
        "a view behind a queue that returns a number",
        (*GUNICORN, "shop:prices"),
        FILES,
        {"target.held_in": "wsgi entry", "ceiling.in_service": None},
        exit=INCONCLUSIVE,
    ),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_a_request_is_followed_through_a_queue_to_the_thread_that_calls_its_view(own, done):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]


@pytest.mark.servers
def test_what_renders_the_page_again_gets_the_page(done):
    refreshed = (done["a cache behind a queue"].directory / "refreshed").read_bytes()

    assert set(refreshed.split()) == {b"page"}
