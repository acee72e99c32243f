"""The places and fates of a request, and the outcomes that the client side can tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class Place(StrEnum):
    """Where a request is, or how it ended. Every offered request is in exactly one."""

    IN_SERVICE = "in_service"
    USERSPACE_QUEUE = "userspace_queue"
    ACCEPT_QUEUE = "accept_queue"
    SYN = "syn"
    ANSWERED = "answered"
    REJECTED = "rejected"
    REFUSED = "refused"
    RESET = "reset"
    CLOSED = "closed"
    FAILED = "failed"


QUEUES = (Place.USERSPACE_QUEUE, Place.ACCEPT_QUEUE, Place.SYN)


class Outcome(IntEnum):
    """How a request ended, as the client saw it; stored as one byte for each request.

    PENDING has not ended. GIVEN_UP was ended by us (an abandoned client, or the end of the
    run). CONNECT_TIMEOUT and UNANSWERED are given only where the load has such a deadline.
    MALFORMED is a reply that is not HTTP. FAILED is our own side: no descriptor, no port. NO_ROOM is a
    Unix socket whose accept queue was full: connect(2) gave EAGAIN. WRONG_BODY is a reply whose body is not
    what the load was told to expect. UNSENT could not be put together, or leads to where nothing may be sent.
    STREAM_RESET is a stream that the server ended by RST_STREAM, and STREAM_REFUSED one with REFUSED_STREAM, of which
    nothing was processed (RFC 9113, 8.7); a probe counts both as RESET.
    """

    PENDING = 0
    ANSWERED = 1
    REJECTED = 2
    REFUSED = 3
    RESET = 4
    CLOSED = 5
    CONNECT_TIMEOUT = 6
    UNANSWERED = 7
    FAILED = 8
    GIVEN_UP = 9
    MALFORMED = 10
    NO_ROOM = 11
    WRONG_BODY = 12
    UNSENT = 13
    STREAM_RESET = 14
    STREAM_REFUSED = 15

    @property
    def label(self) -> str:
        """The name in results and files: "connect-timeout"."""
        return self.name.lower().replace("_", "-")


REPLIED = frozenset({Outcome.ANSWERED, Outcome.REJECTED, Outcome.WRONG_BODY})
"""Outcomes of requests that got a whole HTTP reply."""

REPLIED_LABELS = frozenset(outcome.label for outcome in REPLIED)
"""Their names in results and files."""

TURNED_AWAY = frozenset(
    {Outcome.REJECTED, Outcome.REFUSED, Outcome.NO_ROOM, Outcome.RESET, Outcome.CLOSED, Outcome.MALFORMED}
)
"""Outcomes of requests that the server did not let in."""

PLACE_OF: Mapping[Outcome, Place] = {
    Outcome.ANSWERED: Place.ANSWERED,
    Outcome.REJECTED: Place.REJECTED,
    Outcome.REFUSED: Place.REFUSED,
    Outcome.NO_ROOM: Place.REFUSED,
    Outcome.RESET: Place.RESET,
    Outcome.CLOSED: Place.CLOSED,
    Outcome.MALFORMED: Place.REJECTED,
    Outcome.CONNECT_TIMEOUT: Place.SYN,
    Outcome.UNANSWERED: Place.CLOSED,
    Outcome.FAILED: Place.FAILED,
}
"""The place of a request that a probe saw end. A probe ends none itself and expects no particular body."""

TURNED_AWAY_PLACES = tuple(place for place in Place if place in {PLACE_OF[outcome] for outcome in TURNED_AWAY})
"""The places of requests that were turned away, in the order of `Place`."""
