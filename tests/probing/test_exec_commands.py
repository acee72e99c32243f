"""Start commands as people use them, unchanged: each is probed from within, and its verdict is that of its settings."""

from __future__ import annotations

import os

import pytest
from own_commands import Own, run_all, value
from support.placed import placed

FLASK = """
from flask import Flask

app = application = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""
FLASK_SCRIPT = FLASK + "\n\nif __name__ == '__main__':\n    app.run({})\n"
FASTAPI = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index():
    return "hello"
"""
PLAIN = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"plain"]


async def asynchronous(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"plain"})
"""
WSGIREF = "from wsgiref.simple_server import make_server\n" + PLAIN
GUNICORN = """
bind = "127.0.0.1:{port}"
workers = 2
threads = 3
pidfile = "own.pid"
"""
UWSGI = """
[uwsgi]
http = 127.0.0.1:{port}
wsgi-file = app.py
callable = app
master = true
threads = 4
"""
DJANGO = """
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path

settings.configure(DEBUG=True, ROOT_URLCONF=__name__, SECRET_KEY="a", ALLOWED_HOSTS=["*"])


def index(request):
    return HttpResponse("hello")


urlpatterns = [path("", index)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
"""
AIOHTTP = """
from aiohttp import web


async def index(request):
    return web.Response()


app = web.Application()
app.add_routes([web.get("/", index)])
web.run_app(app, port={port}, print=None)
"""
# What is imported later may be out of that user's reach, like this machine's Python.
BECOMES_NOBODY = (
    FLASK
    + """

import encodings.idna
import os

os.setgroups([])
os.setgid(65534)
os.setuid(65534)
app.run(port={port}, processes=2, threaded=False)
"""
)
STARTS_AGAIN = (
    """
import os
import sys

if not os.environ.get("AGAIN"):
    os.environ["AGAIN"] = "yes"
    os.execv(sys.executable, [sys.executable, *sys.argv])
"""
    + FLASK
    + "\napp.run(port={port}, processes=2, threaded=False)\n"
)

SERIAL = {"ceiling.in_service": 1, "ceiling.bounded": True, "model.kind": "serial"}
OF_FLASK = {"target.held_in": "flask view index()", "target.view": "sync"}

# With no pause between two looks (Lib/socketserver.py, BaseServer.serve_forever), it never sleeps.
POLLING = WSGIREF + "\n\nmake_server('127.0.0.1', {port}, application).serve_forever(poll_interval=0)\n"

# eventlet/wsgi.py, server: a GreenPool of max_size. While it is imported, its own modules are in the place of others.
EVENTLET = """
import eventlet
from eventlet import wsgi

eventlet.monkey_patch()


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]


wsgi.server(eventlet.listen(("127.0.0.1", {port})), application, max_size=3)
"""

COMMANDS = (
    Own(
        "eventlet in a script",
        ("python", "-W", "ignore", "green.py"),
        {"green.py": EVENTLET},
        {"ceiling.in_service": 3, "model.kind": "greenlets", "model.threads_per_process": 1},
    ),
    Own("a server that never rests", ("python", "polling.py"), {"polling.py": POLLING}, SERIAL),
    Own(
        "a script",
        ("python", "app.py"),
        {"app.py": FLASK_SCRIPT.format("port={port}, processes=3, threaded=False")},
        {**OF_FLASK, "ceiling.in_service": 3, "model.kind": "process-per-request", "target.server": "app.py"},
    ),
    Own(
        "flask run",
        ("flask", "--app", "app", "run", "--port", "{port}"),
        {"app.py": FLASK},
        {**OF_FLASK, "ceiling.in_service": 50, "ceiling.bounded": False, "target.server": "flask"},
    ),
    Own(
        "flask run with its reloader",
        ("flask", "--app", "app", "run", "--debug", "--without-threads", "--port", "{port}"),
        {"app.py": FLASK},
        {**OF_FLASK, **SERIAL},
    ),
    Own(
        "gunicorn",
        ("gunicorn", "-w", "2", "-b", "127.0.0.1:{port}", "app:app"),
        {"app.py": FLASK},
        {
            **OF_FLASK,
            "ceiling.in_service": 2,
            "model.kind": "process-pool",
            "target.server": "gunicorn",
            "target.version": None,
        },
    ),
    Own(
        "gunicorn with a configuration file",
        ("gunicorn", "-c", "conf.py", "app:app"),
        {"app.py": FLASK, "conf.py": GUNICORN},
        {**OF_FLASK, "ceiling.in_service": 6, "model.kind": "thread-pool", "model.spread": [3, 3]},
    ),
    Own(
        "gunicorn in the background",
        ("gunicorn", "--daemon", "-c", "conf.py", "app:app"),
        {"app.py": FLASK, "conf.py": GUNICORN},
        {**OF_FLASK, "ceiling.in_service": 6, "model.kind": "thread-pool"},
    ),
    Own(
        "gunicorn in another directory",
        ("gunicorn", "--chdir", "shop", "--preload", "-b", "127.0.0.1:{port}", "app:app"),
        {"shop/app.py": FLASK},
        {**OF_FLASK, "ceiling.in_service": 1},
    ),
    Own(
        "a shell that becomes gunicorn",
        ("sh", "-c", "exec gunicorn -b 127.0.0.1:{port} app:app"),
        {"app.py": FLASK},
        {**OF_FLASK, "ceiling.in_service": 1, "target.server": "gunicorn"},
    ),
    Own(
        "a shell that waits for gunicorn",
        ("sh", "-c", "gunicorn -b 127.0.0.1:{port} app:app; echo ended"),
        {"app.py": FLASK},
        {**OF_FLASK, "ceiling.in_service": 1, "target.server": "gunicorn"},
    ),
    Own(
        "uwsgi with a file of settings",
        ("uwsgi", "app.ini"),
        {"app.py": FLASK, "app.ini": UWSGI},
        {**OF_FLASK, "ceiling.in_service": 4, "model.kind": "thread-pool", "target.server": "uwsgi"},
    ),
    Own(
        "uvicorn",
        ("uvicorn", "--port", "{port}", "app:app"),
        {"app.py": FASTAPI},
        {"target.held_in": "fastapi view index()", "ceiling.in_service": 40, "model.kind": "event-loop+thread-pool"},
    ),
    Own(
        "uvicorn with workers and reached over IPv6",
        ("uvicorn", "--host", "::1", "--workers", "2", "--port", "{port}", "app:app"),
        {"app.py": FASTAPI},
        {"target.held_in": "fastapi view index()", "ceiling.in_service": 50, "ceiling.bounded": False},
    ),
    Own(
        "manage.py",
        ("python", "manage.py", "runserver", "--nothreading", "{port}"),
        {"manage.py": DJANGO},
        {**SERIAL, "target.held_in": "django view index()", "target.server": "manage.py"},
    ),
    Own(
        "an application without a framework",
        ("waitress-serve", "--threads", "3", "--listen", "127.0.0.1:{port}", "plain:application"),
        {"plain.py": PLAIN},
        {"target.held_in": "wsgi entry", "ceiling.in_service": 3, "model.kind": "thread-pool"},
    ),
    Own(
        "an application without a framework under a server in C",
        ("fastpysgi", "--host", "127.0.0.1", "--port", "{port}", "plain:application"),
        {"plain.py": PLAIN},
        {**SERIAL, "target.held_in": "wsgi entry"},
    ),
    Own(
        "an ASGI application without a framework",
        ("hypercorn", "-b", "127.0.0.1:{port}", "plain:asynchronous"),
        {"plain.py": PLAIN},
        {"target.held_in": "asgi entry", "ceiling.in_service": 50, "model.kind": "event-loop"},
    ),
    Own(
        "a server of two address families",
        ("python", "serve.py"),
        {"serve.py": AIOHTTP},
        {"target.held_in": "aiohttp async view index()", "model.listen_queues": "shared", "ceiling.bounded": False},
    ),
    Own(
        "a script that starts itself again",
        ("python", "again.py"),
        {"again.py": STARTS_AGAIN},
        {**OF_FLASK, "ceiling.in_service": 2},
    ),
    Own(
        "a script that becomes another user",
        ("python", "nobody.py"),
        {"nobody.py": BECOMES_NOBODY},
        {**OF_FLASK, "ceiling.in_service": 2},
    ),
)
NEED_ROOT = {"a script that becomes another user"}


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, [own for own in COMMANDS if os.geteuid() == 0 or own.id not in NEED_ROOT])


@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_exec_probes_a_start_command_unchanged(done, own):
    if own.id not in done:
        pytest.skip("only root can become somebody else")
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert verdict["target"]["command"] == [each.replace("{port}", str(result.port)) for each in own.command]
    assert placed(verdict) == verdict["offered"]


@pytest.mark.parametrize("id", ["gunicorn with a configuration file", "gunicorn in the background"])
def test_a_pid_file_is_taken_away_by_the_server_that_wrote_it(done, id):
    assert done[id].ended.exit == 0
    assert not list(done[id].directory.glob("*.pid"))


def test_what_a_command_does_not_tell_is_null_with_its_reason(done):
    verdict = done["gunicorn"].verdict()

    assert verdict["target"]["version"] is None
    assert "started a command" in verdict["unknown"]["target.version"]
    assert verdict["target"]["python"].count(".") == 2
