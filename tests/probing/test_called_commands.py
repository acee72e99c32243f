"""`holdfast exec --call`: bodies that go on after their answer, and bodies that wait unlike held requests."""

from __future__ import annotations

import pytest
from own_commands import Own, run_all

PLAIN = """
import asyncio


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
    await asyncio.sleep(SECONDS)
"""
# Without monkey.patch_all(), time.sleep() stops the only thread, and gevent.sleep() lets its other greenlets run
# (gevent's documentation, gevent.monkey).
UNPATCHED = """
import gevent
from flask import Flask
from gevent.pywsgi import WSGIServer

app = Flask(__name__)


@app.get("/")
def index():
    gevent.sleep(0.3)
    return "hello"


WSGIServer(("127.0.0.1", {port}), app).serve_forever()
"""
CALL = ("--call", "--max-called", "5", "--call-timeout", "5")


def uvicorn(id: str, seconds: str) -> Own:
    command = ("uvicorn", "--port", "{port}", "app:app")
    return Own(id, command, {"app.py": PLAIN.replace("SECONDS", seconds)}, options=CALL)


COMMANDS = (
    uvicorn("returns late", "0.3"),
    uvicorn("does not return", "600"),
    Own("gevent without patches", ("python", "app.py"), {"app.py": UNPATCHED}, options=CALL),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
def test_a_body_that_returns_after_its_answer_is_waited_for(done):
    call = done["returns late"].verdict()["call"]

    assert call["alone"]["duration_ms"] >= 300
    assert (call["bodies"], call["finished"], call["at_once"]) == (5, 5, 5)


@pytest.mark.servers
def test_a_body_that_does_not_return_is_not_said_to_have_been_given_up(done):
    verdict = done["does not return"].verdict()

    assert verdict["call"]["alone"]["status"] == 200
    assert verdict["unknown"]["call.alone.duration_ms"].startswith("it had answered, and had not returned")


@pytest.mark.servers
def test_where_bodies_wait_otherwise_than_held_requests_it_says_what_is_true_of_what(done):
    verdict = done["gevent without patches"].verdict()

    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"], verdict["call"]["at_once"]) == (1, True, 5)
    assert any(
        "For views that block the ceiling is 1; for this one it is 5 or more." in each for each in verdict["warnings"]
    )
