"""First requests that are answered before any view, or not in HTTP: each says what was answered, and what to do."""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all

# As uWSGI does on a `socket` (proto/uwsgi.c): what it reads is no packet of its own, so it closes.
CLOSES = """
import socketserver


class Closes(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(4)


socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("127.0.0.1", {port}), Closes).serve_forever()
"""
# Django's CommonMiddleware redirects to a path with a slash that has a view (APPEND_SLASH).
SLASH = """
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
settings.configure(SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=MIDDLEWARE)


def items(request):
    return HttpResponse("done")


urlpatterns = [path("items/", items)]
app = get_asgi_application()
"""
REFUSES = """
from flask import Flask, abort

app = Flask(__name__)


@app.before_request
def refuse():
    abort(STATUS)


@app.get("/")
def index():
    return "hello"
"""
ANSWERS = (
    *(
        Own(id, ("flask", "run", "--port", "{port}"), {"app.py": REFUSES.replace("STATUS", status)}, exit=INCONCLUSIVE)
        for id, status in (
            ("a type that it has not", "406"),
            ("an error of the request", "412"),
            ("a method that it has not", "501"),
        )
    ),
    Own(
        "a path without its slash",
        ("uvicorn", "--port", "{port}", "site_:app"),
        {"site_.py": SLASH},
        options=("--path", "/items"),
        exit=INCONCLUSIVE,
    ),
    Own("another protocol", ("python", "closes.py"), {"closes.py": CLOSES}, exit=INCONCLUSIVE),
)
WORDS = {
    "a type that it has not": ("GET / was answered with 406 before any view was entered.", "Send -H 'Accept: ...'"),
    "a method that it has not": ("GET / was answered with 501 before any view was entered.", "It has no GET,"),
    "an error of the request": ("was answered with 412 before any view", "It does not take this request.", "(-H)."),
    "a path without its slash": ("GET /items was answered with 301 before any view", "It is a redirect to /items/\n"),
    "another protocol": ("got no answer: its connection was closed", "another protocol than HTTP"),
}


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, ANSWERS)


@pytest.mark.parametrize("own", ANSWERS, ids=lambda own: own.id)
def test_what_was_answered_before_any_view_is_said_with_what_to_do(done, own):
    ended = done[own.id].ended

    assert ended.exit == own.exit, ended.err
    assert all(part in ended.err for part in WORDS[own.id]), ended.err
    assert not ended.out
