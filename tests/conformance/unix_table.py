"""Rows of the table: servers that listen on a Unix socket, which has an accept queue too and no SYN."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from expectation import Between, Case, Quote, Says, Source
from sources import SAME_THREAD, held_in, in_service, listens, model, own_queue, runs_for_nobody, turned_away
from thread_pool_table import ACCEPTED_QUEUE, CHEROOT_FIVE, CHEROOT_LISTENS, CHEROOT_UNASKED, FULL_503, PUT, WORKER
from truth_table import LISTENED, SERVED, UNWATCHED, sent_away
from truth_table import case as truth

QUEUE_FULL = (
    "Linux net/unix/af_unix.c, unix_recvq_full(): the queue is full when it holds more than the backlog, so it takes "
    "one more; measured with 0, 1, 7, 16, 128 on Linux 6.18"
)
AT_ONCE = (
    "unix(7), connect(2), EAGAIN: a client that does not block is told at once that the queue is full "
    "(Linux net/unix/af_unix.c, unix_stream_connect(): `if (!timeo)`)"
)
NO_SYN = "the accept queue of the Unix socket full"

ONE_AFTER_ANOTHER = Quote(
    "gunicorn.workers.sync",
    "self.handle(listener, client, addr)",
    "a sync worker handles what it has accepted before it accepts again, on its only thread",
)
SYNC_UNASKED = "gunicorn/workers/sync.py, SyncWorker.accept() and handle(): what is accepted is read and handled"
POOL = Quote(
    "gunicorn.workers.gthread",
    "return futures.ThreadPoolExecutor(max_workers=self.cfg.threads)",
    "`threads` handle requests in each worker",
)
CONNECTIONS = Quote(
    "gunicorn.workers.gthread",
    "can_accept = self.nr_conns < self.worker_connections",
    "a gthread worker accepts until it has `worker_connections`, those that wait for a thread included",
)
GUNICORN_LISTENS = Quote("gunicorn.sock", "sock.listen(self.conf.backlog)", "`backlog` is what listen(2) gets")
WAITRESS_COUNTS = Quote(
    "waitress.server",
    "self.adj.connection_limit",
    "nothing is accepted while the loop watches so many, the listener and the wake-up pipe included",
)
WAITRESS_THREADS = Quote("waitress.task", "self.queue_cv", "`threads` run requests; the others wait in a queue")
WAITRESS_LISTENS = Quote("waitress.server", "self.socket.listen(self.adj.backlog)", "`backlog` is what listen(2) gets")
LIMIT_CONCURRENCY = Quote(
    "uvicorn.protocols.http.httptools_impl",
    "len(self.connections) >= self.limit_concurrency or len(self.tasks) >= self.limit_concurrency",
    "the connection that is judged counts too, so one less than the limit is handled; the rest gets 503",
)
CYCLE = Quote(
    "uvicorn.protocols.http.httptools_impl",
    "self.connections.discard(self)",
    "a lost connection counts no more against the limit, which five running tasks do not reach; nobody ends the task",
)
UVICORN_LISTENS = Quote("uvicorn.server", "path=config.uds, ssl=config.ssl, backlog=config.backlog", "as for TCP")
CORES = "uWSGI core/loop.c, simple_loop_run(): every thread accepts one connection and handles it to the end"
UWSGI_LISTENS = "uWSGI core/socket.c, bind_to_unix(): listen(serverfd, listen_queue), of the option `listen`"
FORKED = "fork(2): each worker process has its own copy of the module's globals, and lives on between requests"

SYNC = (held_in("flask view index()", "sync", "holdfast_inside/apps/flask_app.py: the view is index()"), SAME_THREAD)


def fills_the_queue(listening: Says, unasked: Source, *, after: int = 0) -> tuple[Says, ...]:
    """The rest waits in the kernel, behind `after` in the server's own queue; who finds no room is sent away."""
    backlog = listening.fields["ceiling.accept_queue_limit"]
    order = (*(["userspace_queue"] if after else []), "accept_queue", "refused")
    return (
        Says(QUEUE_FULL, {"places.accept_queue": backlog + 1, "ceiling.accept_queue": backlog + 1}),
        listening,
        Says(
            AT_ONCE,
            {
                "places.refused": Between(1),
                "overflow.first": order[0],
                "overflow.then": order[1:],
                "overflow.client_sees": "refused",
            },
        ),
        own_queue(after),
        *runs_for_nobody(unasked),
    )


def fate(seen_by_fin: str, source: Source) -> Says:
    """What becomes of a running handler whose client leaves in the only way that there is."""
    return Says(
        (*(source if isinstance(source, tuple) else (source,)), "unix(7): a connection is closed; there is no RST"),
        {"abandoned.in_service.fin": seen_by_fin, "abandoned.in_service.rst": None},
    )


def on_a_path(row: Case) -> Case:
    """A row of the other table without its RST."""
    claims = tuple(each for each in row.claims if each is not UNWATCHED)
    return replace(row, claims=(*claims, fate("finishes", SERVED)))


def truth_row(arguments: str, backlog: int, *, after: int = 0, **given: Any) -> Case:
    row = truth(
        f"--unix unix:0 {arguments}", *fills_the_queue(listens(backlog, LISTENED), SERVED, after=after), **given
    )
    return on_a_path(replace(row, warnings=(*row.warnings, NO_SYN)))


def row(server: str, arguments: str, running: int, source: Source, *claims: Any, **given: Any) -> Case:
    claimed = (*SYNC, in_service(running, source), fate("finishes", source), *claims)
    return Case(
        arguments,
        server,
        claimed,
        arguments=tuple(arguments.split()),
        warnings=given.pop("warnings", (NO_SYN,)),
        **given,
    )


def workers(kind: str, source: Source, *spread: int, **fields: Any) -> Says:
    several = len(spread) > 1
    reuse = {"threads_reused": True, "processes_reused": True, "globals_shared": not several}
    return model((source, FORKED) if several else source, kind, *spread, **reuse, **fields)


ROWS = (
    truth_row("--threads 2 --backlog 0", 0, threads=2),
    truth_row("--threads 2 --backlog 1", 1, threads=2),
    truth_row("--threads 1 --backlog 7", 7),
    truth_row("--threads 3 --backlog 16", 16, threads=3),
    truth_row("--threads 200 --backlog 128", 128, threads=200),
    truth_row("--threads 4 --queue 10 --backlog 7", 7, after=10, threads=4),
    truth_row("--processes 3 --backlog 20", 20, processes=3),
    on_a_path(truth("--unix unix:0 --threads 5 --beyond 503", *sent_away("rejected", "503"), threads=5)),
    on_a_path(
        truth("--unix unix:0 --threads 2 --queue 6 --beyond close", *sent_away("closed", "closed", after=6), threads=2)
    ),
    row(
        "gunicorn",
        "--bind unix:0 --workers 2 --backlog 7",
        2,
        ONE_AFTER_ANOTHER,
        workers("process-pool", ONE_AFTER_ANOTHER, 1, 1),
        *fills_the_queue(listens(7, GUNICORN_LISTENS), SYNC_UNASKED),
    ),
    row(
        "gunicorn",
        "--bind unix:0 --threads 3 --worker-connections 10 --backlog 7",
        3,
        POOL,
        workers("thread-pool", POOL, 3),
        *fills_the_queue(listens(7, GUNICORN_LISTENS), (POOL, CONNECTIONS), after=7),
    ),
    row(
        "waitress",
        "--unix-socket=unix:0 --threads 3 --connection-limit 20 --backlog 7",
        3,
        WAITRESS_THREADS,
        workers("thread-pool", WAITRESS_THREADS, 3),
        *fills_the_queue(listens(7, WAITRESS_LISTENS), (WAITRESS_COUNTS, WAITRESS_THREADS), after=20 - 2 - 3),
    ),
    Case(
        "--uds unix:0 --limit-concurrency 6 --backlog 7",
        "uvicorn",
        (
            held_in(
                "starlette async view index()", "async", "holdfast_inside/apps/starlette_app.py: the view is index()"
            ),
            SAME_THREAD,
            in_service(5, LIMIT_CONCURRENCY),
            fate("place freed, handler goes on", (CYCLE, LIMIT_CONCURRENCY)),
            workers("event-loop", "uvicorn: one loop in one process", 5, threads_per_process=1),
            *turned_away("rejected", "503", LIMIT_CONCURRENCY, listens(7, UVICORN_LISTENS)),
            Says(
                "docs/method.md, One experiment, 5: only clients of queued requests leave",
                {"abandoned.left": None, "abandoned.run_anyway": None},
            ),
        ),
        arguments=("--uds", "unix:0", "--limit-concurrency", "6", "--backlog", "7"),
    ),
    # It keeps its end of a connection after a 503, and nothing tells these from such as wait.
    row(
        "cheroot",
        "--bind unix:0 --threads 3 --accepted-queue-size 5 --accepted-queue-timeout 0",
        3,
        WORKER,
        workers("thread-pool", WORKER, 3),
        *turned_away(
            "rejected",
            "503",
            (ACCEPTED_QUEUE, PUT, FULL_503),
            listens(5, (CHEROOT_LISTENS, CHEROOT_FIVE)),
            after=5,
        ),
        *runs_for_nobody(CHEROOT_UNASKED),
        warnings=(),
    ),
    row(
        "uwsgi",
        "--http-socket unix:0 --threads 2 --listen 7",
        2,
        CORES,
        workers("thread-pool", CORES, 2),
        *fills_the_queue(listens(7, UWSGI_LISTENS), CORES),
    ),
)
