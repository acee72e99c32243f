"""Connections whose replies are streams of events: each event has a row, and streams that do not end are ended.

Decisions
---------
* A reply that has brought an event counts as an answer when its time is over: it was asked for as long as that.
* In the closed model with a time, all streams are over when that is. One that has brought nothing by then is given up.
"""

from __future__ import annotations

import time

from holdfast.engine.connection import Connection, heard
from holdfast.engine.event_rows import EventStreams
from holdfast.engine.exchange import Event
from holdfast.engine.kept import KeptConnections
from holdfast.engine.tls import TlsConnections
from holdfast.model.places import Outcome


class EventConnections(KeptConnections):
    """As `KeptConnections`."""

    events: EventStreams
    until_ns: int | None = None
    """CLOCK_MONOTONIC at which all streams are ended; None ends none."""

    def turn(self, timeout_ns: int) -> int:
        """As of `KeptConnections`."""
        many = super().turn(timeout_ns)
        if self.until_ns is not None and time.monotonic_ns() >= self.until_ns:
            for row in self.pending():
                self._end_in_time(row, Event.GIVE_UP)
        return many

    def expire(self, row: int) -> None:
        """As of `KeptConnections`; a stream that has brought an event is answered."""
        self._end_in_time(row, Event.DEADLINE)

    def _end_in_time(self, row: int, otherwise: Event) -> None:
        if (connection := self._rows().get(row)) is None:
            return
        answered = self.events.has_events(row)
        if answered:
            accepted = self.replies[row % len(self.replies)].accepts(self._columns.status[row])
            self.events.end(row, time.monotonic_ns(), by_us=True)
            self._move(connection, Event.REPLY if accepted else Event.ERROR_REPLY)
        else:
            self._move(connection, otherwise)

    def _take(self, connection: Connection, data: bytes) -> None:
        event = heard(connection, data, self._columns, self.replies)
        reader = connection.reader
        if reader is not None and reader.pieces:
            self.events.take(connection.row, reader.kind, reader.pieces, time.monotonic_ns())
            reader.pieces.clear()
        self._move(connection, event)

    def _record(self, row: int, outcome: Outcome, now_ns: int) -> None:
        self.events.end(row, now_ns)
        super()._record(row, outcome, now_ns)


class EventTlsConnections(TlsConnections, EventConnections):
    """As `EventConnections`, over TLS."""
