"""Rows of the table: frameworks with servers of their own, Tornado, aiohttp (also under gunicorn) and Sanic."""

from __future__ import annotations

from dataclasses import replace

from expectation import Quote, Says
from loop_sources import Accepting, blocked, framework_view, unbounded
from sources import client_gone, goes_on, held_in, listens

TORNADO = Accepting(
    "tornado",
    Quote(
        "tornado.web",
        "result = method(*self.path_args, **self.path_kwargs)",
        "a handler's method is called on the loop's thread, whether it is a coroutine or not, and nothing bounds them",
    ),
    listens(128, Quote("tornado.netutil", "_DEFAULT_BACKLOG = 128", "bind_sockets() listens with it")),
    Quote(
        "tornado.web",
        "self.handler.on_connection_close()",
        "the handler is told that its client has left, and does nothing about it unless it was written to",
    ),
    goes_on(
        Quote(
            "tornado.web",
            'self) -> None:\n        """Called in async handlers if the client closed the connection.',
            "it is for the application to override",
        )
    ),
)
TORNADO_BACKLOG = Quote("tornado.netutil", "sock.listen(backlog)", "listen() gets what bind_sockets() is told")


def tornado_view(view: str) -> Says:
    where = "tornado view Index.get()" if view == "sync" else "tornado async view AsyncIndex.get()"
    return held_in(where, view, "holdfast_inside/apps/tornado_app.py, create()")


OF_TORNADO = (
    unbounded("async", TORNADO, tornado_view("async"), view="async"),
    unbounded("async, --processes 2", TORNADO, tornado_view("async"), "--processes", "2", processes=2, view="async"),
    blocked("sync", TORNADO, tornado_view("sync"), view="sync"),
    blocked(
        "blocking, --backlog 7",
        TORNADO.with_backlog(7, TORNADO_BACKLOG),
        tornado_view("async-blocking"),
        *("--backlog", "7"),
    ),
    blocked(
        "sync, --processes 3 --backlog 20",
        TORNADO.with_backlog(20, TORNADO_BACKLOG),
        tornado_view("sync"),
        *("--processes", "3", "--backlog", "20"),
        processes=3,
        view="sync",
    ),
)

AIOHTTP = Accepting(
    "aiohttp",
    Quote(
        "aiohttp.web_protocol",
        "resp = await request_handler(request)",
        "handlers are coroutines on the loop, and nothing bounds the number of connections",
    ),
    listens(128, Quote("aiohttp.web", "backlog: int = 128,", "run_app() listens with it")),
    Quote(
        "aiohttp.web_protocol",
        "if handler_cancellation and self._task_handler is not None:",
        "the handler of a client that has left is cancelled only where handler_cancellation asks for it",
    ),
    goes_on(Quote("aiohttp.web", "handler_cancellation: bool = False,", "and nobody asks for it by default")),
)
CANCELLING = replace(
    AIOHTTP,
    gone=client_gone(
        "cancelled",
        Quote(
            "aiohttp.web_protocol",
            "self._task_handler.cancel()",
            "with handler_cancellation the task is cancelled when the connection is lost",
        ),
    ),
)
AIOHTTP_BACKLOG = Quote("aiohttp.web_runner", "backlog=self._backlog,", "listen() gets what run_app() is told")

OF_AIOHTTP = (
    unbounded("async", AIOHTTP, framework_view("aiohttp", "async")),
    unbounded(
        "async, --handler-cancellation", CANCELLING, framework_view("aiohttp", "async"), "--handler-cancellation"
    ),
    blocked("blocking", AIOHTTP, framework_view("aiohttp", "async-blocking")),
    blocked(
        "blocking, --backlog 9",
        AIOHTTP.with_backlog(9, AIOHTTP_BACKLOG),
        framework_view("aiohttp", "async-blocking"),
        *("--backlog", "9"),
    ),
)

WEB_WORKER = replace(
    AIOHTTP,
    name="gunicorn",
    listens=listens(
        128,
        (
            Quote(
                "aiohttp.worker",
                "runner,\n                sock,\n                ssl_context=ctx,\n            )",
                "the worker's site gets gunicorn's listener and no backlog",
            ),
            Quote(
                "aiohttp.web_runner",
                "backlog: int = 128,",
                "and listens on it once more with its own, whatever --backlog says",
            ),
            "listen(2) on a listening socket sets its backlog anew (net/ipv4/af_inet.c, __inet_listen_sk())",
        ),
    ),
)
OF_WORKERS = (
    unbounded(
        "-k aiohttp.GunicornWebWorker --worker-connections 10",
        WEB_WORKER,
        framework_view("aiohttp", "async"),
        *("-k", "aiohttp.GunicornWebWorker", "--worker-connections", "10"),
    ),
    unbounded(
        "-k aiohttp.GunicornUVLoopWebWorker -w 2",
        WEB_WORKER,
        framework_view("aiohttp", "async"),
        *("-k", "aiohttp.GunicornUVLoopWebWorker", "-w", "2"),
        processes=2,
    ),
    blocked(
        "-k aiohttp.GunicornWebWorker --backlog 16, blocking",
        WEB_WORKER,
        framework_view("aiohttp", "async-blocking"),
        *("-k", "aiohttp.GunicornWebWorker", "--backlog", "16"),
    ),
    blocked(
        "-k aiohttp.GunicornWebWorker -w 3, blocking",
        WEB_WORKER,
        framework_view("aiohttp", "async-blocking"),
        *("-k", "aiohttp.GunicornWebWorker", "-w", "3"),
        processes=3,
    ),
)

SANIC = Accepting(
    "sanic",
    Quote(
        "sanic.app",
        "response = handler(request, **request.match_info)",
        "a handler is called on the loop's thread, whether it is a coroutine or not, and nothing bounds them",
    ),
    listens(
        100,
        (
            Quote("sanic.mixins.startup", "backlog: int = 100,", "and the command line has no option for it"),
            Quote(
                "sanic.server.runners", "backlog=backlog,\n        **asyncio_server_kwargs,", "workers listen with it"
            ),
        ),
    ),
    Quote(
        "sanic.server.protocols.base_protocol",
        "self._task.cancel()",
        "the task of a client that has left is cancelled; but a request is begun before the end after it is read",
    ),
    client_gone(
        "cancelled",
        Quote(
            "sanic.server.protocols.base_protocol",
            "self._task.cancel()",
            "the connection's task, which runs the handler, is cancelled when the connection is lost",
        ),
    ),
)

OF_SANIC = (
    unbounded("async", SANIC, framework_view("sanic", "async"), view="async"),
    unbounded("async, --single-process", SANIC, framework_view("sanic", "async"), "--single-process", view="async"),
    unbounded(
        "async, --workers 2", SANIC, framework_view("sanic", "async"), "--workers", "2", processes=2, view="async"
    ),
    blocked("sync", SANIC, framework_view("sanic", "sync"), view="sync"),
    blocked("blocking, --workers 2", SANIC, framework_view("sanic", "async-blocking"), "--workers", "2", processes=2),
    blocked("blocking, --single-process", SANIC, framework_view("sanic", "async-blocking"), "--single-process"),
)

ROWS = (*OF_TORNADO, *OF_AIOHTTP, *OF_WORKERS, *OF_SANIC)
