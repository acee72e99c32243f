"""Rows of the table: granian.

What its Rust part does is named by file and function of granian 2.8 (src/).
"""

from __future__ import annotations

from typing import Any

from expectation import Between, Case, Quote, Says, Within
from granian_wsgi_table import WORKERS_ARE_THREADS
from loop_sources import (
    ANYIO,
    ANYIO_THREADS,
    LOOP,
    ON_THE_LOOP,
    TOKENS,
    Accepting,
    Pool,
    framework_view,
    on_loops,
    pooled,
    unbounded,
)
from sources import client_gone, fills_the_accept_queue, goes_on, held_in, in_service, listens, runs_for_nobody

PERMITS = (
    "granian src/workers.rs, acceptor_impl_loop!: a permit is taken before accept(), and there are `backpressure` of "
    "them; conn_handle_h1_impl! gives it back when the connection ends"
)
SCHEDULED = (
    "granian src/asgi/callbacks.rs, call_http() and src/rsgi/callbacks.rs: a request is scheduled on the worker's "
    "event loop as soon as it was read, and nothing takes it back; only receive() tells of a client that has left"
)
LEAST = Quote("granian.server.common", "self.backlog = max(128, backlog)", "listen() gets at least 128")
PRESSURE = Quote(
    "granian.server.common",
    "self.backpressure = max(1, backpressure or self.backlog // self.workers)",
    "as many connections as the backlog has places, unless told otherwise",
)
OWN_LISTENER = "granian src/net.rs, ListenerSpec::as_socket(), as_listener(): each worker has a listener, SO_REUSEPORT"
GRANIAN = Accepting(
    "granian",
    (PRESSURE, SCHEDULED),
    listens(1024, Quote("granian.server.common", "backlog: int = 1024,", "src/net.rs, as_listener(): listen()")),
    SCHEDULED,
    goes_on(SCHEDULED),
)
FREES = client_gone(
    "place freed, handler goes on",
    (PERMITS, SCHEDULED, "hyper ends the connection of a client that has left; its permit goes to the next one"),
)
STAYS_BUSY = goes_on((LOOP, PERMITS, "the permit goes to another connection, which waits for the loop like the others"))
SHORT = listens(128, LEAST)
ONE_THREAD = Quote(
    "granian.server.common",
    "self.interface != Interfaces.RSGI,",
    "RSGI over HTTP/1.1 is served by a loop of one thread",
)
NEVER_CALLED = (
    "hyper src/proto/h1/dispatch.rs, poll_loop(): a request is read before its call is polled; conn.rs, "
    "mid_message_detect_eof(): if the client's end is known by then, the connection ends first, and granian's call, "
    "which is lazy, has asked nothing of Python"
)
EVERY_61_POLLS = (
    "tokio src/task/local.rs, MAX_TASKS_PER_TICK: while there is always something to poll, what has arrived becomes "
    "known once in 61 polls, and so between the accept() of a connection and its first poll, too"
)
# A client costs three polls at most (accepted, read, ended), the fifty that leave and a dozen that were in service
# under four times 61. Each time no more connections can be between accept() and first poll than there are permits.
TICKS = 4
LEAVE = 50
ASGI_VIEW = framework_view("starlette", "async")
BLOCKING = framework_view("starlette", "async-blocking")
PLAIN = ("so that is the view itself",)


def pressed(
    name: str,
    where: Says,
    held: int,
    accepted: int,
    *arguments: str,
    left: tuple[Says, ...] = runs_for_nobody(SCHEDULED),
    warnings: tuple[str, ...] = (),
    **options: Any,
) -> Case:
    """Connections are counted, and the rest wait in the accept queue.

    Args:
        left: what becomes of those whose clients leave that queue.
    """
    claims = (
        where,
        ON_THE_LOOP,
        on_loops(SCHEDULED),
        in_service(held, (PERMITS, SCHEDULED)),
        FREES if held == accepted else STAYS_BUSY,
        *fills_the_accept_queue(SHORT, after=accepted - held),
        *left,
    )
    given = ("--backlog", "128", "--backpressure", str(accepted), *arguments)
    return Case(name, "granian", claims, arguments=given, options=options, warnings=warnings)


def of_two_workers(each: int, view: str) -> Case:
    """Lots decide which worker's queue fills first; the other holds what it was dealt until then."""
    most = 2 * 129
    held = 2 * each if view == "async" else 2
    fate = {
        "places.accept_queue": Between(129, most),
        "ceiling.accept_queue": lambda seen: most if seen.verdict.places.accept_queue == most else None,
        "ceiling.accept_queue_limit": 128,
        "places.userspace_queue": 2 * each - held,
        "ceiling.userspace_queue": 2 * each - held,
        "ceiling.userspace_queue_bounded": True,
        "places.syn": Between(1),
        "overflow.first": "userspace_queue" if held < 2 * each else "accept_queue",
        "overflow.then": ("accept_queue", "syn") if held < 2 * each else ("syn",),
        "overflow.client_sees": "connect-timeout",
    }
    claims = (
        framework_view("starlette", view),
        ON_THE_LOOP,
        on_loops(SCHEDULED, 2, each=held // 2, listen_queues="per-worker"),
        # Lots may deal all of them to one worker.
        in_service(held, (PERMITS, SCHEDULED), exact=Within(held // 2, held)),
        FREES if view == "async" else STAYS_BUSY,
        Says((OWN_LISTENER, LEAST, PERMITS), fate),
        *runs_for_nobody(SCHEDULED),
    )
    arguments = ("--workers", "2", "--backlog", "128", "--backpressure", str(each))
    return Case(
        f"{' '.join(arguments)}, {view}",
        "granian",
        claims,
        arguments=arguments,
        options={"framework": "starlette", "view": view},
        not_here=WORKERS_ARE_THREADS,
    )


ROWS = (
    unbounded("Starlette", GRANIAN, ASGI_VIEW, framework="starlette"),
    pressed("--backpressure 10", ASGI_VIEW, 10, 10, framework="starlette"),
    pressed("--backpressure 10, blocking", BLOCKING, 1, 10, framework="starlette", view="async-blocking"),
    pressed(
        "--interface rsgi --backpressure 10",
        held_in("rsgi entry", "async", "holdfast_inside/rsgi.py, HELD_IN: an application of no framework"),
        10,
        10,
        "--interface",
        "rsgi",
        left=runs_for_nobody((SCHEDULED, ONE_THREAD, NEVER_CALLED, EVERY_61_POLLS), least=LEAVE - TICKS * 10),
        warnings=PLAIN,
        framework="rsgi",
    ),
    pooled(
        "FastAPI def",
        GRANIAN,
        framework_view("fastapi", "sync"),
        Pool(TOKENS, (*ANYIO, ANYIO_THREADS)),
        framework="fastapi",
        view="sync",
    ),
    of_two_workers(5, "async"),
    of_two_workers(5, "async-blocking"),
)
