"""Claims about servers whose event loop accepts, and about what runs a view behind the loop, with their sources."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from expectation import Between, Case, Quote, Says, Seen, Shares, Source, Within, each_of
from sources import (
    all_in_service,
    fills_the_accept_queue,
    goes_on,
    held_in,
    in_service,
    listens,
    model,
    runs_all_at_once,
    runs_for_nobody,
    takes_all,
)

LOOP = "PEP 3156: an event loop is one thread, and each of its callbacks runs to its end before the next"
SPAWNED = (
    "Python docs, multiprocessing, and fork(2): each process has its own copy of the module's globals; "
    "the parent runs no handler"
)
ONE_SOCKET = "socket(7): a listening socket that processes inherit has one queue, from which whoever is awake accepts"
OFFERED = 100
THREADS = (
    "Python docs, concurrent.futures, Future.cancel(): a call that is being executed cannot be cancelled; nor does "
    "AnyIO or asgiref stop a thread"
)
ON_THE_LOOP = Says(
    "PEP 3156: a coroutine runs on the thread of its loop, where the server calls the application",
    {"model.handler_threads_reused": None},
)
BEHIND_THE_LOOP = Says(
    "docs/method.md, Process models: where a loop accepts, threads_reused is about the threads behind it",
    {"model.handler_threads_reused": None},
)
ANYIO = (
    Quote("anyio._backends._asyncio", "limiter = CapacityLimiter(40)", "each event loop has 40 tokens for threads"),
    Quote(
        "anyio._backends._asyncio",
        "async with limiter or cls.current_default_thread_limiter():",
        "who finds no token waits for one, in a queue without a bound",
    ),
)
ANYIO_THREADS = Quote(
    "anyio._backends._asyncio",
    "worker = idle_workers.pop()",
    "a thread that has nothing to do takes the next call, until it has idled for MAX_IDLE_TIME",
)
TOKENS = 40

# concurrent/futures/thread.py, ThreadPoolExecutor.__init__(); Python 3.13 asks which CPUs it may use.
EXECUTOR_THREADS = min(32, (getattr(os, "process_cpu_count", os.cpu_count)() or 1) + 4)
EXECUTOR = (
    "CPython concurrent/futures/thread.py, ThreadPoolExecutor: min(32, CPUs + 4) threads unless told otherwise, which "
    "take work from a queue without a bound; asyncio's and uvloop's run_in_executor(None, ...) has one"
)


def on_loops(source: Source, processes: int = 1, each: int | None = None, **fields: Any) -> Says:
    """Coroutines on the loops of so many processes, in each of which at most `each` can be held."""
    most = each if each is not None else float("inf")
    claims = {
        "threads_per_process": 1,
        "processes": processes,
        "spread": lambda seen: Shares(processes, _held(seen), most),
        "threads_reused": True,
        "processes_reused": True,
        "globals_shared": processes == 1,
        **fields,
    }
    said = each_of(source) + ((SPAWNED, ONE_SOCKET) if processes > 1 else ())
    return model((LOOP, *said), "event-loop", 1, **claims)


def in_threads(source: Source, size: int, processes: int = 1, **fields: Any) -> Says:
    """Views on `size` threads behind the loop of each of so many processes."""
    claims = {"threads_reused": True, "processes_reused": True, "globals_shared": processes == 1, **fields}
    return model(source, "event-loop+thread-pool", *[size] * processes, **claims)


@dataclass(frozen=True, slots=True)
class Accepting:
    """A server whose event loop accepts.

    Attributes:
        name: as in `--server`.
        runs: who says that it begins a request as soon as it is there, and how many may be begun.
        listens: its backlog.
        left: who says what becomes of a request in a queue whose client has left.
        gone: what becomes of a coroutine whose client leaves.
    """

    name: str
    runs: Source
    listens: Says
    left: Source
    gone: Says

    def with_backlog(self, number: int, source: Source) -> Accepting:
        return replace(self, listens=listens(number, source))


def unbounded(
    name: str,
    server: Accepting,
    where: Says,
    *arguments: str,
    ran: tuple[Says, ...] = (),
    processes: int = 1,
    warnings: tuple[str, ...] = (),
    offered: int = OFFERED,
    **options: Any,
) -> Case:
    """As many run at once as come, on the loop unless `ran` says where."""
    claims = (
        where,
        *(ran or (ON_THE_LOOP, on_loops(server.runs, processes), server.gone)),
        *runs_all_at_once(offered, server.runs, server.listens),
    )
    given = {"max_offered": offered, **options}
    shown = (f"All {offered} offered requests ran at once", *warnings)
    return Case(name, server.name, claims, arguments=arguments, options=given, warnings=shown)


def blocked(
    name: str,
    server: Accepting,
    where: Says,
    *arguments: str,
    processes: int = 1,
    warnings: tuple[str, ...] = (),
    **options: Any,
) -> Case:
    """A view that blocks stands in the way of its loop: nothing more is accepted in that process.

    Of two connections that come at once, one process may accept both before it begins the first.
    """
    claims = (
        where,
        ON_THE_LOOP,
        on_loops(server.runs, processes, each=1),
        in_service(processes, (LOOP, *each_of(server.runs)), exact=Within(1, processes)),
        goes_on((LOOP, "a loop that is blocked learns of nothing")),
        *fills_the_accept_queue(server.listens),
        *runs_for_nobody(server.left),
    )
    given = {"view": "async-blocking", **options}
    return Case(name, server.name, claims, arguments=arguments, options=given, warnings=warnings)


@dataclass(frozen=True, slots=True)
class Pool:
    """Threads behind each loop, and a queue before them that takes whatever comes.

    Attributes:
        cancels: who says that clients who leave take their requests out of that queue; None: they do not.
        of_server: the server calls the application on these threads; otherwise the application uses them.
    """

    threads: int
    source: Source
    cancels: Source | None = None
    of_server: bool = False


def pooled(
    name: str,
    server: Accepting,
    where: Says,
    pool: Pool,
    *arguments: str,
    processes: int = 1,
    app: str | None = None,
    offered: int = 150,
    **options: Any,
) -> Case:
    """Views on a bounded number of threads; everybody else waits in front of them.

    A process accepts whatever it can, so that requests may wait in it while another has threads left.
    """
    running = processes * pool.threads
    claims = (
        where,
        BEHIND_THE_LOOP,
        in_threads(pool.source, pool.threads, processes),
        in_service(running, pool.source, exact=Within(pool.threads, running)),
        goes_on(THREADS),
        *takes_all(offered, running, pool.source, server.listens),
        Says(server.runs, {"places.before_view": 0 if pool.of_server else offered - running}),
        *(runs_for_nobody(server.left) if pool.cancels is None else runs_none_for_nobody(pool.cancels)),
    )
    given = {"max_offered": offered, **options}
    return Case(name, server.name, claims, arguments=arguments, app=app, options=given)


def runs_none_for_nobody(source: Source) -> tuple[Says, ...]:
    """Whoever leaves a queue is taken out of it."""
    left = "docs/method.md, One experiment, 5: clients of queued requests leave"
    return (Says(left, {"abandoned.left": Between(1)}), Says(source, {"abandoned.run_anyway": 0}))


def framework_view(framework: str, view: str, kind: str = "") -> Says:
    """Where the built-in application of that framework is held."""
    shown = "" if view == "sync" else "async "
    return held_in(
        f"{framework} {shown}view {kind or 'index'}()", view, f"holdfast_inside/apps/{framework}_app.py, create()"
    )


def _held(seen: Seen) -> int:
    return all_in_service(seen) or 0
