"""Requests that wait before their view for no longer than a time, and what they get then."""

from __future__ import annotations

import pytest
from own_commands import ANSWERED, Own, run_all

from holdfast.model.experiment import DEFAULT_MAX_OFFERED

PLACES = 3
SECONDS = 0.7

BEFORE_REQUEST = f"""
import threading
from flask import Flask, abort, g

app, free = Flask(__name__), threading.Semaphore({PLACES})


@app.before_request
def take():
    g.taken = free.acquire(timeout={SECONDS})
    if not g.taken:
        abort(503)


@app.teardown_request
def give_back(error):
    if g.pop("taken", False):
        free.release()


@app.get("/")
def index():
    return "done"
"""

DEPENDENCY = f"""
import asyncio
import anyio
from fastapi import Depends, FastAPI, HTTPException

app, free = FastAPI(), asyncio.Semaphore({PLACES})


async def place():
    try:
        TIMED:
            await free.acquire()
    except TimeoutError:
        raise HTTPException(429)
    yield
    free.release()


@app.get("/")
async def index(_=Depends(place)):
    return "done"
"""

ON_TRIO = f"""
import trio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

free = trio.Semaphore({PLACES})


class Limited:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        with trio.move_on_after({SECONDS}) as waiting:
            await free.acquire()
        if waiting.cancelled_caught:
            return await PlainTextResponse("busy", 429)(scope, receive, send)
        try:
            await self.app(scope, receive, send)
        finally:
            free.release()


async def index(request):
    return PlainTextResponse("done")


app = Limited(Starlette(routes=[Route("/", index)]))
"""

# A pool of a library: its timeout is an error of the application.
POOL = f"""
from flask import Flask, g
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

app = Flask(__name__)
engine = create_engine("sqlite://", poolclass=QueuePool, pool_size={PLACES}, max_overflow=0, pool_timeout={SECONDS})


@app.before_request
def connect():
    g.connection = engine.connect()


@app.teardown_request
def give_back(error):
    if "connection" in g:
        g.pop("connection").close()


@app.get("/")
def index():
    return "done"
"""

TIMEOUT, FAIL_AFTER = f"async with asyncio.timeout({SECONDS})", f"with anyio.fail_after({SECONDS})"
UVICORN = ("uvicorn", "--port", "{port}", "shop:app", "--loop")
GUNICORN = ("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "9", "shop:app")


GREENLETS = BEFORE_REQUEST.replace("threading.Semaphore(", "BoundedSemaphore(").replace(
    "import threading", "from gevent.lock import BoundedSemaphore"
)


def own(name: str, source: str, command: tuple[str, ...]) -> Own:
    return Own(name, command, {"shop.py": source}, options=("--max-offered", "20"))


TIMED = (
    (
        own("asyncio", DEPENDENCY.replace("TIMED", TIMEOUT), (*UVICORN, "asyncio")),
        "429",
    ),
    (own("uvloop", DEPENDENCY.replace("TIMED", TIMEOUT), (*UVICORN, "uvloop")), "429"),
    (own("anyio", DEPENDENCY.replace("TIMED", FAIL_AFTER), (*UVICORN, "asyncio")), "429"),
    (own("threading", BEFORE_REQUEST, GUNICORN), "503"),
    (own("gevent", GREENLETS, ("gunicorn", "-b", "127.0.0.1:{port}", "-k", "gevent", "shop:app")), "503"),
    (own("trio", ON_TRIO, ("hypercorn", "-b", "127.0.0.1:{port}", "-k", "trio", "shop:app")), "429"),
    (own("pool", POOL, GUNICORN), "500"),
)


@pytest.mark.servers
def test_who_waits_before_the_view_for_no_longer_than_a_time_is_seen_to_be_turned_away(workshop):
    done = run_all(workshop, [each for each, _ in TIMED])

    for each, status in TIMED:
        assert done[each.id].ended.exit == ANSWERED
        verdict = done[each.id].verdict()
        ceiling, overflow = verdict["ceiling"], verdict["overflow"]
        assert (each.id, ceiling["in_service"], ceiling["bounded"]) == (each.id, PLACES, True)
        assert (each.id, overflow["first"], overflow["client_sees"]) == (each.id, "userspace_queue", status)
        # A time decides how many wait, no number.
        assert (each.id, ceiling["userspace_queue"], ceiling["userspace_queue_bounded"]) == (each.id, None, False)
        if each.id == "trio":
            assert {one["waits_in"] for one in verdict["waiting"]} == {"trio._sync.Semaphore.acquire"}
        (told,) = [each for each in verdict["warnings"] if "a time limit for waiting" in each]
        assert told.startswith("The application has ")
        assert f"got HTTP {status} while all places were taken" in told


def test_those_turned_away_after_a_time_make_no_room_for_further_ones(workshop):
    command = (*GUNICORN, "--backlog", "4", "--worker-connections", "20")
    # All queues are full before the first one's time is over.
    full = Own("full", command, {"shop.py": BEFORE_REQUEST.replace(f"timeout={SECONDS}", "timeout=3")})

    verdict = run_all(workshop, [full])["full"].verdict()

    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["accept_queue"]) == (PLACES, 5)
    assert verdict["overflow"]["client_sees"] == "connect-timeout"
    # BEYOND of probing/ramp.py
    assert (verdict["places"]["syn"], verdict["places"]["rejected"]) == (3, 0)


@pytest.mark.servers
def test_those_turned_away_late_are_offered_side_by_side_and_none_after_them(workshop):
    # A queue of 5 takes few at once, so that there are not thousands before the first one's time is over.
    command = (*UVICORN, "asyncio", "--workers", "2", "--backlog", "4")
    late = Own("late", command, {"shop.py": DEPENDENCY.replace("TIMED", TIMEOUT)})

    verdict = run_all(workshop, [late])["late"].verdict()

    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (2 * PLACES, True)
    assert (verdict["overflow"]["client_sees"], verdict["ceiling"]["userspace_queue"]) == ("429", None)
    assert verdict["offered"] < DEFAULT_MAX_OFFERED
