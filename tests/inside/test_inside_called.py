"""Where a released request's body is called after all: it runs in its own place, and what comes of it is the answer.

The paths and what is at each are those of the applications beside this file, which other tests hold.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time

import pytest
from inside_server import FLASK, HYPERCORN, SERVER_PYTHON, UVICORN, reply, serving, wait_until

ANN = ("X-User: ann",)
NO_LOOP, STEPS, WHOLE, UNSEEN = "no loop", "steps", "whole", "unseen"
NO_BODY = None


def own_server(name, *options):
    return (SERVER_PYTHON, "-m", f"holdfast_inside.{name}_server", "--host", "127.0.0.1", "--port", "{port}", *options)


OF_DJANGO = {
    "/plain": NO_LOOP,
    "/decorated/7": NO_LOOP,
    "/closure/eve": NO_LOOP,
    "/items": NO_LOOP,
    "/callable": NO_LOOP,
    "/partial": NO_LOOP,
    "/builtin": NO_LOOP,
    "/inner/basket/": NO_LOOP,
    "/async": STEPS,
    "/async-items": STEPS,
}
# What serves it, and path -> how the stops of a loop are timed there.
SERVED = {
    "flask": (
        {"app": "rich.py", "command": FLASK},
        {
            "/plain": NO_LOOP,
            "/decorated/7": NO_LOOP,
            "/closure/eve": NO_LOOP,
            "/items": NO_LOOP,
            "/heir": NO_LOOP,
            "/callable": NO_LOOP,
            "/partial": NO_LOOP,
            "/builtin": NO_LOOP,
            "/generator": NO_LOOP,
            "/streamed": NO_LOOP,
            "/async": STEPS,
            "/missing": NO_BODY,
        },
    ),
    "django-wsgi": (
        {"app": "django_project/shop/wsgi.py", "command": own_server("django"), "interface": "wsgi"},
        OF_DJANGO,
    ),
    "django-asgi": ({"app": "django_project/shop/asgi.py", "command": UVICORN, "interface": "asgi"}, OF_DJANGO),
    "fastapi": (
        {"app": "rich_fastapi.py", "command": UVICORN},
        {
            "/plain": NO_LOOP,
            "/async": STEPS,
            "/items/7": NO_LOOP,
            "/elsewhere": NO_LOOP,
            "/callable": STEPS,
            "/partial": NO_LOOP,
            "/shop/inner/basket": STEPS,
            "/starlette/view": NO_LOOP,
            "/starlette/endpoint": NO_LOOP,
            "/starlette/instance": STEPS,
            "/starlette/once": STEPS,
            "/flask/plain": NO_LOOP,
            "/raw/anything": STEPS,
            "/posted": NO_BODY,
            "/missing": NO_BODY,
        },
    ),
    "quart": (
        {"app": "rich_quart.py", "command": HYPERCORN},
        {
            "/plain": NO_LOOP,
            "/async": STEPS,
            "/decorated/7": STEPS,
            "/items": NO_LOOP,
            "/heir": STEPS,
            "/shop/basket/": STEPS,
            "/pieces": STEPS,
            "/missing": NO_BODY,
        },
    ),
    "litestar": (
        {"app": "rich_litestar.py", "command": UVICORN},
        {
            "/threaded": NO_LOOP,
            "/async": STEPS,
            "/inline": WHOLE,
            "/items/7": NO_LOOP,
            "/routed/shop/basket": STEPS,
            "/flask/plain": NO_LOOP,
            "/raw/anything": STEPS,
            "/missing": NO_BODY,
        },
    ),
    "aiohttp": (
        {"app": "aiohttp_rich.py", "command": own_server("aiohttp")},
        {
            "/plain": STEPS,
            "/decorated/7": STEPS,
            "/items": STEPS,
            "/bound": STEPS,
            "/inner/basket/": STEPS,
            "/blocking": WHOLE,
            "/missing": NO_BODY,
        },
    ),
    "tornado": (
        {"app": "tornado_rich.py:make_app()", "command": own_server("tornado")},
        {
            "/plain": WHOLE,
            "/decorated/7": WHOLE,
            "/heir": WHOLE,
            "/later": STEPS,
            "/generator": UNSEEN,
            "/missing": NO_BODY,
        },
    ),
    "sanic": (
        {"app": "sanic_rich.py", "command": own_server("sanic", "--single-process")},
        {
            "/plain": STEPS,
            "/decorated/7": STEPS,
            "/items": STEPS,
            "/inner/basket": STEPS,
            "/sync": WHOLE,
            "/missing": NO_BODY,
        },
    ),
}
# In every run; the other servers' in those of `make test-servers`.
ALWAYS = {"flask"}


@pytest.fixture(scope="module")
def applications(tmp_path_factory):
    """Started when first asked for, ended together; with each, the ids that are still free."""
    with contextlib.ExitStack() as running:
        known = {}

        def application(name):
            if name not in known:
                pytest.importorskip(name.partition("-")[0])
                server = running.enter_context(serving(tmp_path_factory.mktemp(name), **SERVED[name][0]))
                known[name] = server, itertools.count()
            return known[name]

        yield application


def each():
    for name, (_how, paths) in SERVED.items():
        for path in paths:
            yield pytest.param(name, path, marks=() if name in ALWAYS else pytest.mark.servers)


@pytest.mark.parametrize(("name", "path"), list(each()))
def test_the_body_runs_after_the_hold_and_its_answer_is_the_ordinary_one(applications, name, path):
    server, free = applications(name)
    server.get(f"/hold-at?path={path}")
    id = next(free)

    start = ran(server)
    ordinary = server.get(path, ANN)
    before = ran(server)
    (client,) = server.hold(id, path=path, headers=ANN)
    # While the loop itself is held, nobody answers.
    held = before if SERVED[name][1][path] is WHOLE else ran(server)
    server.recording.call([id], 0)
    answer = reply(client)
    wait_until(lambda: server.recording.is_left(id), "end of the body", server.log)
    after = ran(server)
    calls = server.recording.calls(id, id + 1, 3)

    timing = SERVED[name][1][path]
    assert held["body"] == before["body"]
    if timing is NO_BODY:
        assert answer.body == b"held\n"
        assert calls == ()
        return
    assert answer == ordinary
    assert after["body"] - held["body"] == before["body"] - start["body"]
    (call,) = calls
    entry = server.entry(id)
    assert (call.timing, call.runs, call.raised) == (timing, 1, False)
    assert entry.entered_ns <= call.begun_ns <= call.ended_ns
    assert (call.longest_stop_ns > 0) == (timing != NO_LOOP)
    assert call.longest_stop_ns <= call.stopped_ns <= call.ended_ns - call.begun_ns
    assert call.own_loop == (entry.loop and entry.tid != entry.entry_tid)


def ran(server):
    counts = json.loads(server.get("/ran").body)
    return {"body": 0, **counts}


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
    # What does not stop the loop is no stop, however long it takes; with room for a busy machine.
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
