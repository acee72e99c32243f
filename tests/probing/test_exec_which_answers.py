"""Which of several functions answers where a request was watched on its way, and that none of a person's own need do.

Sources: gunicorn's gthread worker has `--threads` threads, on which it calls the application
(gunicorn/workers/gthread.py), and Falcon a static route on the same (falcon/app.py, App.__call__). falcon.asgi awaits a
responder on the loop (falcon/asgi/app.py, App.__call__).
"""

from __future__ import annotations

import pytest
from own_commands import Own, run_all, value
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
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, OWN)


@pytest.mark.parametrize("own", OWN, ids=lambda own: own.id)
def test_what_answers_is_told_from_what_runs_beside_it(done, own):
    ended = done[own.id].ended
    assert ended.exit == 0, ended.err

    verdict = done[own.id].verdict()

    assert {name: value(verdict, name) for name in own.says} == own.says
    assert placed(verdict) == verdict["offered"]
