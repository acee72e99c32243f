"""Which of several functions answers where a request was watched on its way, and that none of a person's own need do.

Sources: gunicorn's gthread worker has `--threads` threads, on which it calls the application
(gunicorn/workers/gthread.py), and Falcon a static route on the same (falcon/app.py, App.__call__). falcon.asgi awaits a
responder on the loop (falcon/asgi/app.py, App.__call__).
"""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed

# A framework that asks a person's function for something at the first request only.
LIBRARY = """
class App:
    def __init__(self, setup, view):
        self.setup, self.view, self.settings = setup, view, None

    def __call__(self, environ, start_response):
        if self.settings is None:
            self.settings = self.setup()
        body = self.view(environ).encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]
"""
AT_FIRST = """
import library


def setup():
    return "settings"


def view(environ):
    return "page"


app = library.App(setup, view)
"""
FILES = """
import os

import falcon

app = falcon.App()
app.add_static_route("/files", os.path.abspath("files"))
"""
# A thread of the library's own answers, one request after another (`SimpleQueue.get` is a function in C).
ON_ITS_THREAD = """
import queue
import threading

import partner

given = queue.SimpleQueue()


def answer():
    while True:
        given.get().put(b"page")


threading.Thread(target=answer, daemon=True).start()


class App:
    shown = staticmethod(partner.shown)

    def __call__(self, environ, start_response):
        back = queue.SimpleQueue()
        given.put(back)
        start_response("200 OK", [("Content-Length", "4")])
        return self.shown(back.get())
"""
# Its threads take turns.
UNDER_A_LOCK = """
import threading

import partner


class App:
    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        with self.lock:
            start_response("200 OK", [("Content-Length", "4")])
            return partner.shown(b"page")
"""
PARTNER = "def shown(body):\n    return [body]\n"
# What is around the mounted application is resumed, and suspended again, while it is watched.
AROUND = """
import asyncio

import falcon.asgi
from starlette.applications import Starlette
from starlette.routing import Mount

inner = falcon.asgi.App()


class Page:
    async def on_get(self, request, response):
        await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        response.text = "page"


inner.add_route("/", Page())
outer = Starlette(routes=[Mount("/", inner)])


class Around:
    async def __call__(self, scope, receive, send):
        await outer(scope, receive, send)


app = Around()
"""
# Its handler computes the ETag of every reply from what its body finds.
TORNADO = """
import asyncio

import tornado.web


async def main():
    app = tornado.web.Application([("/(.*)", tornado.web.StaticFileHandler, {"path": "files"})])
    app.listen({port}, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
"""
# As Tornado 5 has it (tornado/web.py, RequestHandler._execute).
GENERATOR = """
import importlib.machinery
import sys


class Older:
    def find_spec(self, name, path=None, target=None):
        if name != "tornado.web":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def exec_module(web):
            load(web)
            from tornado import gen

            awaited = web.RequestHandler._execute

            @gen.coroutine
            def _execute(self, *args, **kwargs):
                yield awaited(self, *args, **kwargs)

            web.RequestHandler._execute = _execute

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(-1, Older())
"""
# A subclass that has a framework's method anew, without calling it, as quart-trio's has.
QUART = """
import quart


class App(quart.Quart):
    async def full_dispatch_request(self, *args):
        return await self.finalize_request(await self.dispatch_request(*args), *args)


app = App(__name__)


@app.get("/")
async def index():
    return "page"
"""
FLASK = """
import flask


class App(flask.Flask):
    def full_dispatch_request(self, *args):
        try:
            answer = self.dispatch_request(*args)
        except Exception as error:
            answer = self.handle_user_exception(*args, error)
        return self.finalize_request(*args, answer)


app = App(__name__)


@app.get("/")
def index():
    return "page"
"""
GUNICORN = ("gunicorn", "--no-control-socket", "-b", "127.0.0.1:{port}", "--threads", "3", "app:app")
UVICORN = ("uvicorn", "--port", "{port}", "app:app")
THREE = {"ceiling.in_service": 3, "ceiling.bounded": True, "model.kind": "thread-pool", "model.processes": 1}
OWN = (
    Own(
        "asked at first",
        GUNICORN,
        {"app.py": AT_FIRST, "site-packages/library.py": LIBRARY},
        {**THREE, "target.held_in": "wsgi view view()"},
        env={"PYTHONPATH": "site-packages"},
    ),
    Own(
        "a file",
        GUNICORN,
        {"app.py": FILES, "files/page.txt": "page"},
        {**THREE, "target.held_in": "wsgi entry"},
        options=("--path", "/files/page.txt"),
    ),
    Own(
        "something around what is mounted",
        UVICORN,
        {"app.py": AROUND},
        {"target.held_in": "asgi async view Page.on_get()", "ceiling.in_service": 50, "model.kind": "event-loop"},
    ),
    Own(
        "tornado's static files",
        ("python", "app.py"),
        {"app.py": TORNADO, "files/page.txt": "page"},
        {"ceiling.in_service": 50, "ceiling.bounded": False, "model.kind": "event-loop"},
        options=("--path", "/page.txt"),
    ),
    Own(
        "tornado's generators",
        ("python", "app.py"),
        {"app.py": TORNADO, "files/page.txt": "page", "sitecustomize.py": GENERATOR},
        {"ceiling.in_service": 50, "ceiling.bounded": False, "model.kind": "event-loop"},
        options=("--path", "/page.txt"),
        env={"PYTHONPATH": "."},
    ),
    Own(
        "a subclass of quart",
        UVICORN,
        {"app.py": QUART},
        {"target.held_in": "quart async view index()", "ceiling.in_service": 50, "model.kind": "event-loop"},
    ),
    Own(
        "a subclass of flask",
        GUNICORN,
        {"app.py": FLASK},
        {**THREE, "target.held_in": "flask view index()"},
    ),
)


IN_TURN = [
    Own(
        id,
        GUNICORN,
        {
            "app.py": "import library\n\napp = library.App()\n",
            "site-packages/library.py": library,
            "site-packages/partner.py": PARTNER,
        },
        env={"PYTHONPATH": "site-packages"},
        exit=INCONCLUSIVE,
    )
    for id, library in (("a thread of a library", ON_ITS_THREAD), ("a lock of a library", UNDER_A_LOCK))
]


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, (*OWN, *IN_TURN))


@pytest.mark.parametrize("own", OWN, ids=lambda own: own.id)
def test_what_answers_is_told_from_what_runs_beside_it(done, own):
    ended = done[own.id].ended
    assert ended.exit == 0, ended.err

    verdict = done[own.id].verdict()

    assert {name: value(verdict, name) for name in own.says} == own.says
    assert placed(verdict) == verdict["offered"]


@pytest.mark.parametrize("own", IN_TURN, ids=lambda own: own.id)
def test_no_number_is_said_where_libraries_answer_in_turn(done, own):
    assert done[own.id].ended.exit == INCONCLUSIVE

    verdict = done[own.id].verdict()

    assert verdict["ceiling"]["in_service"] is None
    assert "did not find the function behind it" in verdict["unknown"]["ceiling.in_service"]
