"""Rows of the table: fastpysgi with a WSGI application.

Its sources in C are named by file and function of fastpysgi 0.6.
"""

from __future__ import annotations

from expectation import Case, Quote, Says
from sources import goes_on, in_service, listens
from wsgi_sources import SYNC, in_turn, queues

LOOP = "fastpysgi server.c, read_cb(): the application is called in the loop's callback, on the only thread"
UNASKED = "fastpysgi server.c, read_cb(): a request that was read whole is handled; its end comes later"
UNWATCHED = goes_on(f"{LOOP}, and the loop stands still")
LISTENED = "fastpysgi server.c, init_srv(): uv_listen() gets `backlog`"
DEFAULT = Quote("fastpysgi", "self.backlog = 2048", "the default of `backlog`")


def serial(arguments: str, listening: Says) -> Case:
    claims = (*SYNC, UNWATCHED, in_service(1, LOOP), in_turn(LOOP), *queues(listening, UNASKED))
    return Case(arguments or "as it comes", "fastpysgi", claims, arguments=tuple(arguments.split()))


ROWS = (
    serial("", listens(2048, DEFAULT)),
    serial("--backlog 20", listens(20, LISTENED)),
)
