"""Rows of the table: frameworks that hide concurrency, and bridges from one interface to the other."""

from __future__ import annotations

import sys
from dataclasses import replace

from asgi_table import DAPHNE, HYPERCORN, UVICORN, UVICORN_BACKLOG
from expectation import Case, Quote, Says, Source, each_of
from loop_sources import (
    ANYIO,
    ANYIO_THREADS,
    BEHIND_THE_LOOP,
    EXECUTOR,
    EXECUTOR_THREADS,
    THREADS,
    TOKENS,
    Pool,
    blocked,
    framework_view,
    pooled,
    unbounded,
)
from sources import (
    client_gone,
    fills_the_accept_queue,
    goes_on,
    held_in,
    in_service,
    listens,
    listens_as_socketserver,
    model,
    runs_for_nobody,
    takes_all,
)
from wsgi_sources import fresh_threads

from holdfast.servers.adapter import FRAMEWORK_PACKAGES, Package

FASTAPI = Pool(
    TOKENS,
    (
        Quote(
            "fastapi.routing",
            "run_in_threadpool(\n            _run_sync_endpoint, function=dependant.call, arguments=values",
            "a `def` endpoint runs on a thread of AnyIO's",
        ),
        *ANYIO,
        ANYIO_THREADS,
    ),
)
STARLETTE = Pool(
    TOKENS,
    (
        Quote(
            "starlette.routing",
            "functools.partial(run_in_threadpool, func)",
            "a `def` endpoint runs on a thread of AnyIO's (starlette/concurrency.py)",
        ),
        *ANYIO,
        ANYIO_THREADS,
    ),
)
DJANGO_DEF = (
    Quote(
        "django.core.handlers.asgi",
        "async with ThreadSensitiveContext():",
        "each request has a context of its own for what is sensitive to its thread",
    ),
    Quote(
        "asgiref.sync",
        "executor = ThreadPoolExecutor(max_workers=1)\n                    self.context_to_thread_executor",
        "and each such context a thread of its own; nothing bounds their number",
    ),
)
QUART_DEF = (
    Quote(
        "quart.utils",
        "None, copy_context().run, partial(func, *args, **kwargs)",
        "a `def` view runs on a thread of the loop's default executor",
    ),
    EXECUTOR,
)
QUART_CANCELS = Quote(
    "quart.asgi",
    # In version 0.23, which needs Python 3.12, what sees the client leave cancels it by itself.
    "await cancel_tasks(pending)" if sys.version_info < (3, 12) else "request_task.cancel()",
    "a client that leaves ends handle_messages(), and with it handle_request() is cancelled; what an executor has not "
    "begun is taken out of its queue (concurrent.futures, Future.cancel)",
)
LITESTAR_DEF = (
    Quote(
        "litestar.concurrency",
        "run_in_executor(get_asyncio_executor(), bound_fn)",
        "sync_to_thread=True runs a handler on a thread of the loop's default executor (EXECUTOR is None)",
    ),
    EXECUTOR,
)
QUART = Pool(EXECUTOR_THREADS, QUART_DEF, QUART_CANCELS)
LITESTAR = Pool(EXECUTOR_THREADS, LITESTAR_DEF)
BACKLOG_20 = ("--backlog", "20")
SHORT = UVICORN.with_backlog(20, UVICORN_BACKLOG)
DJANGO_RAN = (BEHIND_THE_LOOP, fresh_threads(DJANGO_DEF), goes_on(THREADS))
DJANGO_CANCELS = replace(
    UVICORN,
    gone=client_gone(
        "cancelled",
        Quote(
            "django.core.handlers.asgi",
            'if message["type"] == "http.disconnect":\n            raise RequestAborted()',
            "when listen_for_disconnect() ends like this before the view, the view's task is cancelled",
        ),
    ),
)
QUART_STOPS = replace(UVICORN, gone=client_gone("cancelled", QUART_CANCELS))


def def_view(framework: str) -> Says:
    return framework_view(framework, "sync")


def async_view(framework: str) -> Says:
    return framework_view(framework, "async")


def blocking(framework: str) -> Says:
    return framework_view(framework, "async-blocking")


FRAMEWORKS = (
    pooled("FastAPI def", UVICORN, def_view("fastapi"), FASTAPI, framework="fastapi", view="sync"),
    unbounded("FastAPI", UVICORN, async_view("fastapi"), framework="fastapi"),
    blocked("FastAPI, blocking", SHORT, blocking("fastapi"), *BACKLOG_20, framework="fastapi"),
    pooled("Starlette def", UVICORN, def_view("starlette"), STARLETTE, framework="starlette", view="sync"),
    unbounded("Django def", UVICORN, def_view("django"), ran=DJANGO_RAN, framework="django", view="sync"),
    unbounded("Django", DJANGO_CANCELS, async_view("django"), framework="django"),
    blocked("Django, blocking", SHORT, blocking("django"), *BACKLOG_20, framework="django"),
    unbounded("Django def", DAPHNE, def_view("django"), ran=DJANGO_RAN, framework="django", view="sync"),
    unbounded("Quart", QUART_STOPS, async_view("quart"), framework="quart"),
    pooled(
        "Quart def",
        UVICORN,
        def_view("quart"),
        QUART,
        framework="quart",
        view="sync",
    ),
    pooled(
        "Quart def",
        HYPERCORN,
        def_view("quart"),
        QUART,
        framework="quart",
        view="sync",
    ),
    unbounded("Litestar", UVICORN, async_view("litestar"), framework="litestar"),
    pooled(
        "Litestar def",
        UVICORN,
        def_view("litestar"),
        LITESTAR,
        framework="litestar",
        view="sync",
    ),
)

A2WSGI = Quote("a2wsgi.wsgi", "max_workers=workers", "so many threads, and a queue before them without a bound")
UVICORN_WSGI = (
    Quote("uvicorn.middleware.wsgi", "from a2wsgi import WSGIMiddleware", "where a2wsgi is installed"),
    Quote("a2wsgi.wsgi", "workers: int = 10", "ten unless told otherwise"),
    A2WSGI,
)
STARLETTE_BRIDGE = (
    Quote(
        "starlette.middleware.wsgi",
        "await anyio.to_thread.run_sync(self.wsgi, environ, self.start_response)",
        "a WSGI application runs on a thread of AnyIO's",
    ),
    *ANYIO,
    ANYIO_THREADS,
)
ASGIREF_BRIDGE = (
    Quote("asgiref.wsgi", "@sync_to_async\n    def run_wsgi_app", "sensitive to its thread, as is the default"),
    Quote(
        "asgiref.sync",
        "single_thread_executor = ThreadPoolExecutor(max_workers=1)",
        "outside a context of its own all such code runs on one thread, in turn",
    ),
)
BRIDGED = "tests/conformance/bridged_app.py"
IT_NEEDS = (
    *(FRAMEWORK_PACKAGES[name] for name in ("fastapi", "flask")),
    *(Package(name, name, name) for name in ("a2wsgi", "asgiref")),
)
FLASK_BUILT_IN = "holdfast_inside/apps/flask_app.py, create(): the view is index()"
FRONT = held_in("flask view front()", "sync", BRIDGED)

BRIDGES = (
    pooled(
        "--interface wsgi, Flask",
        UVICORN,
        held_in("flask view index()", "sync", FLASK_BUILT_IN),
        Pool(10, UVICORN_WSGI, of_server=True),
        *("--interface", "wsgi"),
        framework="flask",
        view="sync",
    ),
    pooled("Flask by a2wsgi", UVICORN, FRONT, Pool(3, A2WSGI), app="bridged_app:by_a2wsgi"),
    pooled("Flask by a2wsgi", HYPERCORN, FRONT, Pool(3, A2WSGI), app="asgi:bridged_app:by_a2wsgi"),
    pooled("Flask by Starlette", UVICORN, FRONT, Pool(TOKENS, STARLETTE_BRIDGE), app="bridged_app:by_starlette"),
    pooled("Flask by asgiref", UVICORN, FRONT, Pool(1, ASGIREF_BRIDGE), app="bridged_app:by_asgiref"),
)

LOOP_EACH = Quote(
    "asgiref.sync",
    "loop_executor = ThreadPoolExecutor(max_workers=1)",
    "each async view of Flask's runs in an event loop of its own, on a fresh thread",
)
ASYNC_INDEX = held_in("flask async view index()", "async", FLASK_BUILT_IN)
FORKED = "fork(2): each worker has its own copy of the module's globals"
SYNC_WORKER = Quote(
    "gunicorn.workers.sync",
    "client, addr = listener.accept()",
    "a sync worker accepts one connection, handles its request to the end, and accepts the next",
)
IN_TURN = Quote(
    "socketserver",
    "self.finish_request(request, client_address)\n        self.shutdown_request(request)",
    "without threads or processes the accepting thread runs the handler itself",
)


def waiting_for_a_loop(
    name: str, server: str, source: Source, number: int, listening: Says, ran: Says, *arguments: str
) -> Case:
    """Flask's async views under a WSGI server: each blocks the thread or the process that calls it."""
    claims = (
        ASYNC_INDEX,
        Says(LOOP_EACH, {"model.handler_threads_reused": False}),
        ran,
        goes_on((*each_of(source), "nobody reads from the client meanwhile")),
        in_service(number, (LOOP_EACH, *each_of(source))),
        *fills_the_accept_queue(listening),
        *runs_for_nobody(source),
    )
    return Case(name, server, claims, arguments=arguments, options={"framework": "flask", "view": "async"})


def bridged_twice() -> Case:
    """Ten threads of a2wsgi's each wait for a loop on a fresh thread, and on those the views run."""
    claims = (
        ASYNC_INDEX,
        BEHIND_THE_LOOP,
        in_service(10, UVICORN_WSGI),
        model(LOOP_EACH, "thread-per-request", 10, threads_reused=False, processes_reused=True, globals_shared=True),
        *takes_all(100, 10, UVICORN_WSGI, UVICORN.listens),
        *runs_for_nobody(UVICORN.left),
        goes_on(THREADS),
    )
    options = {"framework": "flask", "view": "async", "max_offered": 100}
    arguments = ("--interface", "wsgi")
    return Case("--interface wsgi, Flask async", "uvicorn", claims, arguments=arguments, options=options)


def backwards() -> Case:
    """An ASGI application under a WSGI server: it does not become more concurrent than the server is."""
    loop = "a2wsgi/asgi.py, ASGIMiddleware.__init__(): one loop, on a thread of its own, for all requests"
    claims = (
        held_in("fastapi async view home()", "async", BRIDGED),
        Says(loop, {"model.handler_threads_reused": True}),
        model(IN_TURN, "serial", 1, threads_reused=True, processes_reused=True, globals_shared=True),
        in_service(1, IN_TURN),
        *fills_the_accept_queue(listens(128, Quote("werkzeug.serving", "LISTEN_QUEUE = 128", "no setting for it"))),
        *runs_for_nobody(IN_TURN),
        goes_on((IN_TURN, "nobody reads from the client meanwhile")),
    )
    app = "wsgi:bridged_app:from_asgi"
    return Case("FastAPI by a2wsgi, --no-threaded", "flask", claims, arguments=("--no-threaded",), app=app)


FLASK_ASYNC = (
    waiting_for_a_loop(
        "Flask async, -w 2 --backlog 20",
        "gunicorn",
        SYNC_WORKER,
        2,
        listens(20, Quote("gunicorn.sock", "sock.listen(self.conf.backlog)", "listen() gets what --backlog says")),
        model(
            (SYNC_WORKER, FORKED),
            "process-pool",
            1,
            1,
            threads_reused=True,
            processes_reused=True,
            globals_shared=False,
        ),
        *("-w", "2", "--backlog", "20"),
    ),
    waiting_for_a_loop(
        "Flask async",
        "wsgiref",
        IN_TURN,
        1,
        listens_as_socketserver("http.server leaves it as it is"),
        model(IN_TURN, "serial", 1, threads_reused=True, processes_reused=True, globals_shared=True),
    ),
    bridged_twice(),
    backwards(),
)

ROWS = (
    *FRAMEWORKS,
    *(replace(case, needs=IT_NEEDS) for case in BRIDGES),
    *(replace(case, needs=IT_NEEDS) for case in FLASK_ASYNC),
)
