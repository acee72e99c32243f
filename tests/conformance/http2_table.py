"""Rows of the table over HTTP/2: how many streams of one connection run at once, and what one beyond their limit gets.

With one stream on each connection a server is as it is over HTTP/1.1, so these rows claim what theirs do, and more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asgi_table import ASGI_WORKER, HYPERCORN, STARLETTE, UVICORN
from expectation import Between, Case, Quote, Says, Source
from granian_table import GRANIAN
from gunicorn_table import (
    ACCEPTS_AHEAD,
    CONNECTIONS,
    DEFAULT,
    GREEN_FULL,
    GREEN_POOL,
    GREEN_UNWATCHED,
    POOL,
    POOL_THREADS,
    POOL_UNWATCHED,
    THREADED,
    backlog,
)
from h2corn_table import H2CORN
from loop_sources import ON_THE_LOOP, on_loops, unbounded
from pyvoy_table import LISTENERS, LOOP, PYVOY, QUEUES
from sources import client_gone, fills_the_accept_queue, in_service, listens, takes_all
from wsgi_sources import POOL_GROWS, SYNC, greenlets, threads

from holdfast.servers.adapter import Package

PRIOR_KNOWLEDGE = ("--http-protocols", "h1,h2", "--http2-cleartext", "prior-knowledge")
OFFERED = 100
FEW = 20
"""A limit that is reached soon."""


def streams(source: Source, on_one: int, over: int, *, bounded: bool = True) -> Says:
    """So many at once on the streams of one connection, and over several; False: as many as are offered."""
    fields = {
        "http2.on_one_connection": on_one,
        "http2.on_one_connection_bounded": True,
        "http2.over_connections": over,
        "http2.over_connections_bounded": bounded,
    }
    return Says(source, fields)


def limited(number: int, source: Source, sees: str, beyond: Source, **further: Any) -> tuple[Says, ...]:
    """The limit that the server advertises, and what a stream beyond it gets.

    Args:
        further: fields of `http2.beyond_the_limit`.
    """
    turned_away = sees not in {"waits", "runs"}
    fields = {
        "http2.stream_limit": number if turned_away else None,
        "http2.overflow_sees": sees,
        "http2.beyond_the_limit.sees": sees,
        **{f"http2.beyond_the_limit.{name}": value for name, value in further.items()},
    }
    return (Says(source, {"http2.streams_advertised": number}), Says(beyond, fields))


def over_http2(case: Case, *claims: Says, arguments: tuple[str, ...] = ()) -> Case:
    """The same over HTTP/2."""
    return replace(
        case,
        id=f"{case.id}, HTTP/2",
        claims=(*case.claims, *claims),
        arguments=(*case.arguments, *arguments),
        options={**case.options, "http2": True},
    )


GOAWAY = (
    Quote(
        "h2.connection",
        "max_open_streams = self.local_settings.max_concurrent_streams",
        "a stream beyond the limit raises TooManyStreamsError, a ProtocolError",
    ),
    Quote("h2.connection", "self._terminate_connection(e.error_code)", "which writes GOAWAY"),
)
REFUSED = {"error_code": "REFUSED_STREAM", "others_lost": 0, "in_the_end": None}

OF_HYPERCORN = over_http2(
    unbounded("Starlette", HYPERCORN, STARLETTE, framework="starlette", offered=150),
    streams(
        Quote("hypercorn.protocol.h2", "await self._create_stream(event)", "each stream is a task of its own"),
        100,
        150,
        bounded=False,
    ),
    *limited(
        100,
        Quote("hypercorn.config", "h2_max_concurrent_streams = 100", "what it advertises"),
        "GOAWAY",
        (
            *GOAWAY,
            Quote(
                "hypercorn.protocol.h2",
                "except h2.exceptions.ProtocolError:\n                await self._flush()\n"
                "                await self.send(Closed())",
                "it is sent, and the connection closed, with every stream on it",
            ),
        ),
        offered=1,
        error_code="PROTOCOL_ERROR",
        others_lost=100,
        in_the_end=None,
    ),
)

GTHREAD_STREAMS = Quote(
    "gunicorn.workers.gthread",
    "for req in requests:\n                    self._serve_http2_stream(req, conn, h2_conn)",
    "the thread that has the connection serves its streams one after another",
)
GREEN_STREAMS = Quote(
    "gunicorn.workers.base_async",
    "for req in requests:\n                    self._serve_http2_stream(listener_name, req, client, addr, h2_conn)",
    "the greenlet that has the connection serves its streams one after another",
)
GUNICORN_LIMIT = Quote("gunicorn.config", 'name = "http2_max_concurrent_streams"', "its `default` is 100")
UNREAD = "the thread or greenlet that would read the connection is in the view, so what is sent lies in the socket"
RUNS_NONE_OF_THEM = (
    Quote(
        "gunicorn.http2.connection",
        'raise HTTP2ConnectionError(f"Socket write error: {e}")',
        "receive_data() acknowledges the client's settings before it gives its requests out",
    ),
    "tcp(7): a client that has left answers the server's own settings with RST, and the next write fails",
)


def of_gunicorn(name: str, running: int, each: Source, *claims: Says, **options: Any) -> Case:
    claims = (
        *SYNC,
        *claims,
        Says("docs/method.md, One experiment, 5: clients of queued requests leave", {"abandoned.left": Between(1)}),
        Says(RUNS_NONE_OF_THEM, {"abandoned.run_anyway": 0}),
        streams(each, 1, running),
        *limited(100, GUNICORN_LIMIT, "waits", (UNREAD,)),
    )
    case = Case(name, "gunicorn", claims, arguments=tuple(name.split()), options={"max_offered": 150, **options})
    return over_http2(case, arguments=PRIOR_KNOWLEDGE)


def gthread(size: int) -> Case:
    return of_gunicorn(
        f"--threads {size}",
        size,
        GTHREAD_STREAMS,
        in_service(size, (THREADED, POOL, POOL_GROWS)),
        POOL_UNWATCHED,
        threads((POOL, POOL_THREADS), size),
        *takes_all(150, size, (CONNECTIONS, ACCEPTS_AHEAD), listens(2048, DEFAULT)),
    )


def gevent(connections: int) -> Case:
    return of_gunicorn(
        f"-k gevent --worker-connections {connections} --backlog 20",
        connections,
        GREEN_STREAMS,
        in_service(connections, (GREEN_POOL, GREEN_FULL)),
        greenlets((GREEN_POOL, "gevent: greenlets run on the thread of their hub"), connections),
        GREEN_UNWATCHED,
        *fills_the_accept_queue(backlog(20)),
    )


OF_THE_ASGI_WORKER = over_http2(
    unbounded("-k asgi, Starlette", ASGI_WORKER, STARLETTE, "-k", "asgi", framework="starlette"),
    streams(
        Quote(
            "gunicorn.asgi.protocol",
            "task = self.worker.loop.create_task(\n            self._serve_http2_request(",
            "each stream is a task of the loop",
        ),
        FEW,
        OFFERED,
        bounded=False,
    ),
    Says(
        (
            Quote(
                "gunicorn.http2.async_connection",
                "self.h2_conn.update_settings({",
                "the limit is sent in a first SETTINGS frame, and is in force when the client has acknowledged it",
            ),
            Quote(
                "h2.connection",
                "for setting, value in self.local_settings.items():",
                "initiate_connection() then sends a second one, with what is in force by then, which is h2's own 100",
            ),
            "RFC 9113, 6.5: a value replaces the one before",
        ),
        {"http2.streams_advertised": 100},
    ),
    Says(
        (
            *GOAWAY,
            Quote(
                "gunicorn.http2.async_connection",
                "await self.close(error_code=HTTP2ErrorCode.REFUSED_STREAM)",
                "the connection is given up, with every stream on it",
            ),
        ),
        {"http2.stream_limit": FEW, "http2.overflow_sees": "GOAWAY", "http2.beyond_the_limit": None},
    ),
    arguments=(*PRIOR_KNOWLEDGE, "--http2-max-concurrent-streams", str(FEW)),
)

OF_UVICORN = replace(
    over_http2(
        unbounded("Starlette", UVICORN, STARLETTE, *("--http", "zttp", "--http2"), framework="starlette", offered=150),
        streams(
            Quote(
                "uvicorn.protocols.http.zttp_h2_impl", "task.add_done_callback(", "each stream is a task of the loop"
            ),
            128,
            150,
            bounded=False,
        ),
        *limited(
            128,
            "zttp src/core/h2/connection.zig, Limits: max_concurrent_streams is 128, and uvicorn sets none",
            "REFUSED_STREAM",
            "zttp src/core/h2/connection.zig: a stream beyond it is answered with RST_STREAM, REFUSED_STREAM",
            **REFUSED,
        ),
    ),
    needs=(Package("zttp", "zttp", "zttp"),),
)

OF_GRANIAN = over_http2(
    unbounded("Starlette", GRANIAN, STARLETTE, *("--http2-max-concurrent-streams", str(FEW)), framework="starlette"),
    streams(
        "granian src/asgi/callbacks.rs, call_http(): each stream is scheduled on the worker's event loop",
        FEW,
        OFFERED,
        bounded=False,
    ),
    *limited(
        FEW,
        "granian src/workers.rs: hyper's http2 builder gets max_concurrent_streams",
        "REFUSED_STREAM",
        "h2 0.4 (Rust) src/proto/streams/recv.rs, Recv::open(): a stream beyond it is reset with REFUSED_STREAM",
        **REFUSED,
    ),
)

CANCELS = replace(
    H2CORN,
    gone=client_gone(
        "cancelled",
        "h2corn/src/h2/state.rs, RequestTasks: what the streams of a connection run is aborted when that ends, which "
        "is seen, since it is read all the time",
    ),
)
OF_H2CORN = over_http2(
    unbounded("Starlette", CANCELS, STARLETTE, *("--max-concurrent-streams", str(FEW)), framework="starlette"),
    streams(
        "h2corn/src/app_call.rs: each request is a task of the one loop of its process", FEW, OFFERED, bounded=False
    ),
    *limited(
        FEW,
        Quote("h2corn._config", "Maximum active HTTP/2 streams per connection.", "it is advertised"),
        "REFUSED_STREAM",
        "h2corn/src/h2.rs, handle_headers_frame(): a stream beyond it is answered with RST_STREAM, REFUSED_STREAM",
        **REFUSED,
    ),
)

# As many streams as Envoy advertises, and some more on other connections.
MANY = 1100
OF_PYVOY = over_http2(
    unbounded(
        "Starlette",
        PYVOY,
        STARLETTE,
        ran=(ON_THE_LOOP, on_loops((LOOP, LISTENERS), listen_queues=QUEUES), PYVOY.gone),
        framework="starlette",
        offered=MANY,
    ),
    streams(f"{LOOP}, so each stream is one", 1024, MANY, bounded=False),
    Says(
        "Envoy docs, Http2ProtocolOptions.max_concurrent_streams: 1024 where nothing is set, and pyvoy sets nothing",
        {"http2.streams_advertised": 1024},
    ),
)

ROWS = (OF_HYPERCORN, gthread(4), gevent(10), OF_THE_ASGI_WORKER, OF_UVICORN, OF_GRANIAN, OF_H2CORN, OF_PYVOY)
