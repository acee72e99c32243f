"""Rows of the table: servers that speak TLS themselves. Each is a row of another table, over TLS.

A connection is accepted, counted and queued as without TLS. Two things are others: where the handshake is made, and
what follows for a client that leaves before it, because its request was never sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import asgi_table
import frameworks_table
import granian_table
import gunicorn_table
import thread_pool_table
from expectation import Between, Case, Quote, Says, Source

PEM = "../engine/localhost.pem"
"""Seen from this directory, where the servers run."""

BOTH = ("--certfile", PEM, "--keyfile", PEM)
OF_UVICORN = ("--ssl-certfile", PEM, "--ssl-keyfile", PEM)
OF_GRANIAN = ("--ssl-certificate", PEM, "--ssl-keyfile", PEM)

NONE_IS_RUN = Says(
    "RFC 8446, 2: a client sends its request after the handshake, so that one that leaves before it has sent none",
    {"abandoned.run_anyway": 0},
)
WHO_WAS_SHAKEN = Says(
    "docs/method.md, One experiment, 5: the one request in service is released before clients leave the queue. The "
    "loop is free then to accept and to shake hands until the next request is read; who gets so far is open",
    {"abandoned.run_anyway": lambda seen: Between(0, seen.verdict.abandoned.left or 0)},
)
IN_THE_WORKER = Quote(
    "gunicorn.workers.sync",
    "client = sock.ssl_wrap_socket(client, self.cfg)",
    "a sync worker shakes hands with the connection that it takes up, when it takes it up",
)
IN_A_THREAD = Quote(
    "gunicorn.workers.gthread",
    "            if self.cfg.is_ssl:\n                self.sock = sock.ssl_wrap_socket(self.sock, self.cfg)",
    "TConn.init() is called by a thread of the pool, so that what waits for a thread waits before its handshake",
)
IN_A_GREENLET = Quote(
    "gevent.server",
    "with _closing_socket(self.wrap_socket(client_socket, **self.ssl_args)) as ssl_socket:",
    "the greenlet that handles a connection shakes hands, and the pool bounds these greenlets",
)
IN_THE_LOOP = Quote(
    "asyncio.sslproto",
    "self._app_protocol.connection_made(self._get_app_transport())",
    "the loop shakes hands with all that it has accepted, and tells the server's protocol after that; uvloop does too "
    "(its sslproto.pyx)",
)
RUSTLS = (
    "granian src/tls.rs, tls_listener(): the crate tls-listener shakes hands with what it has accepted, before it "
    "hands a connection on"
)


def of(rows: Iterable[Case], server: str, id: str) -> Case:
    (found,) = (row for row in rows if (row.server, row.id) == (server, id))
    return found


def over_tls(
    row: Case,
    certificate: tuple[str, ...],
    source: Source,
    *,
    before_handshake: int = 0,
    run: Says | None = None,
) -> Case:
    """The row over TLS.

    Args:
        source: who shakes hands, and when.
        before_handshake: how many wait in the server's own queue for it.
        run: what becomes of the requests of clients that left; None is as without TLS.
    """
    claims = [each for each in row.claims if run is None or "abandoned.run_anyway" not in each.fields]
    shaken = Says(source, {"tls.before_handshake": before_handshake, "tls.certificate_checked": False})
    claims = (*claims, *([] if run is None else [run]), shaken)
    id = "over TLS" if row.id == "as it comes" else f"{row.id}, over TLS"
    return replace(row, id=id, claims=claims, arguments=(*row.arguments, *certificate))


def _gunicorn(id: str, source: Source, before_handshake: int = 0) -> Case:
    row = of(gunicorn_table.ROWS, "gunicorn", id)
    return over_tls(row, BOTH, source, before_handshake=before_handshake, run=NONE_IS_RUN)


ROWS = (
    _gunicorn("--workers 4 --backlog 20", IN_THE_WORKER),
    _gunicorn("--threads 4 --worker-connections 10 --backlog 10", IN_A_THREAD, 6),
    _gunicorn("--workers 2 --threads 8 --worker-connections 20 --backlog 10", IN_A_THREAD, 24),
    _gunicorn("--threads 4", IN_A_THREAD, 196),
    _gunicorn("-k gevent --worker-connections 50 --backlog 20", IN_A_GREENLET),
    over_tls(of(asgi_table.ROWS, "gunicorn", "-k uvicorn_worker.UvicornWorker -w 2, FastAPI def"), BOTH, IN_THE_LOOP),
    over_tls(of(asgi_table.ROWS, "uvicorn", "Starlette"), OF_UVICORN, IN_THE_LOOP),
    over_tls(
        of(asgi_table.ROWS, "uvicorn", "Starlette, blocking, --backlog 7"), OF_UVICORN, IN_THE_LOOP, run=WHO_WAS_SHAKEN
    ),
    over_tls(of(asgi_table.ROWS, "uvicorn", "--limit-concurrency 11"), OF_UVICORN, IN_THE_LOOP),
    over_tls(of(frameworks_table.ROWS, "uvicorn", "FastAPI def"), OF_UVICORN, IN_THE_LOOP),
    over_tls(of(asgi_table.ROWS, "hypercorn", "Starlette, blocking"), BOTH, IN_THE_LOOP, run=WHO_WAS_SHAKEN),
    over_tls(of(asgi_table.ROWS, "hypercorn", "FastAPI def"), BOTH, IN_THE_LOOP),
    over_tls(of(thread_pool_table.ROWS, "hypercorn", "as it comes"), BOTH, IN_THE_LOOP),
    over_tls(of(granian_table.ROWS, "granian", "FastAPI def"), OF_GRANIAN, RUSTLS),
    over_tls(of(granian_table.ROWS, "granian", "Starlette"), OF_GRANIAN, RUSTLS),
)
