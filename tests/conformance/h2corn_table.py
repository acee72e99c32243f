"""Rows of the table: h2corn, whose Tokio threads accept and whose event loop runs the handlers.

Its sources in Rust are named by file and function of h2corn 2.0.0.
"""

from __future__ import annotations

from typing import Any

from expectation import Case, Computed, Quote, Says, Within
from loop_sources import (
    ANYIO,
    ANYIO_THREADS,
    ON_THE_LOOP,
    TOKENS,
    Accepting,
    Pool,
    framework_view,
    on_loops,
    pooled,
    unbounded,
)
from sources import (
    NOBODY_WAITED,
    fills_the_accept_queue,
    goes_on,
    in_service,
    listens,
    runs_for_nobody,
    takes_all,
    turned_away,
)

STARLETTE = framework_view("starlette", "async")
TASKS = "h2corn/src/app_call.rs: each request is a task of the one loop of its process"
UNREAD = "h2corn/src/h1.rs, handle_http_request(): after a request without a body nothing is read until its answer"
LISTENS = Quote("h2corn._socket", "sock.listen(backlog)", "listen() gets what --backlog says")
H2CORN = Accepting(
    "h2corn",
    TASKS,
    listens(
        1024, (LISTENS, Quote("h2corn._config", "Maximum number of queued connections on", "its `default` is 1024"))
    ),
    f"{TASKS}; {UNREAD}",
    goes_on(UNREAD),
)
AHEAD = (
    TASKS,
    "h2corn/src/server.rs: Tokio's threads accept whether the loop is blocked or not; nothing bounds the connections",
)
LIMIT = (
    Quote("h2corn._config", "Maximum number of concurrent ASGI request or session tasks per worker.", "of each worker"),
    "h2corn/src/runtime.rs, try_acquire_request_admission(): so many permits; h1.rs answers 503 where there is none",
)
CONNECTIONS = (
    Quote("h2corn._config", "Maximum number of live client connections per worker.", "of each worker"),
    "h2corn/src/server.rs: nothing is accepted while there are so many connections",
)
OFFERED = 200


def row(name: str, *claims: Says, arguments: str = "", **options: Any) -> Case:
    given = {"framework": "starlette", **options}
    return Case(name, "h2corn", claims, arguments=tuple(arguments.split()), options=given)


def blocked(arguments: str, backlog: int) -> Case:
    """A view that blocks the loop: requests are accepted all the same, and wait for it."""
    return row(
        f"{arguments}, blocking".removeprefix(", "),
        framework_view("starlette", "async-blocking"),
        ON_THE_LOOP,
        on_loops(TASKS, each=1),
        in_service(1, TASKS),
        H2CORN.gone,
        *takes_all(OFFERED, 1, AHEAD, listens(backlog, LISTENS)),
        *runs_for_nobody(H2CORN.left),
        arguments=arguments,
        view="async-blocking",
        max_offered=OFFERED,
    )


def _of_each(limit: int, running: int) -> Computed:
    """One worker may turn away what another has room for, so that it may take too long to fill all places."""
    return lambda seen: None if seen.verdict.ceiling.at_exact_load is None else Within(limit, running)


def limited(limit: int, workers: int = 1) -> Case:
    """Who finds no permit in the worker that accepted gets 503, also where another worker has one."""
    running = limit * workers
    arguments = f"--limit-concurrency {limit}" + (f" --workers {workers}" if workers > 1 else "")
    return row(
        arguments,
        STARLETTE,
        ON_THE_LOOP,
        on_loops(TASKS, workers, each=limit),
        in_service(running, LIMIT, exact=_of_each(limit, running) if workers > 1 else None),
        H2CORN.gone,
        *turned_away("rejected", "503", LIMIT, H2CORN.listens),
        NOBODY_WAITED,
        arguments=arguments,
    )


def connections(arguments: str, most: int, backlog: int) -> Case:
    return row(
        arguments,
        STARLETTE,
        ON_THE_LOOP,
        on_loops(TASKS),
        in_service(most, CONNECTIONS),
        H2CORN.gone,
        *fills_the_accept_queue(listens(backlog, LISTENS)),
        *runs_for_nobody(H2CORN.left),
        arguments=arguments,
    )


ROWS = (
    unbounded("Starlette", H2CORN, STARLETTE, framework="starlette"),
    unbounded("Starlette, --workers 2", H2CORN, STARLETTE, "--workers", "2", processes=2, framework="starlette"),
    blocked("", 1024),
    blocked("--backlog 20", 20),
    limited(10),
    limited(5, workers=2),
    connections("--limit-connections 10 --backlog 7", 10, 7),
    pooled(
        "FastAPI def",
        H2CORN,
        framework_view("fastapi", "sync"),
        Pool(TOKENS, (*ANYIO, ANYIO_THREADS)),
        framework="fastapi",
        view="sync",
    ),
)
