"""Bodies of one's own that are called: where they stop their loop, what they raise, and when they begin."""

from __future__ import annotations

import contextlib
import time

import pytest
from called_views import NO_LOOP, STEPS, own_server
from inside_server import FLASK, UVICORN, reply, serving, wait_until

BODIES = """
import asyncio, time
from fastapi import FastAPI, HTTPException
app = FastAPI()
runs = []

@app.get("/blocking")
async def blocking():
    await asyncio.sleep(0)
    time.sleep(0.1)
    await asyncio.sleep(0.05)
    time.sleep(0.2)

@app.get("/task")
async def task():
    async def part():
        await asyncio.sleep(0)
        time.sleep(0.2)
    await asyncio.gather(part(), part())

@app.get("/waited-for")
async def waited_for():
    async def part():
        time.sleep(0.2)
    await asyncio.wait_for(part(), 10)

@app.get("/in-thread")
async def in_thread():
    await asyncio.to_thread(time.sleep, 0.2)

@app.get("/cancelling")
async def cancelling():
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.05)
    except asyncio.TimeoutError:
        return "cancelled"

@app.get("/raising")
async def raising():
    raise HTTPException(409)

@app.get("/recursive")
async def recursive(depth: int = 3):
    return depth if depth == 0 else await recursive(depth - 1)

def again(view):
    async def repeated():
        while True:
            try:
                return await view()
            except ValueError:
                pass
    repeated.__wrapped__ = view
    return repeated

@again
async def third_time():
    runs.append(1)
    if len(runs) < 3:
        raise ValueError
    return len(runs)

@app.get("/repeated")
async def repeating():
    return await third_time()
"""

# Path -> longest stop and all of them together, ms, at least.
STOPS = {
    "/blocking": (200, 300),
    "/task": (200, 400),
    "/waited-for": (200, 200),
    "/in-thread": (0, 0),
    "/cancelling": (0, 0),
}


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    pytest.importorskip("fastapi")
    directory = tmp_path_factory.mktemp("bodies")
    (directory / "bodies.py").write_text(BODIES)
    with contextlib.ExitStack() as running:

        def at(path):
            (directory / path[1:]).mkdir()
            how = {"app": str(directory / "bodies.py"), "command": UVICORN, "path": path}
            return running.enter_context(serving(directory / path[1:], **how))

        yield at


@pytest.mark.parametrize("path", STOPS)
def test_a_stop_of_the_loop_is_timed_wherever_in_the_body_it_is(bodies, path):
    (call,) = called(bodies(path), path)

    longest, together = STOPS[path]
    assert call.timing == STEPS
    assert call.longest_stop_ns >= longest * 1e6
    assert call.stopped_ns >= together * 1e6
    # Time in which the loop can run does not count, however long it is; with some margin for a busy machine.
    assert call.stopped_ns < (together + 150) * 1e6


def test_what_a_body_raises_goes_its_ordinary_way(bodies):
    server = bodies("/raising")
    (call,) = called(server, "/raising", status=409)

    assert call.raised


def test_a_body_that_calls_itself_is_held_once_and_runs_to_its_end(bodies):
    server = bodies("/recursive")
    (call,) = called(server, "/recursive", body=b"0")

    assert call.runs == 1


def test_bodies_begin_together_at_the_instant_that_is_set(bodies):
    server = bodies("/in-thread?all")
    server.hold(0, 1, 2, path="/in-thread?all")
    at_ns = time.monotonic_ns() + 300_000_000
    server.recording.call(range(3), at_ns)
    wait_until(lambda: server.recording.in_service(0, 3) == 0, "end of the bodies", server.log)
    calls = server.recording.calls(0, 3, 3)

    assert len(calls) == 3
    assert all(call.begun_ns >= at_ns for call in calls)
    assert max(call.begun_ns for call in calls) < min(call.ended_ns for call in calls)


def test_a_call_that_is_taken_back_before_its_instant_runs_no_body(bodies):
    server = bodies("/in-thread?back")
    (client,) = server.hold(0, path="/in-thread?back")
    server.recording.call([0], time.monotonic_ns() + 500_000_000)
    server.release(0)

    assert reply(client).body == b"held\n"
    assert server.recording.calls(0, 1, 3) == ()


def called(server, path, status=200, body=None):
    (client,) = server.hold(0, path=path)
    server.recording.call([0], 0)
    answer = reply(client)
    assert answer.status == status
    assert body is None or answer.body == body
    wait_until(lambda: server.recording.is_left(0), "end of the body", server.log)
    return server.recording.calls(0, 1, 3)


REPEATING = """
from flask import Flask
app = Flask(__name__)
runs = []

def again(view):
    def repeated():
        while True:
            try:
                return view()
            except ValueError:
                pass
    repeated.__wrapped__ = view
    return repeated

@app.route("/")
@again
def third_time():
    runs.append(1)
    if len(runs) < 3:
        raise ValueError
    return str(len(runs))
"""


def test_a_decorator_that_repeats_a_body_repeats_it_and_the_record_says_so(tmp_path):
    (tmp_path / "repeating.py").write_text(REPEATING)
    with serving(tmp_path, app=str(tmp_path / "repeating.py")) as server:
        (call,) = called(server, "/", body=b"3")

    assert (call.runs, call.raised) == (3, True)


WITHOUT_FRAMEWORK = """
import asyncio
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"plain"]

async def later(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"plain"})
"""


@pytest.mark.parametrize(
    ("app", "command", "interface", "timing"),
    [("app", FLASK, "wsgi", NO_LOOP), ("later", UVICORN, "asgi", STEPS)],
)
def test_an_application_without_a_framework_is_called_as_a_whole(tmp_path, app, command, interface, timing):
    if command is UVICORN:
        pytest.importorskip("uvicorn")
    (tmp_path / "without.py").write_text(WITHOUT_FRAMEWORK)
    with serving(tmp_path, app=f"{tmp_path / 'without.py'}:{app}", command=command, interface=interface) as server:
        (call,) = called(server, "/", body=b"plain")

    assert call.timing == timing


GREENLETS = """
import time
def app(environ, start_response):
    time.sleep(0.3)
    if environ["QUERY_STRING"] == "blocking":
        import gevent.monkey
        gevent.monkey.get_original("time", "sleep")(0.2)
    start_response("200 OK", [("Content-Length", "5")])
    return [b"plain"]
"""


@pytest.mark.servers
@pytest.mark.parametrize(("path", "stop_ms"), [("/?waiting", 0), ("/?blocking", 200)])
def test_a_greenlet_stops_its_hub_from_each_switch_to_it_until_the_next(tmp_path, path, stop_ms):
    pytest.importorskip("gevent")
    (tmp_path / "greenlets.py").write_text(GREENLETS)
    app = str(tmp_path / "greenlets.py")
    with serving(tmp_path, app=app, command=own_server("gevent"), path=path, interface="wsgi") as server:
        (call,) = called(server, path)

    assert call.timing == "switches"
    assert stop_ms * 1e6 <= call.longest_stop_ns < (stop_ms + 150) * 1e6
    assert call.ended_ns - call.begun_ns >= (300 + stop_ms) * 1e6
