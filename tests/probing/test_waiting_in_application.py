"""Where in an application requests wait, named by line: before their view, and with `--call` inside of it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

import msgspec
import pytest
import waiting_applications as applications

OFFERED = 40
CALLED = 12


class Row(NamedTuple):
    """What waits where.

    Attributes:
        line: text of the line at which they wait; "" where that is in no code of the person's own.
        running: how many requests get past it, of OFFERED or of CALLED ones.
    """

    server: str
    source: str
    path: str
    line: str
    function: str | None
    waits_in: str
    running: int
    after: tuple[str, ...] = ()


SEMAPHORE = "asyncio.locks.Semaphore.acquire"  # CPython, asyncio/locks.py
POOL = (
    "sqlalchemy.pool.impl.QueuePool._do_get"  # SQLAlchemy, pool/impl.py: `pool_size` connections, `max_overflow` more
)
# AnyIO, _backends/_asyncio.py: CapacityLimiter(40); the application's lifespan has set it to 30.
TOKENS = "anyio._backends._asyncio.CapacityLimiter.acquire_on_behalf_of"

BEFORE = Row(
    "uvicorn", applications.FASTAPI, "/dependency", "async with limited:", "max_concurrency", SEMAPHORE, running=5
)
ALSO_BEFORE = (
    Row("uvicorn", applications.FASTAPI, "/def", "", None, TOKENS, running=30),
    Row("uvicorn", applications.MIDDLEWARE, "/", "async with limited:", "Limiting.dispatch", SEMAPHORE, running=3),
    # Django's ASGIHandler runs such middleware on a thread for each request (ThreadSensitiveContext).
    Row(
        "uvicorn",
        applications.DJANGO,
        "/",
        "with limited:",
        "middleware",
        "threading.Semaphore.acquire",
        running=2,
    ),
)
IN_VIEW = (
    Row("uvicorn", applications.FASTAPI, "/semaphore", "async with inside:", "with_semaphore", SEMAPHORE, running=3),
    # While its loop is blocked, none of those that have begun has come to the semaphore.
    Row("uvicorn", applications.FASTAPI, "/late", "async with inside:", "late", SEMAPHORE, running=3),
    Row(
        "flask",
        applications.FLASK,
        "/semaphore",
        "with free:",
        "with_semaphore",
        "threading.Semaphore.acquire",
        running=3,
    ),
)
ALSO_IN_VIEW = (
    # CPython, concurrent/futures/thread.py, `_worker`: a thread takes nothing before its initializer is over.
    Row(
        "uvicorn",
        applications.FASTAPI,
        "/ready",
        "run_in_executor(made_ready, time.sleep, 0.3)",
        "on_threads_made_ready",
        "concurrent.futures.thread.ThreadPoolExecutor.submit",
        running=3,
    ),
    Row(
        "uvicorn",
        applications.FASTAPI,
        "/timeout",
        "await asyncio.wait_for(lock.acquire(), 60)",
        "in_time",
        "asyncio.locks.Lock.acquire",
        running=1,
    ),
    # The three that have a connection wait for bytes, in AnyIO for an event too (SocketStream.receive), and run.
    Row(
        "uvicorn",
        applications.HTTPX,
        "/",
        "await app.state.client.get(",
        "from_elsewhere",
        "httpcore._synchronization.AsyncEvent.wait",
        running=3,
    ),
    # aiohttp, connector.py: `limit` connections are given out, and the others await a future each.
    Row(
        "uvicorn",
        applications.AIOHTTP,
        "/",
        "async with app.state.client.get(",
        "from_elsewhere",
        "aiohttp.connector.BaseConnector._wait_for_available_connection",
        running=3,
    ),
    # CPython, concurrent/futures/process.py: what is in the queue to the processes counts as running there (3 here).
    Row(
        "uvicorn",
        applications.FASTAPI,
        "/processes",
        "run_in_executor(processes, time.sleep, 0.2)",
        "in_processes",
        "concurrent.futures.process.ProcessPoolExecutor.submit",
        running=2,
    ),
    Row(
        "flask",
        applications.FLASK,
        "/processes",
        "processes.submit(time.sleep, 0.2).result()",
        "in_processes",
        "concurrent.futures.process.ProcessPoolExecutor.submit",
        running=2,
    ),
    # tornado/concurrent.py: run_on_executor chains the executor's future to one of asyncio.
    Row(
        "tornado",
        applications.TORNADO,
        "/",
        "await self.work()",
        "Main.get",
        "concurrent.futures.thread.ThreadPoolExecutor.submit",
        running=3,
    ),
    Row("flask", applications.FLASK, "/lock", "with lock:", "with_lock", "threading.Lock", running=1),
    Row("flask", applications.FLASK, "/pool", "with engine.connect()", "with_pool", POOL, running=5),
    # Cython has no frames: the lock at the line tells (gevent/thread.py, class LockType).
    Row(
        "gunicorn",
        applications.FLASK,
        "/lock",
        "with lock:",
        "with_lock",
        "gevent.thread.LockType",
        running=1,
        after=("-k", "gevent"),
    ),
    # Neither has a queue in C: CPython, Modules/_queuemodule.c; gevent/queue.py, which takes its place (patch_queue).
    Row("flask", applications.QUEUE, "/", "places.get()", "with_queue", "queue.SimpleQueue", running=4),
    Row(
        "gunicorn",
        applications.QUEUE,
        "/",
        "places.get()",
        "with_queue",
        "gevent.queue.SimpleQueue",
        running=4,
        after=("-k", "gevent"),
    ),
)


def probed(holdfast, row: Row, *options: str):
    if row.server != "flask" and find_spec(row.server) is None:
        pytest.skip(f"not installed: {row.server}")
    (holdfast.directory / "shop.py").write_text(row.source)
    given = ("--server", row.server, "--path", row.path, "--max-offered", str(OFFERED), "--json", "-", *options)
    ended = holdfast.run("probe", "shop.py", *given, "--", *row.after)
    assert ended.exit == 0, ended.err
    return msgspec.json.decode(ended.out)


def line_of(row: Row) -> int | None:
    lines = row.source.splitlines()
    # Behind the function, whose name stands in its first line.
    name = "" if row.function is None else row.function.rpartition(".")[2]
    return next((n for n, text in enumerate(lines, 1) if row.line in text and name_before(lines[:n], name)), None)


def name_before(lines: list[str], name: str) -> bool:
    named = [text for text in lines if text.lstrip().startswith(("def ", "async def "))]
    return bool(named) and f"def {name}(" in named[-1]


def names(rows):
    return [" ".join((row.server, row.path, *row.after)) for row in rows]


def check_before_view(verdict, row):
    waiting = OFFERED - row.running
    assert (verdict["ceiling"]["in_service"], verdict["places"]["before_view"]) == (row.running, waiting)
    file = "shop.py" if row.line else None
    line = line_of(row) if row.line else None
    assert verdict["waiting"] == [
        {
            "phase": "ramp",
            "requests": waiting,
            "processes": 1,
            "file": file,
            "line": line,
            "function": row.function,
            "waits_in": row.waits_in,
        }
    ]


def check_in_view(verdict, row):
    call = verdict["call"]
    together = call["at_once"]
    (seen,) = [each for each in verdict["waiting"] if each["phase"] == "call"]
    assert (seen["file"], seen["line"], seen["function"]) == ("shop.py", line_of(row), row.function)
    assert (seen["waits_in"], seen["processes"]) == (row.waits_in, 1)
    # Some may have ended before it was looked at.
    assert call["running"] == row.running
    assert 0 < seen["requests"] <= together - row.running


def test_what_waits_before_its_view_is_named_by_its_line(holdfast):
    check_before_view(probed(holdfast, BEFORE), BEFORE)


def test_it_is_named_where_objects_of_the_application_may_not_be_touched(holdfast):
    row = Row("flask", applications.PROXIES, "/", "with lock:", "waiting", "threading.Lock", running=1)

    check_before_view(probed(holdfast, row), row)


@pytest.mark.servers
@pytest.mark.parametrize("row", ALSO_BEFORE, ids=names(ALSO_BEFORE))
def test_the_same_holds_of_threads_middleware_and_a_framework_that_changes_threads(holdfast, row):
    check_before_view(probed(holdfast, row), row)


@pytest.mark.servers
def test_what_waits_for_a_pool_is_told_apart_from_what_waits_for_a_thread_to_ask_it(holdfast):
    # 30 tokens: five connections are given to views, so 30 threads wait for one; the rest wait for a thread.
    row = Row("uvicorn", applications.FASTAPI, "/pool", "with engine.connect()", "connection", POOL, running=5)
    verdict = probed(holdfast, row)

    told = {(each["line"], each["waits_in"]): each["requests"] for each in verdict["waiting"]}
    assert verdict["ceiling"]["in_service"] == 5
    assert told == {(line_of(row), POOL): 30, (None, TOKENS): OFFERED - 5 - 30}


@pytest.mark.servers
def test_a_server_without_a_descriptor_left_still_tells(holdfast):
    # The pool of processes has six: two queues and what wakes its thread (process.py, ProcessPoolExecutor.__init__).
    verdict = probed(holdfast, BEFORE, "--nofile", str(24 + 6))

    (seen,) = verdict["waiting"]
    # The others found no descriptor: uvloop closes their connections.
    assert verdict["places"]["before_view"] < OFFERED - BEFORE.running
    assert seen["requests"] == verdict["places"]["before_view"] > 0
    assert (seen["line"], seen["waits_in"]) == (line_of(BEFORE), SEMAPHORE)


@pytest.mark.parametrize("row", IN_VIEW, ids=names(IN_VIEW))
def test_what_waits_in_its_view_is_named_by_its_line_and_so_is_how_many_run(holdfast, row):
    check_in_view(probed(holdfast, row, "--call", "--max-called", str(CALLED)), row)


@pytest.mark.servers
@pytest.mark.parametrize("row", ALSO_IN_VIEW, ids=names(ALSO_IN_VIEW))
def test_the_same_holds_of_locks_pools_and_greenlets(holdfast, row):
    check_in_view(probed(holdfast, row, "--call", "--max-called", str(CALLED)), row)


@pytest.mark.servers
@pytest.mark.parametrize(
    ("path", "said"), [("/sleep", "all of them at once"), ("/semaphore", "all of them had begun before one ended")]
)
def test_bodies_that_wait_for_their_turn_are_not_said_to_run_at_once(holdfast, path, said):
    (holdfast.directory / "shop.py").write_text(applications.FASTAPI)

    given = ("--path", path, "--max-offered", str(OFFERED), "--call", "--max-called", str(CALLED))
    ended = holdfast.run("probe", "shop.py", "--server", "uvicorn", *given)

    assert f"Called together, {CALLED} bodies ran: {said};" in " ".join(ended.out.split())


@pytest.mark.servers
def test_bodies_that_only_take_time_are_not_said_to_wait(holdfast):
    row = Row("uvicorn", applications.FASTAPI, "/sleep", "", None, "", CALLED)
    verdict = probed(holdfast, row, "--call", "--max-called", str(CALLED))

    assert (verdict["waiting"], verdict["call"]["running"]) == ([], None)
    assert verdict["unknown"]["call.running"].startswith("no body was seen to wait in its view")
