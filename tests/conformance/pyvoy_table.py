"""Rows of the table: pyvoy, which is Envoy with Python in its own process.

Its sources in Rust are named by file and function of pyvoy 1.3, Envoy's by its documentation.
"""

from __future__ import annotations

import os
from typing import Any

from expectation import Case, Quote, Says, Seen
from loop_sources import ON_THE_LOOP, Accepting, framework_view, on_loops, unbounded
from sources import goes_on, in_service, runs_for_nobody, takes_all
from wsgi_sources import SYNC, threads

LISTENERS = (
    "Envoy docs, --concurrency: a worker thread for each hardware thread; Listener.enable_reuse_port: each of them has "
    "a listener of its own"
)
QUEUES = "per-worker" if (os.cpu_count() or 1) > 1 else "shared"


def _somaxconn(seen: Seen) -> int | None:
    return seen.verdict.limits.somaxconn


BACKLOG = Says(
    "Envoy docs, Listener.tcp_backlog_size: net.core.somaxconn where nothing is set, and pyvoy sets nothing",
    {"ceiling.accept_queue_limit": _somaxconn},
)
LOOP = "pyvoy src/asgi/python/mod.rs: each request is a task of one of `worker-threads` event loops"
UNCLOSED = "on_stream_complete() closes the request's channels, and nothing cancels what runs"
POOL = (
    "pyvoy src/wsgi/python.rs, Executor: `worker-threads` threads take requests from a channel without a bound",
    Quote("pyvoy._server", 'base_pyvoy_config["worker_threads"] = self._worker_threads', "it is passed on"),
)
OFFERED = 150
PYVOY = Accepting(
    "pyvoy",
    LOOP,
    BACKLOG,
    f"pyvoy src/asgi/filter.rs: {UNCLOSED}",
    goes_on(f"pyvoy src/asgi/filter.rs: {UNCLOSED}"),
)


def row(name: str, *claims: Says, arguments: str = "", **options: Any) -> Case:
    given = {"max_offered": OFFERED, **options}
    return Case(name, "pyvoy", claims, arguments=tuple(arguments.split()), options=given)


def pool(size: int) -> Case:
    arguments = f"--interface wsgi --worker-threads {size}"
    return row(
        arguments,
        *SYNC,
        in_service(size, POOL),
        threads((*POOL, LISTENERS), size, listen_queues=QUEUES),
        goes_on(f"pyvoy src/wsgi/filter.rs: {UNCLOSED}"),
        *takes_all(OFFERED, size, POOL, BACKLOG),
        *runs_for_nobody(f"pyvoy src/wsgi/filter.rs: {UNCLOSED}"),
        arguments=arguments,
    )


ROWS = (
    unbounded(
        "Starlette",
        PYVOY,
        framework_view("starlette", "async"),
        ran=(ON_THE_LOOP, on_loops((LOOP, LISTENERS), listen_queues=QUEUES), PYVOY.gone),
        framework="starlette",
    ),
    row(
        "Starlette, blocking",
        framework_view("starlette", "async-blocking"),
        ON_THE_LOOP,
        on_loops((LOOP, LISTENERS), each=1, listen_queues=QUEUES),
        in_service(1, LOOP),
        PYVOY.gone,
        *takes_all(OFFERED, 1, LOOP, BACKLOG),
        *runs_for_nobody(PYVOY.left),
        framework="starlette",
        view="async-blocking",
    ),
    pool(5),
    pool(1),
)
