"""Requests that code of the person's own hands on to threads of its own, between the server and the view."""

from __future__ import annotations

import pytest
from own_commands import Own, run_all, value

# As OctoPrint has it (octoprint/server/util/tornado.py): prepare() calls a container of its own, which calls the
# application when prepare() has returned, on one of so many threads.
CONTAINER = """
import asyncio
from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from tornado import web
from tornado.ioloop import IOLoop
from werkzeug.test import create_environ

app = Flask(__name__)
pool = ThreadPoolExecutor(3)


@app.get("/")
def index():
    return "done"


class Handler(web.RequestHandler):
    def prepare(self):
        IOLoop.current().spawn_callback(self.pass_on)
        self._finished = True

    async def pass_on(self):
        said = []
        environ = create_environ(self.request.path, headers=dict(self.request.headers))
        call = lambda: b"".join(app(environ, lambda *args: said.append(args)))
        body = await IOLoop.current().run_in_executor(pool, call)
        status, headers = said[0]
        lines = [f"HTTP/1.1 {status}", *(": ".join(each) for each in headers), "Connection: close", "", ""]
        stream = self.request.connection.detach()
        await stream.write("\\r\\n".join(lines).encode() + body)
        stream.close()

    METHOD


async def serve():
    web.Application([(".*", Handler)]).listen({port}, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(serve())
"""
QUEUE = """
import functools
import queue
import threading
from concurrent.futures import Future

from flask import Flask, copy_current_request_context

app = Flask(__name__)
jobs = queue.Queue()


def work():
    while True:
        function, done = jobs.get()
        try:
            done.set_result(function())
        except BaseException as error:
            done.set_exception(error)


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()


def queued(view):
    def inner():
        done = Future()
        jobs.put((copy_current_request_context(view), done))
        return done.result()

    inner.__name__ = view.__name__
    return inner


@app.get("/")
@queued
def index():
    return "done"
"""
LOCKED = """
import threading

FRAMEWORK

lock = threading.Lock()


def locked(view):
    def inner():
        with lock:
            return view()

    return inner


@app.route("/"NAMED)
@locked
def index():
    return "done"
"""
BEHIND_A_LOOP = {
    "target.held_in": "flask view index()",
    "ceiling.in_service": 3,
    "model.kind": "event-loop+thread-pool",
}


def queued(id, app):
    """Three threads of the application's own run views, and nine of gunicorn's wait for them (gthread)."""
    command = ("gunicorn", "--threads", "9", "--bind", "127.0.0.1:{port}", "app:app")
    says = {"target.held_in": "flask view index()", "ceiling.in_service": 3, "places.before_view": 6}
    return Own(id, command, {"app.py": app}, says)


def locked(framework, begin, named, held_in):
    """One request at a time has the lock, and the others of gunicorn's nine threads wait for it (gthread)."""
    command = ("gunicorn", "--threads", "9", "--bind", "127.0.0.1:{port}", "app:app")
    says = {"target.held_in": held_in, "ceiling.in_service": 1, "places.before_view": 8}
    app = LOCKED.replace("FRAMEWORK", begin).replace("NAMED", named)
    return Own(f"a decorator with a lock: {framework}", command, {"app.py": app}, says)


COMMANDS = (
    Own(
        "a handler without a method",
        ("python", "serve.py"),
        {"serve.py": CONTAINER.replace("METHOD", "")},
        BEHIND_A_LOOP,
    ),
    Own(
        "a handler with a method",
        ("python", "serve.py"),
        {"serve.py": CONTAINER.replace("METHOD", "def get(self): raise web.HTTPError(500)")},
        BEHIND_A_LOOP,
    ),
    queued("a decorator with a queue", QUEUE),
    queued("a decorator with a queue and a name of its own", QUEUE.replace("inner.__name__ = view.__name__", "")),
    queued(
        "a decorator with a queue and with wraps", QUEUE.replace("def inner", "@functools.wraps(view)\n    def inner")
    ),
    locked("Flask", "from flask import Flask\napp = Flask(__name__)", ', endpoint="index"', "flask view index()"),
    locked("Bottle", "from bottle import Bottle\napp = Bottle()", "", "wsgi view index()"),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_requests_are_held_in_the_view_that_they_are_handed_on_to(own, done):
    ended = done[own.id].ended

    assert ended.exit == own.exit, ended.err
    verdict = done[own.id].verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
