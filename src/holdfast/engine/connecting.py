"""Connections of a load: plain ones, over TLS, or over HTTP/2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from holdfast.engine.columns import Columns
from holdfast.engine.endpoint import SMALL, Tls
from holdfast.engine.epoll import Connections
from holdfast.engine.kept import KeptConnections
from holdfast.errors import EnvironmentFailure
from holdfast.model.units import NS_PER_S

if TYPE_CHECKING:
    from holdfast.engine.event_rows import EventRows
    from holdfast.engine.plan import Plan  # the models of a load take a twentieth of a probe's start
    from holdfast.engine.sender import Sender


def connections_to(  # parameters: where to, what to send, where to record it, and in which protocol
    address: str,
    port: int,
    head_of: Callable[[int], bytes],
    columns: Columns,
    sources: Sequence[str] = (),
    tls: Tls | None = None,
    *,
    http2: bool = False,
) -> Connections:
    """Connections over TLS, or plain ones if `tls` is None; in HTTP/2 each carries one request on one stream."""
    if http2:
        # The library for it is an extra.
        from holdfast.engine.http2_connections import Http2Connections, Http2TlsConnections  # noqa: PLC0415

        if tls is None:
            return Http2Connections(address, port, head_of, columns, sources)
        return Http2TlsConnections(address, port, head_of, columns, sources, tls=tls)
    if tls is None:
        return KeptConnections(address, port, head_of, columns, sources)
    # OpenSSL takes 5 MB (measured), a quarter of what ten thousand connections without it take.
    from holdfast.engine.tls import TlsConnections  # noqa: PLC0415

    return TlsConnections(address, port, head_of, columns, sources, tls=tls)


def prepare(plan: Plan) -> None:
    """Loads what only some plans need, before the time runs that is measured."""
    if plan.events:
        import_module("holdfast.engine.event_connections")
    if plan.streams is not None:
        import_module(f"holdfast.engine.{'event_' if plan.events else ''}stream_connections")


def event_rows_of(plan: Plan, first_id: int) -> EventRows | None:
    """Memory for the events that one load process of the plan sees; None where it looks for none."""
    if not plan.events:
        return None
    from holdfast.engine.event_rows import EventRows  # noqa: PLC0415 - of events alone

    return EventRows(first_id)


def sender_of(
    plan: Plan, at_once: int, columns: Columns, sources: Sequence[str], events: EventRows | None, start_ns: int
) -> Sender:
    """What carries the requests of one load process.

    Args:
        at_once: most requests in flight.
        columns, sources: as of `connections_to`.
        events: where those of replies are written down; None looks for none.
        start_ns: CLOCK_MONOTONIC of the load's start.
    """
    if events is not None:
        return _with_events(plan, at_once, columns, sources, events, start_ns)
    if plan.streams is None:
        plain = connections_to(plan.address, plan.port, plan.head_of, columns, sources, plan.tls)
        if isinstance(plain, KeptConnections) and isinstance(plan.request, bytes) and len(plan.request) <= SMALL:
            plain.expect_small()
        return plain
    # The library for it is an extra.
    from holdfast.engine.stream_connections import StreamConnections  # noqa: PLC0415
    from holdfast.engine.stream_room import Streams  # noqa: PLC0415

    # In the open model a request takes whatever connection has room.
    connections = -(-at_once // plan.streams) if plan.shape.waits_for_replies else None
    return StreamConnections(plan, columns, sources, Streams(plan.streams, connections))


def _with_events(
    plan: Plan, at_once: int, columns: Columns, sources: Sequence[str], events: EventRows, start_ns: int
) -> Sender:
    from holdfast.engine.event_connections import EventConnections, EventTlsConnections  # noqa: PLC0415 - of events alone
    from holdfast.engine.event_rows import EventStreams  # noqa: PLC0415

    sender: EventConnections | EventStreamConnections
    if plan.streams is not None:
        from holdfast.engine.event_stream_connections import EventStreamConnections  # noqa: PLC0415
        from holdfast.engine.stream_room import Streams  # noqa: PLC0415

        connections = -(-at_once // plan.streams) if plan.shape.waits_for_replies else None
        sender = EventStreamConnections(plan, columns, sources, Streams(plan.streams, connections))
    elif plan.tls is None:
        sender = EventConnections(plan.address, plan.port, plan.head_of, columns, sources)
    else:
        sender = EventTlsConnections(plan.address, plan.port, plan.head_of, columns, sources, tls=plan.tls)
    sender.events = EventStreams(events, columns)
    if plan.shape.waits_for_replies and plan.shape.planned_s is not None:
        sender.until_ns = start_ns + round(plan.shape.planned_s * NS_PER_S)
    return sender


def check_http2(*, asked: bool) -> None:
    """Checks that HTTP/2 can be spoken, if that is asked for.

    Raises:
        EnvironmentFailure: the library for it is not installed.
    """
    if asked and find_spec("h2") is None:
        raise EnvironmentFailure(
            "HTTP/2 cannot be spoken: the package h2 is not installed.",
            "--http2 needs it, and holdfast does without it otherwise.",
            "pip install 'holdfast-probe[http2]'",
        )
