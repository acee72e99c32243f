"""Robyn, whose server in Rust is given the handlers, and calls them itself.

Sources: a handler that is no coroutine runs on the thread of one of the server's `--workers` (src/executors/mod.rs,
`execute_http_function`), of which each of the `--processes` has as many (src/server.rs; robyn/processpool.py). A
coroutine runs on the loop of its process, which nothing bounds. Of `before_request` each function runs in front of the
handler.

Robyn wants an older uvloop than there is, so the tests' own environment does without.
"""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.brought import NotBroughtError, pip
from support.placed import placed

ROBYN = "robyn==0.88.0"
KEPT = Path(__file__).parents[2] / "build" / "robyn"

HEAD = """
import asyncio
from robyn import Robyn, SubRouter

app = Robyn(__file__)
"""
VIEW = """

@app.get("/")
def index():
    open("called", "w").close()
    return "hello"
"""
COROUTINE = """

@app.get("/")
async def index(request):
    open("called", "w").close()
    return "hello"
"""
TWO_AT_ONCE = """

@app.before_request()
async def wait(request):
    await two.acquire()
    return request


@app.after_request()
def leave(response):
    two.release()
    return response


two = asyncio.Semaphore(2)
"""
IN_PARTS = """

shop = SubRouter(__file__, prefix="/shop")
shop.inject_global(currency="EUR")


@shop.get("/:item")
def view(request, item: str, global_dependencies):
    open("called", "w").close()
    return {"item": item, **global_dependencies}


app.include_router(shop)
"""
CONSTANT = """

@app.get("/", const=True)
def index():
    return "hello"
"""
SERVE = """

app.start(host="127.0.0.1", port={port})
"""


def robyn(id: str, views: str, *arguments: str, options: tuple[str, ...] = (), code: int = 0, **says: object) -> Own:
    fields = {name.replace("__", "."): wanted for name, wanted in says.items()}
    env = {"PYTHONPATH": str(KEPT / "packages")}
    return Own(
        id,
        ("python", "app.py", *arguments),
        {"app.py": HEAD + views + SERVE},
        fields,
        options=options,
        env=env,
        exit=code,
    )


def bounded(number: int, kind: str, processes: int) -> dict[str, object]:
    return {
        "ceiling__in_service": number,
        "ceiling__bounded": True,
        "model__kind": kind,
        "model__processes": processes,
        "target__held_in": "robyn view index()",
    }


UNBOUNDED = {"ceiling__bounded": False, "model__kind": "event-loop", "target__held_in": "robyn async view index()"}
COMMANDS = (
    robyn("a view", VIEW, **bounded(1, "serial", 1)),
    robyn("a view with workers", VIEW, "--workers", "3", **bounded(3, "thread-pool", 1)),
    robyn("a view with both", VIEW, "--processes", "2", "--workers", "2", **bounded(4, "thread-pool", 2)),
    robyn("a coroutine", COROUTINE, **UNBOUNDED, model__processes=1),
    robyn("coroutines in processes", COROUTINE, "--processes", "2", **UNBOUNDED, model__processes=2),
    robyn(
        "a semaphore before the view",
        TWO_AT_ONCE + COROUTINE,
        ceiling__in_service=2,
        ceiling__bounded=True,
        places__before_view=48,
    ),
    robyn(
        "a path and a query",
        IN_PARTS,
        options=("--path", "/shop/tea?a=1&b=x%20y"),
        ceiling__in_service=1,
        target__held_in="robyn view view()",
    ),
)
ANSWERED_BEFORE = robyn("a constant", CONSTANT, code=INCONCLUSIVE)


def bring() -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (KEPT / ROBYN).exists():
            shutil.rmtree(KEPT / "packages", ignore_errors=True)
            pip(ROBYN, "install", "--quiet", "--target", str(KEPT / "packages"), ROBYN)
            (KEPT / ROBYN).touch()


@pytest.fixture(scope="module")
def done(workshop):
    try:
        bring()
    except NotBroughtError as error:
        pytest.skip(str(error))
    return run_all(workshop, (*COMMANDS, ANSWERED_BEFORE))


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_a_handler_that_a_server_in_rust_calls_is_held_as_often_as_it_is_called_at_once(own, done):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]
    assert not (result.directory / "called").exists()


@pytest.mark.servers
def test_what_the_server_answers_without_python_is_said_to_come_before_the_view(done):
    result = done[ANSWERED_BEFORE.id]

    assert result.ended.exit == ANSWERED_BEFORE.exit
    said = " ".join(result.ended.err.split())
    assert "answered with 200 before any view was entered" in said
    assert "No application of a framework that holdfast knows was called with it" in said
