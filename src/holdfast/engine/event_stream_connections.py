"""As `event_connections`, over HTTP/2: a stream of events is a stream of its connection."""

from __future__ import annotations

import time

from holdfast.engine.event_rows import EventStreams
from holdfast.engine.multiplex import Multiplex
from holdfast.engine.stream_connections import StreamConnections
from holdfast.engine.stream_reply import Heard
from holdfast.model.places import Outcome


class EventStreamConnections(StreamConnections):
    """As `StreamConnections`."""

    events: EventStreams
    until_ns: int | None = None

    def turn(self, timeout_ns: int) -> int:
        """As of `StreamConnections`."""
        many = super().turn(timeout_ns)
        if self.until_ns is not None and time.monotonic_ns() >= self.until_ns:
            for row in self.pending():
                self._end_in_time(row, Outcome.GIVEN_UP, Outcome.GIVEN_UP)
        return many

    def expire(self, row: int) -> None:
        """As of `EventConnections`."""
        self._end_in_time(row, Outcome.UNANSWERED, Outcome.CONNECT_TIMEOUT)

    def record(self, row: int, outcome: Outcome, now: int) -> None:
        """As of `StreamConnections`."""
        self.events.end(row, now)
        super().record(row, outcome, now)

    def _end_in_time(self, row: int, otherwise: Outcome, unconnected: Outcome) -> None:
        if self.events.has_events(row):
            accepted = self.replies[row % len(self.replies)].accepts(self._columns.status[row])
            self.events.end(row, time.monotonic_ns(), by_us=True)
            otherwise = Outcome.ANSWERED if accepted else Outcome.REJECTED
        self._cancel(row, otherwise, unconnected)

    def _note_heard(self, client: Multiplex, heard: Heard, now: int) -> bool:
        if heard.what == "part" and heard.reply.head is not None:
            self.events.take(heard.reply.row, heard.reply.head.kind, (heard.data,), now)
        return super()._note_heard(client, heard, now)
