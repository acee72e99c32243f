"""Views that the application calls apart from their requests, in tasks of its own: no number is said, and why is."""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all

# A decorator puts the view on a queue, and three tasks of the application take it from there.
QUEUED = """
import asyncio
import contextlib
import functools

from fastapi import FastAPI

queue, workers = asyncio.Queue(), []


async def work():
    while True:
        view, answer = await queue.get()
        try:
            answer.set_result(await view())
        except BaseException as error:
            answer.set_exception(error)


def begin():
    while len(workers) < 3:
        workers.append(asyncio.create_task(work()))


@contextlib.asynccontextmanager
async def lifespan(app):
    begin()
    yield


def queued(view):
    @functools.wraps(view)
    async def put():
        begin()
        answer = asyncio.get_running_loop().create_future()
        queue.put_nowait((view, answer))
        return await answer

    return put


app = FastAPI(lifespan=lifespan)


@app.get("/")
@queued
async def index():
    return "page"
"""
# Begun by the first request, in whose context they run.
BY_REQUEST = QUEUED.replace("FastAPI(lifespan=lifespan)", "FastAPI()")
OWN = [
    Own(id, ("uvicorn", "--port", "{port}", "app:app"), {"app.py": source}, exit=INCONCLUSIVE)
    for id, source in (
        ("begun at the start", QUEUED),
        ("begun by a request", BY_REQUEST),
        ("ended by the view's end", BY_REQUEST.replace("BaseException", "Exception")),
    )
]

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, OWN)


def test_what_only_waits_for_the_view_is_not_taken_for_it(done):
    ended, verdict = done["begun at the start"].ended, done["begun at the start"].verdict()

    # Three is right, and the function around the view that the gate cannot follow runs for as many as come.
    assert ended.exit == INCONCLUSIVE
    assert verdict["ceiling"]["in_service"] is None
    assert "did not find the function behind it" in verdict["unknown"]["ceiling.in_service"]


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("begun by a request", "their view ran on a thread or in a task of the application's own"),
        ("ended by the view's end", "a task or thread of the application's own called the view and has ended with it"),
    ],
)
def test_a_view_that_runs_apart_from_its_request_is_said_to_be_the_reason(done, id, said):
    ended = done[id].ended

    assert ended.exit == INCONCLUSIVE
    assert said in " ".join(ended.err.split())
    assert "holdfast attach" in ended.err
