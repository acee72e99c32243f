"""Rows of the table: WSGI servers that accept on one thread and run the application on others."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from expectation import Between, Case, Quote, Says, Source, Within, each_of
from loop_sources import EXECUTOR_THREADS
from sources import (
    all_in_service,
    goes_on,
    in_service,
    listens,
    model,
    runs_for_nobody,
    takes_all,
    turned_away,
)
from wsgi_sources import (
    NO_DESCRIPTOR,
    POOL_GROWS,
    POOL_THREADS,
    SYNC,
    lasting,
    queues,
    threads,
    under_descriptors,
    waits_unfilled,
)

OFFERED = 200

UNWATCHED = {
    "waitress": goes_on(
        Quote(
            "waitress.task",
            "task.service()",
            "a thread is in the view until that ends, whatever the loop learns of the connection meanwhile",
        )
    ),
    "cheroot": goes_on(
        Quote("cheroot.server", "req.respond()", "the thread that would read from the connection is in the view")
    ),
    "twisted": goes_on(
        Quote(
            "twisted.web.wsgi",
            "self._requestFinished = True",
            "all that the reactor does when a client has gone; the thread stays in the view",
        )
    ),
    "hypercorn": goes_on(
        Quote(
            "hypercorn.app_wrappers",
            "await sync_spawn(self.run_app, environ, partial(call_soon, send))",
            "a call that a thread of the executor runs cannot be cancelled (concurrent.futures)",
        )
    ),
}


def row(
    server: str,
    arguments: str,
    running: Any,
    source: Any,
    *claims: Says,
    exact: Within | None = None,
    gone: Says | None = None,
    **options: Any,
) -> Case:
    claims = (*SYNC, in_service(running, source, exact=exact), gone or UNWATCHED[server], *claims)
    named = arguments or "as it comes"
    return Case(named, server, claims, arguments=tuple(arguments.split()), options=options)


def short_of_descriptors(server: str, arguments: str, source: Source, *waits: Says) -> Case:
    """More threads than descriptors, so that these are the limit."""
    plain = ("-m", server, *arguments.split(), "wsgiref.simple_server:demo_app")
    ran = model(
        source,
        "thread-pool",
        1,
        threads_per_process=all_in_service,
        spread=lambda seen: (all_in_service(seen),),
        threads_reused=True,
        processes_reused=True,
        globals_shared=True,
    )
    return Case(
        f"{arguments.split(' ', 2)[2]} under 64 descriptors",
        server,
        (*SYNC, in_service(under_descriptors, (*each_of(source), NO_DESCRIPTOR)), UNWATCHED[server], ran, *waits),
        arguments=tuple(arguments.split()),
        options={"nofile": 64},
        resting=(sys.executable, *plain),
    )


# waitress

TASKS = Quote(
    "waitress.task",
    "task = self.queue.popleft()\n            try:\n                task.service()",
    "each of `threads` threads runs one task to its end and takes the next",
)
TASK_QUEUE = Quote("waitress.task", "self.queue = deque()", "tasks wait for a thread in a queue that has no bound")
FOUR = Quote("waitress.adjustments", "threads = 4", "the default")
MAP = Quote(
    "waitress.server",
    "and len(self._map) >= self.adj.connection_limit",
    "the map that is compared with `connection_limit` holds the listener and the wake-up pipe too "
    "(BaseWSGIServer.__init__, trigger.trigger(map)): two connections fewer",
)
HUNDRED = Quote("waitress.adjustments", "connection_limit = 100", "the default")
WAITRESS_LISTENS = Quote("waitress.server", "self.socket.listen(self.adj.backlog)", "`backlog`, of its own")
WAITRESS_DEFAULT = Quote("waitress.adjustments", "backlog = 1024", "the default")
NOT_READ = Quote(
    "waitress.channel",
    "or len(self.requests) > self.adj.channel_request_lookahead",
    "a connection is not read while its request waits or runs, so that it is not seen that the client has left",
)
READ_AHEAD = Quote(
    "waitress.channel",
    "if self.connected:\n                task.service()\n            else:",
    "a channel that looks ahead is read while its request waits: at its end it is closed, and no thread runs it",
)
LOOP_LIMIT = 2
ACCEPT_FAILS = Quote(
    "waitress.server",
    'self.logger.warning("server accept() threw an exception", exc_info=True)\n            return',
    "a connection that cannot be accepted stays in the queue",
)


def waitress(arguments: str, running: int, accepted: int, listening: Says) -> Case:
    return row(
        "waitress",
        arguments,
        running,
        (TASKS, FOUR, MAP),
        threads(TASKS, running),
        *queues(listening, NOT_READ, after=accepted - running),
    )


def waitress_listens(backlog: int) -> Says:
    return listens(backlog, WAITRESS_LISTENS)


WAITRESS_LISTENS_1024 = listens(1024, (WAITRESS_LISTENS, WAITRESS_DEFAULT))
WAITRESS = (
    waitress("", 4, 100 - LOOP_LIMIT, WAITRESS_LISTENS_1024),
    waitress("--threads 2 --connection-limit 10 --backlog 7", 2, 10 - LOOP_LIMIT, waitress_listens(7)),
    waitress("--threads 1 --connection-limit 5 --backlog 5", 1, 5 - LOOP_LIMIT, waitress_listens(5)),
    waitress("--threads 8 --connection-limit 4 --backlog 5", 4 - LOOP_LIMIT, 4 - LOOP_LIMIT, waitress_listens(5)),
    waitress(
        "--threads 3 --connection-limit 9 --asyncore-use-poll --backlog 6", 3, 9 - LOOP_LIMIT, waitress_listens(6)
    ),
    row(
        "waitress",
        "--threads 30",
        30,
        (TASKS, TASK_QUEUE),
        threads(TASKS, 30),
        *waits_unfilled(OFFERED, 30, 100 - LOOP_LIMIT, (MAP, HUNDRED), WAITRESS_LISTENS_1024, NOT_READ),
        max_offered=OFFERED,
    ),
    short_of_descriptors(
        "waitress",
        "--listen 127.0.0.1:0 --threads 80 --backlog 20",
        (TASKS, ACCEPT_FAILS),
        *queues(waitress_listens(20), NOT_READ),
    ),
    row(
        "waitress",
        "--channel-request-lookahead 1",
        4,
        (TASKS, FOUR),
        threads(TASKS, 4),
        *takes_all(60, 4, (TASK_QUEUE, MAP, HUNDRED), WAITRESS_LISTENS_1024),
        Says(READ_AHEAD, {"abandoned.left": Between(1), "abandoned.run_anyway": 0}),
        max_offered=60,
    ),
)

# cheroot

WORKER = Quote(
    "cheroot.workers.threadpool",
    "conn = self.server.requests.get()",
    "each thread takes one connection from the queue and serves it",
)
TEN = Quote("cheroot.wsgi", "numthreads=10,", "the default; nothing makes the pool grow by itself")
STARTS_MIN = Quote(
    "cheroot.workers.threadpool",
    "self.grow(self.min)",
    "the only call that adds threads: `--max-threads` bounds what an application may add by itself",
)
ACCEPTED_QUEUE = Quote(
    "cheroot.workers.threadpool",
    "self._queue = queue.Queue(maxsize=accepted_queue_size)",
    "queue.Queue: no bound for -1, the default",
)
ACCEPTS = Quote(
    "cheroot.connections",
    "self.server.process_conn(new_conn)",
    "whatever is accepted is put into that queue, whether a thread is idle or not",
)
PUT = Quote(
    "cheroot.workers.threadpool",
    "self._queue.put(obj, block=True, timeout=self._queue_put_timeout)",
    "the accepting thread waits with one connection in its hands while the queue is full, "
    "for `accepted_queue_timeout` seconds",
)
FULL_503 = Quote(
    "cheroot.server",
    "request.simple_response('503 Service Unavailable')",
    "whom the queue does not take in time gets this",
)
CHEROOT_LISTENS = Quote("cheroot.server", "self.socket.listen(self.request_queue_size)", "`request_queue_size`")
CHEROOT_FIVE = Quote("cheroot.wsgi", "request_queue_size=5,", "the default")
CHEROOT_UNASKED = Quote(
    "cheroot.server",
    "req.parse_request()",
    "a thread reads what lies in the connection that it got; whether more will come is not looked at",
)


def cheroot(arguments: str, running: int, backlog: int) -> Case:
    return row(
        "cheroot",
        arguments,
        running,
        (WORKER, TEN, STARTS_MIN) if "--max-threads" in arguments else (WORKER, TEN),
        threads(WORKER, running),
        *takes_all(OFFERED, running, (ACCEPTED_QUEUE, ACCEPTS), listens(backlog, (CHEROOT_LISTENS, CHEROOT_FIVE))),
        *runs_for_nobody(CHEROOT_UNASKED),
        max_offered=OFFERED,
    )


TICK_FAILS = Quote(
    "cheroot.server",
    "'Error in HTTPServer.serve',",
    "an error of accept() is logged, and the loop goes on: the connection stays in the queue",
)

# Seen with 3.15.2, without holdfast.
COLOURS_TRACEBACKS = (
    "from Python 3.15 on, traceback imports what colours it when it first prints (traceback.py, _colorize): without a "
    "descriptor for that, the error leaves cheroot's loop, and nothing is accepted any more"
)
SHORT_OF_DESCRIPTORS = replace(
    short_of_descriptors(
        "cheroot",
        "--bind 127.0.0.1:0 --threads 80",
        (WORKER, TICK_FAILS),
        *queues(listens(5, (CHEROOT_LISTENS, CHEROOT_FIVE)), CHEROOT_UNASKED),
    ),
    not_here=COLOURS_TRACEBACKS if sys.version_info >= (3, 15) else "",
)

CHEROOT = (
    SHORT_OF_DESCRIPTORS,
    cheroot("", 10, 5),
    cheroot("--threads 1", 1, 5),
    cheroot("--threads 3 --request-queue-size 7", 3, 7),
    cheroot("--threads 3 --max-threads 9", 3, 5),
    row(
        "cheroot",
        "--threads 3 --accepted-queue-size 5 --accepted-queue-timeout 600",
        3,
        WORKER,
        threads(WORKER, 3),
        Says((ACCEPTED_QUEUE, PUT), {}),
        *queues(listens(5, (CHEROOT_LISTENS, CHEROOT_FIVE)), CHEROOT_UNASKED, after=5 + 1),
    ),
    row(
        "cheroot",
        "--threads 3 --accepted-queue-size 5 --accepted-queue-timeout 0",
        3,
        WORKER,
        threads(WORKER, 3),
        *turned_away(
            "rejected",
            "503",
            (ACCEPTED_QUEUE, PUT, FULL_503),
            listens(5, (CHEROOT_LISTENS, CHEROOT_FIVE)),
            after=5,
        ),
        *runs_for_nobody(CHEROOT_UNASKED),
    ),
)

# Twisted

TWENTY = Quote(
    "twisted.python.threadpool",
    "self, minthreads: int = 5, maxthreads: int = 20, name: str | None = None",
    "`twist web --wsgi` makes a pool of its own with these defaults (twisted/web/tap.py, opt_wsgi)",
)
OWN_POOL = Quote("twisted.web.tap", "pool = threadpool.ThreadPool()", "not the reactor's pool of 10")
TEAM = Quote(
    "twisted._threads._team",
    "self._pending.append(task)",
    "a call for which no thread is free waits in a queue that has no bound",
)
RECYCLED = Quote("twisted._threads._team", "self._recycleWorker(not_none_worker)", "a thread gets the next call")
TWISTED_UNASKED = Quote(
    "twisted.web.wsgi",
    "appIterator = self.application(self.environ, self.startResponse)",
    "the application is called first; only between pieces of its reply is it looked whether the request has ended",
)
ENDPOINT = Quote(
    "twisted.internet.endpoints", 'def __init__(self, reactor, port, backlog=50, interface=""):', "the default"
)


def twisted(arguments: str, backlog: int) -> Case:
    return row(
        "twisted",
        arguments,
        20,
        (TWENTY, OWN_POOL),
        threads((OWN_POOL, RECYCLED), 20),
        *takes_all(OFFERED, 20, TEAM, listens(backlog, ENDPOINT)),
        *runs_for_nobody(TWISTED_UNASKED),
        max_offered=OFFERED,
    )


TWISTED = (twisted("", 50), twisted("--listen tcp:0:backlog=7", 7))

# hypercorn, with a WSGI application

EXECUTOR = Quote(
    "hypercorn.asyncio.task_group",
    "partial(self._loop.run_in_executor, None)",
    "a WSGI application is called in the loop's default executor",
)
EXECUTOR_SIZE = Quote(
    "concurrent.futures.thread",
    f"max_workers = min(32, (os.{'process_' if sys.version_info >= (3, 13) else ''}cpu_count() or 1) + 4)",
    "nothing of hypercorn says another number; from Python 3.13 on only the cores count that the process may use",
)
HYPERCORN_DEFAULT = Quote("hypercorn.config", "backlog = 100", "the default")
HYPERCORN_UNASKED = Quote(
    "hypercorn.app_wrappers",
    "await sync_spawn(self.run_app, environ, partial(call_soon, send))",
    "what is in the executor's queue stays there when its client leaves",
)
LOOP_ACCEPTS = Quote(
    "hypercorn.asyncio.run",
    "await asyncio.start_server(_server_callback, backlog=config.backlog, sock=sock)",
    "the loop goes on accepting whatever the threads do",
)


def hypercorn(arguments: str, workers: int = 1, backlog: int = 100) -> Case:
    each = EXECUTOR_THREADS
    running = workers * each
    return row(
        "hypercorn",
        arguments,
        running,
        (EXECUTOR, EXECUTOR_SIZE),
        lasting("event-loop+thread-pool", (LOOP_ACCEPTS, EXECUTOR, POOL_THREADS), *[each] * workers),
        *takes_all(OFFERED, running, (LOOP_ACCEPTS, POOL_GROWS), listens(backlog, HYPERCORN_DEFAULT)),
        *runs_for_nobody(HYPERCORN_UNASKED),
        # One worker may take in what another has threads for.
        exact=Within(each, running) if workers > 1 else None,
        max_offered=OFFERED,
        framework="flask",
    )


HYPERCORN = (hypercorn(""), hypercorn("--workers 2", workers=2), hypercorn("--backlog 7", backlog=7))

ROWS = (*WAITRESS, *CHEROOT, *TWISTED, *HYPERCORN)
