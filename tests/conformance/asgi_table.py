"""Rows of the table: uvicorn, hypercorn, daphne, and gunicorn with its ASGI worker and with uvicorn's."""

from __future__ import annotations

from dataclasses import replace

from expectation import Case, Quote, Says, Within
from loop_sources import (
    ANYIO,
    ANYIO_THREADS,
    BEHIND_THE_LOOP,
    ON_THE_LOOP,
    ONE_SOCKET,
    THREADS,
    TOKENS,
    Accepting,
    Pool,
    blocked,
    framework_view,
    in_threads,
    on_loops,
    pooled,
    unbounded,
)
from sources import NOBODY_WAITED, client_gone, goes_on, held_in, in_service, listens, runs_for_nobody, turned_away

STARLETTE = framework_view("starlette", "async")
BLOCKING = framework_view("starlette", "async-blocking")
FASTAPI = framework_view("fastapi", "sync")
AT_ENTRY = held_in("asgi entry", "async", "holdfast_inside/asgi.py, HELD_IN: an application of no framework")
BLOCKING_AT_ENTRY = held_in("asgi entry", "async-blocking", "holdfast_inside/asgi.py, HELD_IN")
PLAIN = ("so that is the view itself",)
DEF = Pool(TOKENS, (*ANYIO, ANYIO_THREADS))

UVICORN = Accepting(
    "uvicorn",
    Quote(
        "uvicorn.protocols.http.httptools_impl",
        "task = self.loop.create_task(cycle.run_asgi(app))",
        "each request is a task of the loop; nothing bounds their number but limit_concurrency",
    ),
    listens(2048, Quote("uvicorn.config", "backlog: int = 2048,", "as asyncio's create_server() takes it")),
    Quote(
        "uvicorn.protocols.http.httptools_impl",
        "self.cycle.disconnected = True",
        "the task of a client that has left is told by a flag and goes on; a request is a task before its end is read",
    ),
    goes_on(
        Quote(
            "uvicorn.protocols.http.httptools_impl",
            "self.cycle.disconnected = True",
            "its task is not cancelled when the connection is lost",
        )
    ),
)
UVICORN_BACKLOG = Quote(
    "uvicorn.server", "backlog=config.backlog,\n                )", "listen() gets what --backlog says"
)
ON_H11 = replace(
    UVICORN,
    runs=Quote(
        "uvicorn.protocols.http.h11_impl",
        "task.add_done_callback(self.tasks.discard)",
        "each request is a task of the loop here too",
    ),
)
LIMIT = Quote(
    "uvicorn.protocols.http.httptools_impl",
    "len(self.connections) >= self.limit_concurrency or len(self.tasks) >= self.limit_concurrency",
    "the connection that asks is among `connections` since connection_made(), so one less than the limit is served; "
    "connections whose requests wait behind the loop count too",
)
UNAVAILABLE = Quote(
    "uvicorn.protocols.http.flow_control", '"status": 503,', "and its connection is closed after that answer"
)
SENT_AWAY = (LIMIT, UNAVAILABLE)
FREED = "place freed, handler goes on"
LEAVES_ROOM = (
    LIMIT,
    Quote(
        "uvicorn.protocols.http.httptools_impl",
        "self.connections.discard(self)",
        "the lost connection is no longer counted; its task is, but without the one that asks, so that there is room "
        "for one more",
    ),
)


def limited(limit: int) -> Case:
    claims = (
        STARLETTE,
        ON_THE_LOOP,
        on_loops(UVICORN.runs),
        in_service(limit - 1, LIMIT),
        *turned_away("rejected", "503", SENT_AWAY, UVICORN.listens),
        NOBODY_WAITED,
        Says(
            LEAVES_ROOM,
            {
                "abandoned.in_service.fin": FREED,
                # Of a single one nobody is left to leave.
                "abandoned.in_service.rst": FREED if limit > 2 else None,
            },
        ),
    )
    arguments = ("--limit-concurrency", str(limit))
    return Case(" ".join(arguments), "uvicorn", claims, arguments=arguments, options={"framework": "starlette"})


def limited_before_threads(limit: int) -> Case:
    """What waits for one of AnyIO's tokens counts as much as what runs."""
    claims = (
        FASTAPI,
        BEHIND_THE_LOOP,
        in_threads(DEF.source, TOKENS),
        in_service(TOKENS, ANYIO),
        *turned_away("rejected", "503", SENT_AWAY, UVICORN.listens, after=limit - 1 - TOKENS),
        Says(UVICORN.runs, {"places.before_view": limit - 1 - TOKENS}),
        *runs_for_nobody(UVICORN.left),
        goes_on(THREADS),
    )
    arguments = ("--limit-concurrency", str(limit))
    options = {"framework": "fastapi", "view": "sync"}
    return Case(f"{' '.join(arguments)}, FastAPI def", "uvicorn", claims, arguments=arguments, options=options)


def limit_of_each(limit: int, workers: int) -> Case:
    """Each worker counts its own; one that is full answers 503 while another has room."""
    running = workers * (limit - 1)
    claims = (
        STARLETTE,
        ON_THE_LOOP,
        on_loops(UVICORN.runs, workers, each=limit - 1),
        # All may come to one worker, which then counts more than it may have before it judges the first.
        in_service(running, (LIMIT, ONE_SOCKET), exact=Within(0, running)),
        client_gone(FREED, LEAVES_ROOM),
        *turned_away("rejected", "503", SENT_AWAY, UVICORN.listens),
        NOBODY_WAITED,
    )
    arguments = ("--limit-concurrency", str(limit), "--workers", str(workers))
    return Case(" ".join(arguments), "uvicorn", claims, arguments=arguments, options={"framework": "starlette"})


OF_UVICORN = (
    unbounded("Starlette", UVICORN, STARLETTE, framework="starlette"),
    unbounded("no framework", UVICORN, AT_ENTRY, framework="asgi", warnings=PLAIN),
    unbounded("Starlette, --workers 2", UVICORN, STARLETTE, "--workers", "2", processes=2, framework="starlette"),
    unbounded("Starlette, --workers 4", UVICORN, STARLETTE, "--workers", "4", processes=4, framework="starlette"),
    blocked("Starlette, blocking", UVICORN, BLOCKING, framework="starlette"),
    blocked(
        "Starlette, blocking, --backlog 7",
        UVICORN.with_backlog(7, UVICORN_BACKLOG),
        BLOCKING,
        "--backlog",
        "7",
        framework="starlette",
    ),
    blocked(
        "Starlette, blocking, --workers 2",
        UVICORN.with_backlog(60, UVICORN_BACKLOG),
        BLOCKING,
        *("--workers", "2", "--backlog", "60"),
        processes=2,
        framework="starlette",
    ),
    blocked(
        "no framework, blocking, on asyncio with h11",
        ON_H11.with_backlog(30, UVICORN_BACKLOG),
        BLOCKING_AT_ENTRY,
        *("--backlog", "30", "--loop", "asyncio", "--http", "h11"),
        framework="asgi",
        warnings=PLAIN,
    ),
    limited(11),
    limited(2),
    limited_before_threads(50),
    limited_before_threads(150),
    limit_of_each(5, 2),
    limit_of_each(4, 3),
)

HYPERCORN = Accepting(
    "hypercorn",
    Quote(
        "hypercorn.asyncio.task_group",
        "self._task_group.create_task(func(*args))",
        "each request is a task of the loop; nothing bounds their number",
    ),
    listens(100, Quote("hypercorn.config", "backlog = 100", "as asyncio's start_server() takes it")),
    Quote(
        "hypercorn.protocol.http_stream",
        'await self.app_put({"type": "http.disconnect"})',
        "the application is told that the client has left, and goes on unless it asks",
    ),
    goes_on(
        Quote(
            "hypercorn.protocol.http_stream",
            'await self.app_put({"type": "http.disconnect"})',
            "that is all that is done when the stream is closed",
        )
    ),
)
HYPERCORN_BACKLOG = Quote(
    "hypercorn.asyncio.run",
    "asyncio.start_server(_server_callback, backlog=config.backlog, sock=sock)",
    "listen() gets what --backlog says",
)

OF_HYPERCORN = (
    unbounded("Starlette", HYPERCORN, STARLETTE, framework="starlette"),
    unbounded("Starlette, --workers 2", HYPERCORN, STARLETTE, "--workers", "2", processes=2, framework="starlette"),
    unbounded("Starlette, on uvloop", HYPERCORN, STARLETTE, "--worker-class", "uvloop", framework="starlette"),
    blocked("Starlette, blocking", HYPERCORN, BLOCKING, framework="starlette"),
    blocked(
        "Starlette, blocking, --workers 2 --backlog 30",
        HYPERCORN.with_backlog(30, HYPERCORN_BACKLOG),
        BLOCKING,
        *("--workers", "2", "--backlog", "30"),
        processes=2,
        framework="starlette",
    ),
    pooled("FastAPI def", HYPERCORN, FASTAPI, DEF, framework="fastapi", view="sync"),
)

DAPHNE = Accepting(
    "daphne",
    Quote(
        "daphne.server",
        'self.connections[protocol]["application_instance"] = asyncio.ensure_future(',
        "each request is a task of the loop; nothing bounds their number",
    ),
    listens(50, Quote("twisted.internet.endpoints", "reactor, port, backlog=50", "daphne's endpoint names no other")),
    Quote(
        "daphne.server",
        "and time.time() - disconnected > self.application_close_timeout",
        "the task of a client that has left is cancelled, but only after ten seconds",
    ),
    goes_on(Quote("daphne.server", "application_close_timeout=10,", "so long it goes on")),
)
ENDPOINT = Quote("twisted.internet.endpoints", '"backlog": int(backlog)', "listen() gets an endpoint's backlog=N")

# asyncio has no run_until_complete() here, so that to AnyIO the request's own task is the outermost one.
ENDS_WITH_ITS_TASK = Quote(
    "anyio._backends._asyncio",
    "root_task.add_done_callback(worker.stop, context=Context())",
    "a thread ends after the task for which it was started; a call that waits takes it first, as "
    "CapacityLimiter.release() wakes that before the task is done, and so the thread serves twice",
)
OF_DAPHNE = (
    unbounded("Starlette", DAPHNE, STARLETTE, framework="starlette"),
    pooled(
        "FastAPI def",
        DAPHNE,
        FASTAPI,
        Pool(TOKENS, (*ANYIO, ENDS_WITH_ITS_TASK)),
        framework="fastapi",
        view="sync",
    ),
    blocked("Starlette, blocking", DAPHNE, BLOCKING, framework="starlette"),
    blocked(
        "no framework, blocking, backlog of an endpoint",
        DAPHNE.with_backlog(7, ENDPOINT),
        BLOCKING_AT_ENTRY,
        *("-e", "tcp:0:interface=127.0.0.1:backlog=7"),
        framework="asgi",
        warnings=PLAIN,
    ),
)

ASGI_WORKER = Accepting(
    "gunicorn",
    (
        Quote(
            "gunicorn.workers.gasgi",
            "# (Connections are managed by nr_conns in ASGIProtocol)",
            "they are counted, and nothing asks for the count: worker_connections does not bound this worker",
        ),
        Quote(
            "gunicorn.asgi.protocol",
            "self._task = self.worker.loop.create_task(self._handle_connection())",
            "each connection is a task of the loop",
        ),
    ),
    listens(
        100,
        (
            Quote(
                "gunicorn.workers.gasgi",
                "sock=sock.sock,\n                    ssl=ssl_context,",
                "create_server() gets no backlog, and listens on the arbiter's socket once more with its own 100 "
                "(asyncio docs, loop.create_server), whatever --backlog says",
            ),
            "listen(2) on a listening socket sets its backlog anew (net/ipv4/af_inet.c, __inet_listen_sk())",
        ),
    ),
    Quote(
        "gunicorn.asgi.protocol",
        "grace_period = getattr(self.cfg, 'asgi_disconnect_grace_period', 3)",
        "the task of a client that has left is cancelled, but only after three seconds",
    ),
    goes_on(
        Quote(
            "gunicorn.asgi.protocol",
            "grace_period,\n                    self._cancel_task_if_pending",
            "so long it goes on (gunicorn/config.py, ASGIDisconnectGracePeriod: 3)",
        )
    ),
)
UVICORN_WORKER = replace(
    UVICORN,
    name="gunicorn",
    listens=listens(
        2048,
        Quote(
            "uvicorn_worker._workers",
            'config_kwargs["backlog"] = self.cfg.settings["backlog"].value',
            "uvicorn listens with gunicorn's backlog (gunicorn/config.py, Backlog.default)",
        ),
    ),
)
NO_GRACE = replace(
    ASGI_WORKER,
    gone=client_gone(
        "cancelled",
        Quote(
            "gunicorn.asgi.protocol",
            "# Grace period of 0 means cancel immediately\n                self._task.cancel()",
            "the task is cancelled when the connection is lost",
        ),
    ),
)
ASGI = ("-k", "asgi")
WORKER = ("-k", "uvicorn_worker.UvicornWorker")

OF_GUNICORN = (
    unbounded(
        "-k asgi --worker-connections 10, Starlette",
        ASGI_WORKER,
        STARLETTE,
        *(*ASGI, "--worker-connections", "10"),
        framework="starlette",
    ),
    unbounded("-k asgi -w 2, Starlette", ASGI_WORKER, STARLETTE, *ASGI, "-w", "2", processes=2, framework="starlette"),
    unbounded(
        "-k asgi --asgi-disconnect-grace-period 0, Starlette",
        NO_GRACE,
        STARLETTE,
        *(*ASGI, "--asgi-disconnect-grace-period", "0"),
        framework="starlette",
    ),
    blocked("-k asgi, blocking", ASGI_WORKER, BLOCKING, *ASGI, framework="starlette"),
    blocked(
        "-k asgi -w 2 --backlog 16, blocking",
        ASGI_WORKER,
        BLOCKING,
        *(*ASGI, "-w", "2", "--backlog", "16"),
        processes=2,
        framework="starlette",
    ),
    unbounded(
        "-k uvicorn_worker.UvicornWorker -w 2, Starlette",
        UVICORN_WORKER,
        STARLETTE,
        *(*WORKER, "-w", "2"),
        processes=2,
        framework="starlette",
    ),
    blocked(
        "-k uvicorn_worker.UvicornWorker -w 2 --backlog 40, blocking",
        UVICORN_WORKER.with_backlog(40, UVICORN_WORKER.listens.source),
        BLOCKING,
        *(*WORKER, "-w", "2", "--backlog", "40"),
        processes=2,
        framework="starlette",
    ),
    pooled(
        "-k uvicorn_worker.UvicornWorker -w 2, FastAPI def",
        UVICORN_WORKER,
        FASTAPI,
        DEF,
        *(*WORKER, "-w", "2"),
        processes=2,
        offered=300,
        framework="fastapi",
        view="sync",
    ),
)

ROWS = (*OF_UVICORN, *OF_HYPERCORN, *OF_DAPHNE, *OF_GUNICORN)
