"""Servers that take the application out of a module by themselves, in Rust, told `module:attribute` on a command line.

- pyvoy starts Envoy with `sys.path` as PYTHONPATH, and the application's name within its configuration
  (pyvoy/_server.py, get_envoy_environ() and _start()); `--worker-threads` of them run WSGI (src/wsgi/python.rs).
- h2corn's workers begin anew, by multiprocessing (h2corn/_supervisor.py), each with an event loop of its own.
"""

from __future__ import annotations

import pytest
from own_commands import Own, run_all, value

PLAIN = """
def application(environ, start_response):
    open("called", "w").close()
    start_response("200 OK", [("Content-Length", "5")])
    return [b"plain"]


async def asynchronous(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
    open("called", "w").close()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"plain"})
"""
FLASK = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""
THREADS = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def index(request):
    return PlainTextResponse("hello")


app = Starlette(routes=[Route("/", index)])
"""
OF_ENVOY = ("--", "--disable-hot-restart")


def pyvoy(id: str, app: str, *arguments: str, held_in: str, **says: object) -> Own:
    fields = {name.replace("__", "."): wanted for name, wanted in says.items()}
    command = ("pyvoy", app, "--port", "{port}", *arguments, *OF_ENVOY)
    return Own(id, command, {"plain.py": PLAIN, "app.py": FLASK}, {"target.held_in": held_in, **fields})


def h2corn(id: str, *arguments: str, processes: int) -> Own:
    return Own(
        id,
        ("h2corn", "plain:asynchronous", "--port", "{port}", *arguments),
        {"plain.py": PLAIN},
        {
            "target.held_in": "asgi entry",
            "ceiling.in_service": 50,
            "ceiling.bounded": False,
            "model.kind": "event-loop",
            "model.processes": processes,
        },
    )


THREE = ("--interface", "wsgi", "--worker-threads", "3")
COMMANDS = (
    pyvoy("pyvoy", "app:app", *THREE, held_in="flask view index()", ceiling__in_service=3, ceiling__bounded=True),
    pyvoy(
        "pyvoy with a plain callable",
        "plain:application",
        *THREE,
        held_in="wsgi entry",
        ceiling__in_service=3,
        ceiling__bounded=True,
    ),
    pyvoy(
        "pyvoy with plain ASGI",
        "plain:asynchronous",
        held_in="asgi entry",
        ceiling__in_service=50,
        ceiling__bounded=False,
        model__kind="event-loop",
    ),
    h2corn("h2corn", processes=1),
    h2corn("h2corn with workers", "--workers", "2", processes=2),
    # AnyIO's 40 tokens let 40 of the 60 run; Starlette was called with the others too.
    Own(
        "h2corn with threads",
        ("h2corn", "threads:app", "--port", "{port}"),
        {"threads.py": THREADS},
        {"ceiling.in_service": 40, "places.userspace_queue": 20, "places.before_view": 20},
        ("--max-offered", "60"),
    ),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_exec_gets_in_where_the_command_line_names_the_application(done, own):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert not (result.directory / "called").exists()
