"""Rows of the table: fastpysgi with a WSGI application.

Its sources in C are named by file and function of fastpysgi 0.6, libuv's by those of libuv 1.
"""

from __future__ import annotations

from expectation import Between, Case, Quote, Says, Seen, Within
from sources import goes_on, in_service, listens, runs_for_nobody
from wsgi_sources import OWN_LISTENERS, SYNC, in_turn, queues, threads

LOOP = "fastpysgi server.c, read_cb(): the application is called in the loop's callback, on the only thread"
UNASKED = "fastpysgi server.c, read_cb(): a request that was read whole is handled; its end comes later"
UNWATCHED = goes_on(f"{LOOP}, and the loop stands still")
LISTENED = "fastpysgi server.c, init_srv(): uv_listen() gets `backlog`"
DEFAULT = Quote("fastpysgi", "self.backlog = 2048", "the default of `backlog`")
WORKERS = (
    Quote("fastpysgi", "_fastpysgi.init_server(self)", "each worker makes its own listener"),
    "fastpysgi server.c, init_srv(): SO_REUSEPORT is always set",
)
SEVERAL_AT_ONCE = "libuv unix/stream.c, uv__server_io(): what comes together is accepted before any of it is read"


def serial(arguments: str, listening: Says) -> Case:
    claims = (*SYNC, UNWATCHED, in_service(1, LOOP), in_turn(LOOP), *queues(listening, UNASKED))
    return Case(arguments or "as it comes", "fastpysgi", claims, arguments=tuple(arguments.split()))


def in_workers(arguments: str, workers: int, backlog: int) -> Case:
    """A worker may accept a second request together with its first."""

    def order(seen: Seen) -> tuple[str, ...]:
        own = ("userspace_queue",) if seen.verdict.places.userspace_queue else ()
        return (*own, "accept_queue", "syn")

    most = workers * (backlog + 1)
    claims = (
        *SYNC,
        UNWATCHED,
        # Lots may deal several to one worker.
        in_service(workers, (LOOP, *WORKERS), exact=Within(1, workers)),
        threads((LOOP, *WORKERS), *[1] * workers, listen_queues="per-worker"),
        listens(backlog, LISTENED),
        Says(
            (OWN_LISTENERS, SEVERAL_AT_ONCE),
            {
                "places.accept_queue": most,
                "ceiling.accept_queue": most,
                "places.userspace_queue": Between(0),
                "ceiling.userspace_queue": lambda seen: seen.verdict.places.userspace_queue,
                "ceiling.userspace_queue_bounded": True,
                "places.syn": Between(1),
                "overflow.first": lambda seen: order(seen)[0],
                "overflow.then": lambda seen: order(seen)[1:],
                "overflow.client_sees": "connect-timeout",
            },
        ),
        *runs_for_nobody(UNASKED),
    )
    return Case(arguments, "fastpysgi", claims, arguments=tuple(arguments.split()))


ROWS = (
    serial("", listens(2048, DEFAULT)),
    serial("--backlog 20", listens(20, LISTENED)),
    in_workers("--workers 2 --backlog 20", 2, 20),
)
