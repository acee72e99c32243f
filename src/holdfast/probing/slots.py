"""Which request ids, and so which slots of the record, each phase of a run uses. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.model.frozen import frozen

REUSE_REQUESTS = 8
"""Requests sent one after another at the end, to see which threads and processes serve again."""

MOST_REUSE_REQUESTS = 256
"""As many are sent where a thread or process that served lives on and may have its turn behind many that are idle."""

FREED_PLACE_REQUESTS = 2
"""Requests sent to see whether a place has become free: one for each way in which a client can disconnect."""

EQUAL_REQUESTS = 16
"""Equal requests, and some with a query string of their own, offered where equal ones may keep each other back."""

EXACT_PLACES = 128
"""Exact load is offered only where the server has at most this many places."""

EXACT_REPEATS = 5
"""How often exactly as many requests as there are places are offered."""

EXACT_PASSES = 2
"""The repeats are made while a router in front still holds earlier requests, and again if that showed nothing."""

FIRST_CLIMB = EXACT_PLACES + 192
"""The most requests that the ramp may have offered when it breaks off, to begin anew after exact load."""

FIRST_REQUESTS = 2
"""A second one is sent where the first took long to reach its view, to see whether later ones do too."""

MOST_LISTENERS = 16
"""The most listening sockets of a command that are tried with one request each."""


@frozen
class Slots:
    """Consecutive ranges of request ids, in the order of their numbers.

    Attributes:
        ramp: from 0; as many as may be offered.
        first_climb: of a ramp that was broken off; they were the ramp's first ones until then.
        first_request: one, and one more where it took long to its view.
        reuse: sent at the end, one after another.
        freed_place: sent after a client has disconnected.
        equal: equal ones, and some with a query string of their own.
        exact_load: of every repeat.
        exact_again: the same, where the ramp comes to another number of places than the one it was broken off at.
        listeners: one for each listening socket that is tried before the run; no part of the record.
        called: one alone, then the others together; no part of the record either.
        streams: of many on one connection, recorded apart; none unless HTTP/2 is spoken.
    """

    ramp: range
    first_climb: range
    first_request: range
    reuse: range
    freed_place: range
    equal: range
    exact_load: range
    exact_again: range
    listeners: range
    called: range
    streams: range

    @property
    def before_exact_load(self) -> int:
        """The ids below this one belong to the phases before exact load."""
        return self.exact_load.start

    @property
    def recorded(self) -> int:
        """The ids below this one are those whose handlers the timeline records."""
        return self.exact_again.stop

    @property
    def total(self) -> int:
        """How many slots the record of a run needs."""
        return self.streams.stop


def allot(max_offered: int, *, listeners: int = 0, called: int = 0, streams: int = 0) -> Slots:
    """Gives each phase its range.

    Args:
        max_offered: the most requests that the ramp may offer.
        listeners: the most listening sockets to try.
        called: the most views whose bodies are run, the one alone included.
        streams: the most requests on streams of a few connections.
    """
    exact_load = EXACT_PLACES * EXACT_REPEATS * EXACT_PASSES
    ramp, single = (max_offered, FIRST_CLIMB), (MOST_REUSE_REQUESTS, FREED_PLACE_REQUESTS, EQUAL_REQUESTS)
    ends = (exact_load, exact_load, listeners, called, streams)
    return Slots(*_consecutive((*ramp, FIRST_REQUESTS, *single, *ends)))


def _consecutive(lengths: Iterable[int]) -> list[range]:
    ranges = [range(0)]
    for length in lengths:
        ranges.append(range(ranges[-1].stop, ranges[-1].stop + length))
    return ranges[1:]
