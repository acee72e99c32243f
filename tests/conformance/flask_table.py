"""Rows of the table: Flask's development server, which is Werkzeug's on CPython's socketserver."""

from __future__ import annotations

import sys
from typing import Any

from expectation import Case, Computed, Formula, Quote, Says, Seen, UnlessTooSlow, Within
from sources import (
    NOBODY_WAITED,
    SAME_THREAD,
    all_in_service,
    fills_the_accept_queue,
    goes_on,
    held_in,
    in_service,
    listens,
    model,
    runs_all_at_once,
    runs_for_nobody,
    turned_away,
)

LISTENS = listens(128, Quote("werkzeug.serving", "LISTEN_QUEUE = 128", "there is no setting for it"))

THREAD_EACH = Quote(
    "socketserver",
    "t = threading.Thread(target = self.process_request_thread,",
    "each request has a fresh thread of the one process; nothing bounds their number",
)
IN_TURN = Quote(
    "socketserver",
    "self.finish_request(request, client_address)\n        self.shutdown_request(request)",
    "without threads or processes the accepting thread runs the handler itself",
)
FORK_EACH = Quote(
    "socketserver",
    "while len(self.active_children) >= self.max_children:",
    "each request is forked off; with `processes` of them alive the parent waits for one to end before it accepts",
)
LIMIT = Quote("werkzeug.serving", "self.max_children = processes", "`processes` is the number of children")
THREAD_FAILS = Quote(
    "socketserver",
    "except Exception:\n                self.handle_error(request, client_address)\n"
    "                self.shutdown_request(request)",
    "a thread that cannot be started is an error of this request: its connection is closed; the request lies "
    "unread, so RST follows the FIN, and recv() says end of file first (tcp(7))",
)
SERVED_UNASKED = Quote(
    "socketserver",
    "request, client_address = self.get_request()",
    "nothing asks whether the client of an accepted connection is still there",
)
UNWATCHED = goes_on(
    Quote(
        "socketserver",
        "self.setup()\n        try:\n            self.handle()",
        "the thread that runs the handler is the one that would read from the client, and it does not meanwhile",
    )
)
DESCRIPTORS = (
    "getrlimit(2), RLIMIT_NOFILE: descriptors below it; net/socket.c, __sys_accept4_file(): accept() takes one before "
    "it takes the connection from the queue; a thread needs none (socketserver)"
)
TASKS = (
    "Linux kernel/fork.c, copy_process(): a user's tasks, the new one included, may not be more than RLIMIT_NPROC; "
    "pthread_create(3): EAGAIN"
)
LOOP_EACH = Quote(
    "asgiref.sync",
    "loop_executor = ThreadPoolExecutor(max_workers=1)",
    "each async view runs in an event loop of its own, on a fresh thread",
)
LOOP_COSTS = Quote(
    "asyncio.selector_events",
    "self._ssock, self._csock = socket.socketpair()",
    "an event loop costs three descriptors: this pair and selectors.EpollSelector; the fourth is the connection",
)
ERROR_500 = Quote(
    "flask.app",
    "server_error: InternalServerError | ft.ResponseReturnValue",
    "what fails on the way to a view is answered with 500",
)
COPIED = "fork(2): each child has its own copy of the module's globals, and of a counter that the parent never raised"
BUILT_IN = "holdfast_inside/apps/flask_app.py, create(): the view is index()"

PLAIN = "from flask import Flask; Flask('plain').run(port=0)"
RESTING = (sys.executable, "-c", PLAIN)


def per_request(cost: int, limit: str) -> Computed:
    """How many requests fit that cost so many descriptors (`nofile`) or tasks (`nproc`) each."""

    def fits(seen: Seen) -> int:
        if limit == "nofile":
            assert seen.experiment.nofile is not None
            return (seen.experiment.nofile - seen.resting.descriptors) // cost
        assert seen.experiment.nproc is not None
        return (seen.experiment.nproc - seen.resting.tasks) // cost

    words = {"nofile": "descriptors minus those open at rest", "nproc": "tasks minus those at rest"}[limit]
    return Formula(words if cost == 1 else f"({words}) / {cost}", fits)


THREADED = model(
    THREAD_EACH,
    "thread-per-request",
    1,
    threads_per_process=all_in_service,
    spread=lambda seen: (all_in_service(seen),),
    threads_reused=False,
    processes_reused=True,
    globals_shared=True,
)
SERIAL = model(IN_TURN, "serial", 1, threads_reused=True, processes_reused=True, globals_shared=True)
SYNC = (held_in("flask view index()", "sync", BUILT_IN), SAME_THREAD)
FRESH_LOOP = Says(LOOP_EACH, {"model.handler_threads_reused": False})


def asynchronous(view: str) -> tuple[Says, ...]:
    return (held_in("flask async view index()", view, BUILT_IN), FRESH_LOOP)


QUEUED = (*fills_the_accept_queue(LISTENS), *runs_for_nobody(SERVED_UNASKED))
QUEUED_SHORT_OF_DESCRIPTORS = (
    *fills_the_accept_queue(LISTENS),
    *runs_for_nobody(
        (SERVED_UNASKED, LOOP_COSTS, "those accepted at once may be short of descriptors and get a 500"), least=1
    ),
)


def descriptors(nofile: int) -> Case:
    return Case(
        f"threads under {nofile} descriptors",
        "flask",
        (*SYNC, THREADED, UNWATCHED, in_service(per_request(1, "nofile"), DESCRIPTORS), *QUEUED),
        options={"nofile": nofile},
        resting=RESTING,
    )


def loops_under(nofile: int, view: str) -> Case:
    """Four descriptors are open at rest and each request takes four; one left over lets one too many be accepted."""
    rest = (
        QUEUED_SHORT_OF_DESCRIPTORS
        if nofile % 4 == 0
        else (*turned_away("rejected", "500", ERROR_500, LISTENS), NOBODY_WAITED)
    )
    places = (nofile - 4) // 4
    fits = in_service(per_request(4, "nofile"), LOOP_COSTS, exact=UnlessTooSlow(Within(places, places)))
    claims = (*asynchronous(view), THREADED, UNWATCHED, fits, *rest)
    options = {"nofile": nofile, "view": view}
    return Case(f"{view} views under {nofile} descriptors", "flask", claims, options=options, resting=RESTING)


def tasks(nproc: int) -> Case:
    claims = (
        *SYNC,
        THREADED,
        UNWATCHED,
        in_service(per_request(1, "nproc"), TASKS),
        *turned_away("closed", "closed", THREAD_FAILS, LISTENS),
        NOBODY_WAITED,
    )
    return Case(f"threads under {nproc} tasks", "flask", claims, options={"nproc": nproc}, resting=RESTING)


def loops_in_tasks(nproc: int) -> Case:
    """One task is the server: of an even number of tasks one is left over, in which a request can fail aloud."""
    fate = (
        turned_away("rejected", "500", ERROR_500, LISTENS)
        if nproc % 2 == 0
        else turned_away("closed", "closed", THREAD_FAILS, LISTENS)
    )
    # A view that has returned leaves neither its thread nor that of its loop, so as many find room as there are places.
    places = (nproc - 1) // 2
    fits = in_service(per_request(2, "nproc"), TASKS, exact=UnlessTooSlow(Within(places, places)))
    claims = (*asynchronous("async"), THREADED, UNWATCHED, NOBODY_WAITED, fits, *fate)
    options = {"nproc": nproc, "view": "async"}
    return Case(f"async views under {nproc} tasks", "flask", claims, options=options, resting=RESTING)


def processes(number: int) -> Case:
    claims = (
        *SYNC,
        UNWATCHED,
        in_service(number, (FORK_EACH, LIMIT), exact=UnlessTooSlow(Within(number, number))),
        model(FORK_EACH, "process-per-request", *[1] * number, threads_reused=False, processes_reused=False),
        Says(COPIED, {"model.globals_shared": False}),
        *QUEUED,
    )
    return Case(f"{number} processes", "flask", claims, arguments=("--processes", str(number)))


def serial(name: str, app: str | None, where: Says, warnings: tuple[str, ...] = (), **options: Any) -> Case:
    claims = (
        where,
        SAME_THREAD,
        UNWATCHED,
        in_service(1, IN_TURN),
        SERIAL,
        *QUEUED,
    )
    return Case(name, "flask", claims, arguments=("--no-threaded",), app=app, options=options, warnings=warnings)


USER_APP = "tests/conformance/user_app.py"

ROWS = (
    *map(descriptors, (64, 128, 256, 512)),
    *(loops_under(nofile, "async") for nofile in (256, 257, 258, 259)),
    loops_under(256, "async-blocking"),
    *map(tasks, (20, 50, 101)),
    *map(loops_in_tasks, (20, 50, 51)),
    *map(processes, (2, 10, 100)),
    serial("serial", None, held_in("flask view index()", "sync", BUILT_IN)),
    Case(
        "threads without a limit",
        "flask",
        (*SYNC, THREADED, UNWATCHED, *runs_all_at_once(400, THREAD_EACH, LISTENS)),
        options={"max_offered": 400},
        warnings=("All 400 offered requests ran at once",),
    ),
    Case(
        "async views without a limit",
        "flask",
        (*asynchronous("async"), THREADED, UNWATCHED, *runs_all_at_once(200, (THREAD_EACH, LOOP_EACH), LISTENS)),
        options={"max_offered": 200, "view": "async"},
        warnings=("All 200 offered requests ran at once",),
    ),
    serial("a file", "user_app.py", held_in("flask view front()", "sync", USER_APP)),
    serial("an attribute", "user_app:app", held_in("flask view front()", "sync", USER_APP)),
    serial("a factory", "user_app:create_app('hello')", held_in("flask view welcome()", "sync", USER_APP)),
    serial(
        "no framework",
        "plain_app:application",
        held_in("wsgi entry", "sync", "tests/conformance/plain_app.py: a callable of no framework"),
        warnings=("so that is the view itself",),
    ),
    serial(
        "no view at the path",
        "user_app.py",
        held_in("flask entry (no view at /nowhere)", "sync", USER_APP),
        warnings=("There is no view at this path",),
        path="/nowhere",
    ),
    Case(
        "an async view of one's own",
        "flask",
        (
            held_in("flask async view orders()", "async", USER_APP),
            FRESH_LOOP,
            UNWATCHED,
            in_service(1, IN_TURN),
            SERIAL,
            *QUEUED,
        ),
        arguments=("--no-threaded",),
        app="user_app.py:app",
        options={"path": "/orders"},
    ),
)
