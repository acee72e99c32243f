"""Rows of the table: servers on greenlets, which are gevent's, eventlet's and uWSGI's gevent loop.

uWSGI's sources are named by file and function of uWSGI 2.0.30, which pyuwsgi 2.0.30 is built from.
"""

from __future__ import annotations

import sys
from typing import Any

from expectation import Case, Quote, Says
from sources import all_in_service, goes_on, in_service, listens, model, runs_all_at_once, runs_for_nobody, takes_all
from wsgi_sources import NO_DESCRIPTOR, SYNC, greenlets, in_turn, queues, under_descriptors

HUB = "gevent: greenlets run on the thread of their hub, and a patched time.sleep() yields (gevent.monkey)"


UNWATCHED = {
    "gevent": goes_on(
        Quote(
            "gevent.pywsgi",
            "self.result = self.application(self.environ, self.start_response)",
            "the greenlet that would read from the connection is in the view",
        )
    ),
    "eventlet": goes_on(
        Quote(
            "eventlet.wsgi",
            "result = self.application(self.environ, start_response)",
            "the green thread that would read from the connection is in the view",
        )
    ),
    "uwsgi": goes_on(
        "uWSGI plugins/gevent/gevent.c, py_uwsgi_gevent_request(): the core's greenlet waits for bytes before it calls "
        "the application and not while that runs"
    ),
}


def row(server: str, arguments: str, *claims: Says, warnings: tuple[str, ...] = (), **options: Any) -> Case:
    given = tuple(arguments.split())
    named = arguments or "as it comes"
    return Case(named, server, (*SYNC, UNWATCHED[server], *claims), arguments=given, options=options, warnings=warnings)


# gevent.pywsgi

SPAWN = Quote(
    "gevent.baseserver",
    "self.pool = Pool(spawn)\n            self._spawn = self.pool.spawn",
    "`spawn=N` is a pool of N greenlets",
)
FULL = Quote(
    "gevent.baseserver", "if self.full():\n                self.stop_accepting()", "accepts none while it is full"
)
NO_POOL = Quote(
    "gevent.baseserver", "if spawn == 'default':\n            self.pool = None", "a greenlet each, no bound"
)
ACCEPT_FAILS = Quote(
    "gevent.baseserver",
    "self._timer = self.loop.timer(self.delay)",
    "where a connection cannot be accepted, it stays in the queue and is tried again after a pause",
)
PLAIN_GEVENT = (
    "from gevent import monkey; monkey.patch_all(); from gevent.pywsgi import WSGIServer; "
    "WSGIServer(('127.0.0.1', 0), lambda environ, start: []).serve_forever()"
)
GEVENT_LISTENS = Quote("gevent.server", "backlog = 128", "the default")
GEVENT_UNASKED = Quote(
    "gevent.pywsgi",
    "self.result = self.application(self.environ, self.start_response)",
    "called when the request's head has been read; whether the client has gone is not looked at",
)


def gevent(arguments: str, pool: int, backlog: int = 128) -> Case:
    return row(
        "gevent",
        arguments,
        in_service(pool, (SPAWN, FULL)),
        # One at a time on one thread is serial, whatever the thread's stack is made of.
        greenlets((SPAWN, HUB), pool) if pool > 1 else in_turn(SPAWN),
        *queues(listens(backlog, GEVENT_LISTENS), GEVENT_UNASKED),
    )


def all_at_once(server: str, offered: int, source: Any, listening: Says) -> Case:
    return row(
        server,
        "",
        greenlets((source, HUB), offered),
        *runs_all_at_once(offered, source, listening),
        warnings=(f"All {offered} offered requests ran at once",),
        max_offered=offered,
    )


GEVENT = (
    gevent("--pool 10", 10),
    gevent("--spawn 1 --backlog 3", 1, 3),
    gevent("--pool 300 --backlog 20", 300, 20),
    Case(
        "--backlog 20 under 64 descriptors",
        "gevent",
        (
            *SYNC,
            UNWATCHED["gevent"],
            in_service(under_descriptors, (NO_POOL, ACCEPT_FAILS, NO_DESCRIPTOR)),
            model(
                (NO_POOL, HUB),
                "greenlets",
                1,
                spread=lambda seen: (all_in_service(seen),),
                threads_reused=True,
                processes_reused=True,
                globals_shared=True,
            ),
            *queues(listens(20, GEVENT_LISTENS), GEVENT_UNASKED),
        ),
        arguments=("--backlog", "20"),
        options={"nofile": 64},
        resting=(sys.executable, "-c", PLAIN_GEVENT),
    ),
    all_at_once("gevent", 250, NO_POOL, listens(128, GEVENT_LISTENS)),
)

# eventlet.wsgi

GREEN_POOL = Quote("eventlet.wsgi", "pool = eventlet.GreenPool(max_size)", "`max_size` green threads")
DEFAULT_SIZE = Quote("eventlet.wsgi", "DEFAULT_MAX_SIMULTANEOUS_REQUESTS = 1024", "the default")
ACCEPTS_ONE_MORE = Quote(
    "eventlet.wsgi",
    "client_socket, client_addr = sock.accept()",
    "it accepts before pool.spawn(), which waits for a free green thread: one more is accepted than handled",
)
SPAWN_WAITS = Quote(
    "eventlet.greenpool", "self.sem.acquire()\n            gt = eventlet.spawn", "waits for a free green thread"
)
EVENTLET_LISTENS = Quote(
    "eventlet.convenience", "def listen(addr, family=socket.AF_INET, backlog=50", "the default of eventlet.listen()"
)
EVENTLET_UNASKED = Quote(
    "eventlet.wsgi", "result = self.application(self.environ, start_response)", "called when the head has been read"
)
EVENTLET_HUB = "eventlet: green threads run on the thread of their hub, and a patched time.sleep() yields"


def eventlet(arguments: str, size: int, backlog: int = 50) -> Case:
    return row(
        "eventlet",
        arguments,
        in_service(size, (GREEN_POOL, DEFAULT_SIZE, SPAWN_WAITS)),
        greenlets((GREEN_POOL, EVENTLET_HUB), size),
        Says(ACCEPTS_ONE_MORE, {}),
        *queues(listens(backlog, EVENTLET_LISTENS), EVENTLET_UNASKED, after=1),
    )


EVENTLET = (
    eventlet("--max-size 20", 20),
    eventlet("--max-size 5 --backlog 3", 5, 3),
    eventlet("", 1024),
)

# uWSGI's gevent loop

CORES = (
    "uWSGI plugins/gevent/gevent.c, py_uwsgi_gevent_main(): a connection is accepted only with a free core of "
    "`--gevent N`; without one it is left in the queue, and the loop asks again at once"
)
PATCHED = (
    "uWSGI plugins/gevent/gevent.c, option gevent-early-monkey-patch: patch_all() before the application is loaded, "
    "so that a sleeping view yields"
)
UNPATCHED = (
    "uWSGI plugins/gevent/gevent.c, gevent_options: `--gevent` alone patches nothing, so a view that sleeps in "
    "time.sleep() keeps the hub's thread, and nothing is accepted meanwhile"
)
READ = (
    "uWSGI plugins/gevent/gevent.c, py_uwsgi_gevent_request(): waits for bytes, parses them and calls the application"
)
ROUTER = "uWSGI plugins/corerouter/corerouter.c, uwsgi_corerouter_loop(): accepts whatever comes"
UWSGI_LISTENS = listens(100, "uWSGI core/init.c, uwsgi_init_default(): listen_queue = 100")
DIRECT = queues(UWSGI_LISTENS, READ)


def patched(arguments: str, cores: int, workers: int = 1) -> Case:
    return row(
        "uwsgi",
        f"--http-socket :0 --gevent-early-monkey-patch {arguments}",
        in_service(workers * cores, (CORES, PATCHED)),
        greenlets((CORES, HUB), *[cores] * workers),
        *DIRECT,
    )


UWSGI = (
    patched("--gevent 20", 20),
    patched("--gevent 10 --processes 2", 10, 2),
    row("uwsgi", "--http-socket :0 --gevent 20", in_service(1, UNPATCHED), in_turn(UNPATCHED), *DIRECT),
    row(
        "uwsgi",
        "--http :0 --gevent-early-monkey-patch --gevent 10",
        in_service(10, (CORES, PATCHED)),
        greenlets((CORES, HUB), 10),
        *takes_all(200, 10, ROUTER, UWSGI_LISTENS),
        *runs_for_nobody((ROUTER, READ)),
        max_offered=200,
    ),
)

ROWS = (*GEVENT, *EVENTLET, *UWSGI)
