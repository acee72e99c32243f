"""Rows of the table: uWSGI, behind its own HTTP router (`--http`) and without it (`--http-socket`).

Sources are named by file and function of uWSGI 2.0.30, which pyuwsgi 2.0.30 is built from.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from expectation import Case, Formula, Quote, Says, Seen
from sources import (
    SAME_THREAD,
    all_in_service,
    fills_the_accept_queue,
    goes_on,
    held_in,
    in_service,
    listens,
    model,
    runs_for_nobody,
    takes_all,
)
from wsgi_sources import under_descriptors

DEFAULT = "uWSGI core/init.c, uwsgi_init_default(): listen_queue = 100; core/socket.c, bind_to_tcp()"
SETTING = "uWSGI core/uwsgi.c, option `listen`: set the socket listen queue size"
CORES = (
    "uWSGI core/loop.c, uwsgi_loop_cores_run(), simple_loop_run(): every thread of every worker accepts one "
    "connection, handles its request to the end, and accepts the next"
)
ROUTER = (
    "uWSGI plugins/corerouter/corerouter.c, uwsgi_corerouter_loop(): accepts whatever comes; a request that no worker "
    "has accepted yet waits in the router or on the listener between the two (plugins/http/http.c, http_init())"
)
NOT_RECALLED = "uWSGI core/loop.c, simple_loop_run(): whatever a worker accepts it runs; nobody asks for the client"
WORKERS = "fork(2): each worker has its own copy of the module's globals; the application is loaded before it"
DESCRIPTORS = (
    "uWSGI core/loop.c, simple_loop_run(): an event queue for each thread (open at rest), proto/base.c, "
    "uwsgi_proto_base_accept(): one descriptor for each request; accept(2), EMFILE: the connection stays in the queue"
)
TASKS = (
    "uWSGI core/loop.c, uwsgi_loop_cores_run(): nobody looks whether pthread_create() succeeded; Linux kernel/fork.c, "
    "copy_process(): not more tasks of a user than RLIMIT_NPROC, the worker's main thread, itself a core, included"
)
LOOP_EACH = Quote(
    "asgiref.sync",
    "loop_executor = ThreadPoolExecutor(max_workers=1)",
    "each async view runs in an event loop of its own, on a fresh thread",
)
BUILT_IN = "holdfast_inside/apps/flask_app.py, create(): the view is index()"

HTTP_SOCKET = ("--http-socket", ":0")
UNWATCHED = goes_on(
    "uWSGI plugins/python/python_plugin.c, uwsgi_request_python(): the core's own thread runs the application; only "
    "what that reads or writes touches the client's socket meanwhile"
)
SYNC = (held_in("flask view index()", "sync", BUILT_IN), SAME_THREAD, UNWATCHED)
LISTENS = listens(100, DEFAULT)
DIRECT = (*fills_the_accept_queue(LISTENS), *runs_for_nobody(NOT_RECALLED))
OFFERED = 200


def workers(processes: int, threads: int) -> Says:
    kind = "thread-pool" if threads > 1 else "process-pool" if processes > 1 else "serial"
    source = (CORES, WORKERS) if processes > 1 else CORES
    return model(
        source,
        kind,
        *[threads] * processes,
        threads_reused=True,
        processes_reused=True,
        globals_shared=processes == 1,
    )


def routed(*arguments: str, processes: int = 1, threads: int = 1, offered: int = OFFERED) -> Case:
    running = processes * threads
    claims = (
        *SYNC,
        in_service(running, CORES),
        workers(processes, threads),
        *takes_all(offered, running, ROUTER, LISTENS),
        *runs_for_nobody((ROUTER, NOT_RECALLED)),
    )
    options = {"max_offered": offered}
    many = f", {offered} offered" if offered > OFFERED else ""
    return Case(f"--http {' '.join(arguments)}{many}", "uwsgi", claims, arguments=arguments, options=options)


def direct(*arguments: str, processes: int = 1, threads: int = 1, queue: Says = LISTENS, **options: Any) -> Case:
    claims = (
        *SYNC,
        in_service(processes * threads, CORES),
        workers(processes, threads),
        *fills_the_accept_queue(queue),
        *runs_for_nobody(NOT_RECALLED),
    )
    given = "".join(f" under {name}={value}" for name, value in options.items())
    return Case(" ".join(arguments) + given, "uwsgi", claims, arguments=arguments, options=options)


def asynchronous(view: str) -> Case:
    claims = (
        held_in("flask async view index()", view, BUILT_IN),
        UNWATCHED,
        Says(LOOP_EACH, {"model.handler_threads_reused": False}),
        in_service(2, CORES),
        workers(1, 2),
        *DIRECT,
    )
    arguments = (*HTTP_SOCKET, "--threads", "2")
    return Case(f"--threads 2, {view} view", "uwsgi", claims, arguments=arguments, options={"view": view})


def fewer_than_asked(limit: str, number: int, threads: int, fits: Any, source: str) -> Case:
    claims = (
        *SYNC,
        in_service(fits, source),
        model(
            CORES,
            "thread-pool",
            1,
            threads_per_process=all_in_service,
            spread=lambda seen: (all_in_service(seen),),
            threads_reused=True,
            processes_reused=True,
            globals_shared=True,
        ),
        *DIRECT,
    )
    given = threads if limit == "nofile" else 1
    return Case(
        f"--http-socket --threads {threads} under {limit}={number}",
        "uwsgi",
        claims,
        arguments=(*HTTP_SOCKET, "--threads", str(threads)),
        options={limit: number},
        resting=resting(given),
    )


def resting(threads: int) -> tuple[str, ...]:
    program = str(Path(sys.executable).with_name("uwsgi"))
    module = ("--chdir", str(Path(__file__).parent), "--module", "plain_app:application")
    return (program, "--http-socket", "127.0.0.1:0", *module, "--threads", str(threads))


def free_tasks(seen: Seen) -> int:
    """The main thread is one of the resting server's tasks, and a core too."""
    assert seen.experiment.nproc is not None
    return seen.experiment.nproc - seen.resting.tasks + 1


ROWS = (
    routed("--threads", "10", threads=10),
    routed("--threads", "2", threads=2),
    # So many are not worked off when it is seen what exactly as many do as there are places.
    routed("--threads", "3", threads=3, offered=3000),
    routed("--threads", "1"),
    routed("--processes", "4", processes=4),
    routed("--processes", "2", "--threads", "4", processes=2, threads=4),
    direct(*HTTP_SOCKET, "--threads", "8", threads=8),
    direct("--http-socket", "[::1]:0", "--threads", "3", threads=3),
    direct(*HTTP_SOCKET, "--listen", "7", "--threads", "2", threads=2, queue=listens(7, SETTING)),
    direct(*HTTP_SOCKET, "--listen", "50", "--threads", "2", threads=2, queue=listens(50, SETTING)),
    direct(*HTTP_SOCKET, "--processes", "2", processes=2),
    direct(*HTTP_SOCKET, "--threads", "8", threads=8, nofile=64),
    fewer_than_asked("nofile", 64, 30, under_descriptors, DESCRIPTORS),
    fewer_than_asked("nproc", 20, 30, Formula("tasks minus those at rest, plus 1", free_tasks), TASKS),
    asynchronous("async"),
    asynchronous("async-blocking"),
)
