"""Rows of the table: WSGI servers on CPython's socketserver, and bjoern, which has one thread for everything.

bjoern's sources are named by file and function of bjoern 3.2.2.
"""

from __future__ import annotations

import sys
from typing import Any

from expectation import Case, Quote, Says
from flask_table import (
    COPIED,
    DESCRIPTORS,
    FORK_EACH,
    IN_TURN,
    LIMIT,
    LISTENS,
    SERVED_UNASKED,
    THREAD_EACH,
    UNWATCHED,
    per_request,
)
from sources import SAME_THREAD, goes_on, held_in, in_service, listens, listens_as_socketserver, model, runs_all_at_once
from wsgi_sources import SYNC, fresh_threads, in_turn, queues

BJOERN_UNWATCHED = goes_on(
    "bjoern server.c, ev_io_on_read(): the application is called in the loop's callback, and the loop stands still"
)


def row(server: str, arguments: str, *claims: Says, **case: Any) -> Case:
    named = arguments or "as it comes"
    watched = BJOERN_UNWATCHED if server == "bjoern" else UNWATCHED
    return Case(named, server, (watched, *claims), arguments=tuple(arguments.split()), **case)


def every_one(server: str, arguments: str, where: tuple[Says, ...], source: Any, listening: Says) -> Case:
    offered = 200
    return row(
        server,
        arguments,
        *where,
        fresh_threads(source),
        *runs_all_at_once(offered, source, listening),
        options={"max_offered": offered},
        warnings=(f"All {offered} offered requests ran at once",),
    )


# wsgiref

WSGIREF_LISTENS = listens_as_socketserver("wsgiref.simple_server.WSGIServer leaves it as it is")
WSGIREF = (
    row("wsgiref", "", *SYNC, in_service(1, IN_TURN), in_turn(IN_TURN), *queues(WSGIREF_LISTENS, SERVED_UNASKED)),
    Case(
        "no framework",
        "wsgiref",
        (
            held_in("wsgi entry", "sync", "tests/conformance/plain_app.py: a callable of no framework"),
            SAME_THREAD,
            UNWATCHED,
            in_service(1, IN_TURN),
            in_turn(IN_TURN),
            *queues(WSGIREF_LISTENS, SERVED_UNASKED),
        ),
        app="plain_app:application",
        warnings=("so that is the view itself",),
    ),
)

# werkzeug.serving.run_simple

ONE_BY_DEFAULT = Quote(
    "werkzeug.serving",
    "threaded: bool = False,\n    processes: int = 1,",
    "run_simple() has neither threads nor processes unless it is told so",
)
RUN_SIMPLE = "from werkzeug.serving import run_simple; run_simple('127.0.0.1', 0, lambda e, s: [], threaded=True)"


def werkzeug_processes(number: int) -> Case:
    return row(
        "werkzeug",
        f"--processes {number}",
        *SYNC,
        in_service(number, (FORK_EACH, LIMIT)),
        model(FORK_EACH, "process-per-request", *[1] * number, threads_reused=False, processes_reused=False),
        Says(COPIED, {"model.globals_shared": False}),
        *queues(LISTENS, SERVED_UNASKED),
    )


WERKZEUG = (
    row(
        "werkzeug",
        "",
        *SYNC,
        in_service(1, (ONE_BY_DEFAULT, IN_TURN)),
        in_turn((ONE_BY_DEFAULT, IN_TURN)),
        *queues(LISTENS, SERVED_UNASKED),
    ),
    every_one("werkzeug", "--threaded", SYNC, THREAD_EACH, LISTENS),
    Case(
        "--threaded under 64 descriptors",
        "werkzeug",
        (
            *SYNC,
            UNWATCHED,
            fresh_threads(THREAD_EACH),
            in_service(per_request(1, "nofile"), DESCRIPTORS),
            *queues(LISTENS, SERVED_UNASKED),
        ),
        arguments=("--threaded",),
        options={"nofile": 64},
        resting=(sys.executable, "-c", RUN_SIMPLE),
    ),
    werkzeug_processes(3),
)

# Django's runserver

DJANGO_VIEW = (
    held_in("django view index()", "sync", "holdfast_inside/apps/django_app.py: the view is index()"),
    SAME_THREAD,
)
DJANGO_LISTENS = listens(
    10, Quote("django.core.servers.basehttp", "request_queue_size = 10", "there is no setting for it")
)
DJANGO_THREADS = Quote(
    "django.core.servers.basehttp",
    'httpd_cls = type("WSGIServer", (socketserver.ThreadingMixIn, server_cls), {})',
    "a thread for each connection unless --nothreading is given",
)
DJANGO = (
    every_one("django", "", DJANGO_VIEW, (DJANGO_THREADS, THREAD_EACH), DJANGO_LISTENS),
    row(
        "django",
        "--nothreading",
        *DJANGO_VIEW,
        in_service(1, (DJANGO_THREADS, IN_TURN)),
        in_turn(IN_TURN),
        *queues(DJANGO_LISTENS, SERVED_UNASKED),
    ),
)

# bjoern

BJOERN_LOOP = (
    "bjoern server.c, ev_io_on_read(): wsgi_call_application() is called in the loop's callback, on the only thread; "
    "ev_io_on_request(): nothing is accepted meanwhile"
)
BJOERN_UNASKED = "bjoern server.c, ev_io_on_read(): a request that was read whole is handled; its end comes later"
BJOERN_DEFAULT = Quote("bjoern", "DEFAULT_LISTEN_BACKLOG = 1024", "the default of `listen_backlog`")


def bjoern(arguments: str, backlog: int) -> Case:
    waits = queues(listens(backlog, BJOERN_DEFAULT), BJOERN_UNASKED)
    return row("bjoern", arguments, *SYNC, in_service(1, BJOERN_LOOP), in_turn(BJOERN_LOOP), *waits)


BJOERN = (bjoern("", 1024), bjoern("--listen-backlog 20", 20))

ROWS = (*WSGIREF, *WERKZEUG, *DJANGO, *BJOERN)
