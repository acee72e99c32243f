"""Rows of the table: granian with a WSGI application.

Its sources are named by file and function of granian 2.8.1 (Rust), which its Python half, installed here, belongs to.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from expectation import Case, Quote, Within
from sources import client_gone, goes_on, listens
from thread_pool_table import row
from wsgi_sources import OWN_LISTENERS, fills_a_queue_of_its_own, queues, threads

UNWATCHED = goes_on(
    "granian src/blocking.rs, blocking_worker_idle(): a blocking thread is in the view until that ends, and there "
    "is no other thread for whoever gets the permit of the client that has gone"
)

WORKERS_ARE_THREADS = (
    ""
    if getattr(sys, "_is_gil_enabled", lambda: True)()
    else "without the GIL, granian's workers are threads of one process (granian/server/__init__.py, MTServer)"
)
BLOCKING = (
    "granian src/blocking.rs, BlockingRunnerPool::run(): one thread more while calls wait and there are fewer than "
    "blocking_threads; blocking_worker_idle(): a thread runs one call after another"
)
PERMIT = (
    "granian src/workers.rs, acceptor_impl_loop!: a connection is accepted only with a permit of a semaphore of "
    "`backpressure`, which it keeps until it is closed"
)
GRANIAN_UNASKED = (
    "granian src/blocking.rs, BlockingRunnerPool::run(): a call that was sent into the channel is run, whatever "
    "becomes of the future that waits for its reply"
)
HALF = Quote(
    "granian.server.common",
    "else max(1, (self.backpressure // 2) if self.interface == Interfaces.WSGI else 1)",
    "half as many blocking threads as backpressure",
)
PRESSURE = Quote(
    "granian.server.common",
    "self.backpressure = max(1, backpressure or self.backlog // self.workers)",
    "what is not said is the backlog's share",
)
GRANIAN_LISTENS = Quote("granian.server.common", "self.backlog = max(128, backlog)", "at least 128")
GRANIAN_OWN = Quote(
    "granian.server.common",
    "self._ssp.build()",
    "on Linux a spec is handed to the workers, not a socket, and each builds its own with SO_REUSEPORT (src/net.rs)",
)


PERMIT_RETURNED = client_gone(
    "place freed, handler goes on",
    "granian src/workers.rs, conn_handle_h1_impl!: the permit is dropped when hyper's connection has ended; hyper "
    "src/proto/h1/conn.rs, mid_message_detect_eof(): a client that has closed ends it while its reply is awaited; "
    "the next connection is accepted, and there is a thread for it",
)


def granian(arguments: str, each: int, pressure: int, workers: int = 1) -> Case:
    running, accepted = workers * each, workers * pressure
    listening = listens(128, GRANIAN_LISTENS)
    several = {"listen_queues": "per-worker"} if workers > 1 else {}
    waiting = (
        fills_a_queue_of_its_own(listening, GRANIAN_UNASKED, workers, after=accepted - running)
        if workers > 1
        else queues(listening, GRANIAN_UNASKED, after=accepted - running)
    )
    found = row(
        "granian",
        f"--backlog 128 {arguments}",
        running,
        (BLOCKING, PERMIT, HALF, PRESSURE),
        threads((BLOCKING, OWN_LISTENERS, GRANIAN_OWN), *[each] * workers, **several),
        *waiting,
        # Lots may deal all of them to one worker.
        exact=Within(each, running) if workers > 1 else None,
        gone=PERMIT_RETURNED if each == pressure else UNWATCHED,
        framework="flask",
    )
    return replace(found, not_here=WORKERS_ARE_THREADS) if workers > 1 else found


ROWS = (
    granian("--blocking-threads 4 --backpressure 10", 4, 10),
    granian("--backpressure 12", 6, 12),
    granian("--blocking-threads 1 --backpressure 3", 1, 3),
    granian("--blocking-threads 10 --backpressure 4", 4, 4),
    granian("--blocking-threads 4", 4, 128),
    granian("--workers 2 --blocking-threads 4 --backpressure 10", 4, 10, workers=2),
)
