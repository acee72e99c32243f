"""A person's own middleware that turns a request away is not the view, although nothing further in was called.

What it answers with (a login, a redirect, a page for maintenance) says that the view is somewhere else. uvicorn puts
its own middleware around every application (uvicorn/config.py, `proxy_headers`), so that it is not a framework's
application that the server calls. A page that middleware answers by itself, such as a health check, has no view behind
it, and is held there.
"""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all

GUARDED = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse

app = FastAPI()


@app.middleware("http")
async def guard(request, call_next):
    if request.url.path == "/health":
        return PlainTextResponse("alive")
    if request.headers.get("authorization") != "Bearer right":
        return JSONResponse({"detail": "who are you?"}, status_code=401)
    return await call_next(request)


@app.get("/")
def index():
    return "in"
"""
AROUND_FLASK = """
from flask import Flask

shop = Flask(__name__)


@shop.get("/")
def index():
    return "in"


class Login:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, environ, start_response):
        if "HTTP_COOKIE" not in environ:
            start_response("302 Found", [("Location", "/login"), ("Content-Length", "0")])
            return [b""]
        return self.inner(environ, start_response)


app = Login(shop)
"""
UVICORN = ("uvicorn", "--port", "{port}", "app:app")
GUNICORN = ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", "app:app")
FASTAPI, FLASK = {"app.py": GUARDED}, {"app.py": AROUND_FLASK}
COMMANDS = (
    Own("no token", UVICORN, FASTAPI, exit=INCONCLUSIVE),
    Own("a token", UVICORN, FASTAPI, options=("-H", "Authorization: Bearer right")),
    Own("a health check", UVICORN, FASTAPI, options=("--path", "/health")),
    Own("no cookie", GUNICORN, FLASK, exit=INCONCLUSIVE),
    Own("a cookie", GUNICORN, FLASK, options=("-H", "Cookie: user=ada")),
)
HELD_IN = {
    "a token": ("fastapi view index()", 40),
    "a health check": ("asgi async view guard()", 50),
    "a cookie": ("flask view index()", 3),
}
SAYS = {
    "no token": ("GET / was answered with 401 before any view was entered.", "It asks for a login."),
    "no cookie": ("GET / was answered with 302 before any view was entered.", "It is a redirect to /login\n"),
}


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.parametrize("name", SAYS)
def test_what_turns_away_is_not_the_view(done, name):
    ended = done[name].ended

    assert ended.exit == INCONCLUSIVE, ended.out
    assert all(each in ended.err for each in SAYS[name]), ended.err


@pytest.mark.parametrize("name", HELD_IN)
def test_what_lets_in_or_answers_well_is_measured(done, name):
    verdict = done[name].verdict()

    assert (verdict["target"]["held_in"], verdict["ceiling"]["in_service"]) == HELD_IN[name]
