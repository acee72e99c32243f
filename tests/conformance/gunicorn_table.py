"""Rows of the table: gunicorn with its WSGI worker classes."""

from __future__ import annotations

from typing import Any

from expectation import Case, Quote, Says, Within
from sources import goes_on, in_service, listens, runs_for_nobody, takes_all
from wsgi_sources import (
    OWN_LISTENERS,
    POOL_GROWS,
    POOL_THREADS,
    SYNC,
    fills_a_queue_of_its_own,
    greenlets,
    lasting,
    queues,
    threads,
)

BACKLOG = "gunicorn.sock"
LISTENED = Quote(BACKLOG, "sock.listen(self.conf.backlog)", "`backlog` is what listen(2) gets, once for all workers")
DEFAULT = Quote("gunicorn.config", 'cli = ["--backlog"]', "its `default` is 2048 (Backlog.default)")
SETTING = (LISTENED,)

ONE_AFTER_ANOTHER = Quote(
    "gunicorn.workers.sync",
    "self.handle(listener, client, addr)",
    "a sync worker handles what it has accepted before it accepts again, on its only thread",
)
SYNC_UNASKED = Quote(
    "gunicorn.workers.sync",
    "self.accept(listener)\n                # Keep processing clients until no one is waiting.",
    "nobody asks whether the client is still there; its request lies in the socket and is read",
)
THREADED = Quote(
    "gunicorn.config",
    "if is_sync and self.threads > 1:",
    "`threads` turns the sync worker into gthread; other classes do not look at it",
)
POOL = Quote(
    "gunicorn.workers.gthread",
    "return futures.ThreadPoolExecutor(max_workers=self.cfg.threads)",
    "`threads` handle requests in each worker",
)
CONNECTIONS = Quote(
    "gunicorn.workers.gthread",
    "can_accept = self.nr_conns < self.worker_connections",
    "a gthread worker accepts until it has `worker_connections`, kept-alive and queued ones included",
)
ACCEPTS_AHEAD = Quote(
    "gunicorn.workers.gthread",
    "# Submit directly to thread pool for processing\n            self.enqueue_req(conn)",
    "what is accepted waits in the executor's queue for a thread",
)
THREADS_UNASKED = Quote(
    "gunicorn.workers.gthread",
    "if not conn.wait_for_data(DEFAULT_WORKER_DATA_TIMEOUT):",
    "a thread looks whether there are bytes, which there are, and not whether their sender is still there",
)
GREEN_POOL = Quote(
    "gunicorn.workers.ggevent",
    "pool = Pool(self.worker_connections)",
    "`worker_connections` greenlets in each worker",
)
GREEN_FULL = Quote(
    "gevent.baseserver",
    "if self.full():\n                self.stop_accepting()",
    "while the pool is full nothing is accepted",
)
GREEN_UNASKED = Quote(
    "gunicorn.workers.base_async",
    "req = next(parser)",
    "what is accepted is read, and what could be read is handled",
)
TORNADO = Quote(
    "tornado.wsgi",
    "self.executor = dummy_executor if executor is None else executor",
    "a WSGI application is called in the loop's own thread, so the loop stands still meanwhile",
)
TORNADO_WRAPS = Quote(
    "gunicorn.workers.gtornado",
    "app = WSGIContainer(app)",
    "the tornado worker gives WSGIContainer no executor; it has no use for `threads` or `worker_connections`",
)
TORNADO_UNASKED = Quote(
    "tornado.http1connection",
    "delegate.finish()",
    "a request that was read whole is handed on, whether its sender has closed or not",
)
RUN_BY_ITSELF = Quote(
    "gunicorn.arbiter",
    "worker.sockets = sock.create_sockets(self.cfg, self.log)",
    "with `reuse_port` each worker makes its own listener",
)

SYNC_UNWATCHED = goes_on(
    Quote(
        "gunicorn.workers.sync",
        "respiter = self.wsgi(environ, resp.start_response)",
        "the worker's only thread is in the view and touches no socket meanwhile",
    )
)
POOL_UNWATCHED = goes_on(
    Quote(
        "gunicorn.workers.gthread",
        "fs = self.tpool.submit(self.handle, conn)",
        "a connection that a thread has is not among those that the poller watches",
    )
)
GREEN_UNWATCHED = goes_on(
    Quote(
        "gunicorn.workers.base_async",
        "respiter = self.wsgi(environ, resp.start_response)",
        "the greenlet that would read from the connection is in the view",
    )
)
TORNADO_UNWATCHED = goes_on(TORNADO)

OFFERED = 200


def backlog(number: int) -> Says:
    return listens(number, LISTENED)


def row(name: str, running: int, source: Any, *claims: Any, exact: Within | None = None, **options: Any) -> Case:
    claims = (*SYNC, in_service(running, source, exact=exact), *claims)
    return Case(name, "gunicorn", claims, arguments=tuple(name.split()), options=options)


def sync(arguments: str, workers: int = 1, listening: Says | None = None) -> Case:
    model = threads(ONE_AFTER_ANOTHER, *[1] * workers)
    waits = queues(listening or backlog(20), SYNC_UNASKED)
    return row(arguments, workers, ONE_AFTER_ANOTHER, model, SYNC_UNWATCHED, *waits)


def gthread(arguments: str, each: int, connections: int, workers: int = 1) -> Case:
    waiting = workers * (connections - each)
    model = threads((POOL, POOL_THREADS), *[each] * workers)
    waits = queues(backlog(10), THREADS_UNASKED, after=waiting)
    source = (THREADED, POOL, POOL_GROWS, CONNECTIONS)
    # One worker may take in what another has threads for.
    exact = Within(each, workers * each) if workers > 1 else None
    return row(arguments, workers * each, source, model, POOL_UNWATCHED, *waits, exact=exact)


def gthread_without_bound(arguments: str, each: int, workers: int = 1) -> Case:
    """1,000 connections for each worker are more than are offered."""
    running = workers * each
    exact = Within(each, running) if workers > 1 else None
    claims = (
        POOL_UNWATCHED,
        threads((POOL, POOL_THREADS), *[each] * workers),
        *takes_all(OFFERED, running, (CONNECTIONS, ACCEPTS_AHEAD), listens(2048, DEFAULT)),
        *runs_for_nobody(THREADS_UNASKED),
    )
    return row(arguments, running, (THREADED, POOL, POOL_GROWS), *claims, exact=exact, max_offered=OFFERED)


def gevent(arguments: str, connections: int, workers: int = 1) -> Case:
    model = greenlets((GREEN_POOL, "gevent: greenlets run on the thread of their hub"), *[connections] * workers)
    waits = queues(backlog(20), GREEN_UNASKED)
    return row(arguments, workers * connections, (GREEN_POOL, GREEN_FULL), model, GREEN_UNWATCHED, *waits)


def tornado(arguments: str) -> Case:
    model = lasting(
        "event-loop", (TORNADO, "docs/method.md, Process models: a loop runs, also when a view blocks it"), 1
    )
    return row(arguments, 1, (TORNADO, TORNADO_WRAPS), model, TORNADO_UNWATCHED, *queues(backlog(20), TORNADO_UNASKED))


ROWS = (
    sync("--workers 1", listening=listens(2048, DEFAULT)),
    sync("--workers 4 --backlog 20", 4),
    sync("--backlog 1", listening=backlog(1)),
    sync("--workers 2 --worker-connections 10 --backlog 20", 2),
    row(
        "--workers 2 --reuse-port --backlog 20",
        2,
        ONE_AFTER_ANOTHER,
        threads((ONE_AFTER_ANOTHER, RUN_BY_ITSELF, OWN_LISTENERS), 1, 1, listen_queues="per-worker"),
        SYNC_UNWATCHED,
        *fills_a_queue_of_its_own(backlog(20), SYNC_UNASKED, 2),
        # Lots may deal both to one worker.
        exact=Within(1, 2),
    ),
    gthread("--threads 4 --worker-connections 10 --backlog 10", 4, 10),
    gthread("--workers 2 --threads 8 --worker-connections 20 --backlog 10", 8, 20, workers=2),
    gthread("--threads 4 --worker-connections 10 --keep-alive 75 --backlog 10", 4, 10),
    gthread("-k gthread --worker-connections 5 --backlog 10", 1, 5),
    gthread("--threads 6 --worker-connections 6 --backlog 10", 6, 6),
    gthread_without_bound("--threads 4", 4),
    gthread_without_bound("--workers 2 --threads 8", 8, workers=2),
    gevent("-k gevent --worker-connections 50 --backlog 20", 50),
    gevent("-k gevent --workers 2 --worker-connections 10 --backlog 20", 10, workers=2),
    gevent("-k gevent --threads 4 --worker-connections 7 --backlog 20", 7),
    gevent("-k gevent_pywsgi --worker-connections 10 --backlog 20", 10),
    tornado("-k tornado --backlog 20"),
    tornado("-k tornado --worker-connections 10 --threads 4 --backlog 20"),
)
