"""The phase in which a probe holds many streams on one HTTP/2 connection, and then on several.

Everything else of a probe over HTTP/2 has one stream on each connection, so that a request is a connection, as with
HTTP/1. This phase is about what a connection bounds.

Decisions
---------
* It comes when all else has been measured and the server is empty again.
* The first connection: one stream after another, each when the last has entered its handler, as in the ramp. When none
  enters any more, the connection is filled up to its advertised limit at once: what waits there waits anyway.
* Further connections show whether a connection is what bounded the first one, or the server. Four tell: where each
  brings one more handler, the ramp has the number of them; where the second brings none, the bound is not in the
  connection.
* Last, streams beyond the advertised limit are opened on the first connection, which a client never does. They may cost
  all others on it (GOAWAY), so every count has been taken by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from holdfast.engine.streams import StreamProber
from holdfast.errors import InconclusiveError
from holdfast.model.live import LivePhase
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.streams import StreamConnection, StreamEnd, Streams
from holdfast.model.timeline import NEVER, Entry, Request
from holdfast.probing import live_look
from holdfast.probing.ramp import TOGETHER
from holdfast.probing.ramp_pace import LONG_WAY_NS, PLATEAU_GAPS, PLATEAU_MAX_NS, PLATEAU_MIN_NS
from holdfast.probing.release import clear_server
from holdfast.probing.session import Session, batch
from holdfast.probing.waits import (
    ANSWER_S,
    look_interval_ns,
    rests,
    threads_that_hold,
    turn_until,
    with_the_way_ns,
)

CONNECTIONS = 4
BEYOND = 3
WAITING = 3
"""Further streams on the first connection where the limit is unknown or out of reach, to see that they wait too."""


class HeldStreams(NamedTuple):
    """What came of it, as the timeline keeps it."""

    streams: Streams
    requests: tuple[Request, ...]
    entries: tuple[Entry, ...]


@dataclass(slots=True)
class _Held:
    """The phase so far.

    Attributes:
        ids: of each connection's requests, counted from 0.
        latest: those that were opened last.
        longest_ns: the longest that a stream took to its handler.
    """

    session: Session
    prober: StreamProber
    ids: list[list[int]] = field(default_factory=list)
    beyond: list[int] = field(default_factory=list)
    latest: range = range(0)
    longest_ns: int = 0
    one_ns: int = NEVER
    several_ns: int = NEVER
    beyond_ns: int = NEVER
    released_ns: int = NEVER

    @property
    def entered(self) -> int:
        first = self.session.slots.streams.start
        return self.session.recording.entered(first, first + self.prober.offered)

    @property
    def left(self) -> int:
        """How many more may be offered; some are kept for what is beyond the limit, where that can be reached."""
        left, limit = self.prober.columns.capacity - self.prober.offered, self.prober.advertised(0)
        within_reach = limit is not None and limit <= self.prober.columns.capacity - BEYOND
        return left - BEYOND if within_reach else left

    def open(self, count: int, number: int) -> None:
        first = self.prober.offered
        self.prober.open(count, number=number)
        self.latest = range(first, self.prober.offered)
        self.ids[number] += self.latest
        self.prober.turn(0)

    def decided(self) -> bool:
        """Whether each of the streams that were opened last has entered its handler or ended."""
        slots, recording, outcome = self.session.slots.streams, self.session.recording, self.prober.columns.outcome
        return all(outcome[row] != Outcome.PENDING or recording.is_entered(slots[row]) for row in self.latest)

    def settle(self) -> bool:
        """Waits until the latest streams have entered or ended, or no more do although the server could.

        Returns:
            Whether they have.

        Raises:
            InconclusiveError: the server was kept from running.
        """
        began = self.session.now_ns()
        while not self.decided():
            holding = threads_that_hold(self.entries())
            at_rest = rests(self.session, self.prober, holding, self._moved, self._plateau_ns())
            if self.session.interrupts.asked:
                return False
            if at_rest is None:
                raise InconclusiveError("The server hardly got a core while streams were held.", "", "")
            if at_rest:
                return self.decided()
        self.longest_ns = max(self.longest_ns, self.session.now_ns() - began)
        return True

    def _moved(self) -> tuple[int, int]:
        return self.entered, self.prober.ended

    def entries(self) -> tuple[Entry, ...]:
        first = self.session.slots.streams.start
        return self.session.recording.entries(first, first + self.prober.offered)

    def _plateau_ns(self) -> int:
        if self.session.growth.look_ns:
            return max(self.session.growth.look_ns, with_the_way_ns(self.session, 0))
        if not self.entered:
            return with_the_way_ns(self.session, PLATEAU_MAX_NS)
        usual_ns = min(max(PLATEAU_GAPS * self.longest_ns, PLATEAU_MIN_NS), PLATEAU_MAX_NS)
        return with_the_way_ns(self.session, usual_ns)


def hold_streams(session: Session) -> HeldStreams:
    """Holds streams on one connection, on several, and beyond the advertised limit; then lets them go."""
    live_look.begin(session, LivePhase.STREAMS)
    slots, recording, why_not = session.slots.streams, session.recording, ""
    for slot in slots:
        recording.hold(slot)
    with StreamProber(
        session.address, session.port, lambda row: session.head_of(slots[row]), len(slots), session.tls
    ) as prober:
        held = _Held(session, prober)
        try:
            with batch(session, slots[:0], Phase.STREAM) as rest:
                why_not = "" if clear_server(session, rest.prober) else "not all earlier requests had left the server"
            if not why_not:
                _fill_one(held)
                _fill_several(held)
                _go_beyond(held)
            held.released_ns = session.now_ns()
            _let_go(held)
        except InconclusiveError as error:
            # All else has been measured; what kills the server are its streams.
            why_not = f"{error.what[:1].lower()}{error.what[1:]}".removesuffix(".")
        finally:
            for slot in slots:
                recording.release(slot)
        if prober.failure or prober.finding:
            why_not = why_not or prober.failure or prober.finding or ""
        if session.interrupts.asked and held.released_ns == NEVER:
            why_not = "the run was interrupted"
        return _kept(held, why_not)


def _fill_one(held: _Held) -> None:
    """The first connection, up to its advertised limit."""
    prober, session = held.prober, held.session
    if not _climb(held, 0):
        limit = prober.advertised(0)
        room = limit - len(held.ids[0]) if limit is not None else WAITING
        more = room if room <= held.left else min(WAITING, held.left)
        if more > 0 and prober.is_open(0) and not _turned_away(held, 0):
            held.open(more, 0)
            held.settle()
    if not session.interrupts.asked:
        held.one_ns = session.now_ns()


def _fill_several(held: _Held) -> None:
    """Further connections, until one brings no further handler."""
    while len(held.ids) < CONNECTIONS and held.left > 0 and not held.session.interrupts.asked:
        before = held.entered
        _climb(held, len(held.ids))
        if held.entered == before:
            break
    if not held.session.interrupts.asked:
        held.several_ns = held.session.now_ns()


def _climb(held: _Held, number: int) -> bool:
    """Opens streams on a new connection as long as they enter.

    Returns:
        Whether its limit or ours ended that, so that none waits.
    """
    prober, session = held.prober, held.session
    if prober.connect() is None:
        raise InconclusiveError(prober.failure or "", "", "")
    held.ids.append([])
    alone = True
    while not session.interrupts.asked and prober.is_open(number) and not _turned_away(held, number):
        limit = prober.advertised(number)
        room = held.left if limit is None else min(held.left, limit - len(held.ids[number]))
        if room <= 0:
            return True
        held.open(1 if alone else min(room, _together(held)), number)
        session.recording.set_look_interval(look_interval_ns(held.entered))
        if not held.settle():
            return False
        # Until the first has been dealt with, the server's settings may not have come.
        alone = not prober.settled(number)
    return False


def _together(held: _Held) -> int:
    """How many streams may be on their way at once, as in the ramp."""
    if held.session.way_ns >= LONG_WAY_NS:
        return max(1, held.entered // 2)
    return max(1, held.entered // TOGETHER)


def _turned_away(held: _Held, number: int) -> bool:
    return any(held.prober.columns.outcome[row] != Outcome.PENDING for row in held.ids[number])


def _go_beyond(held: _Held) -> None:
    """Streams on the first connection that its advertised limit forbids."""
    prober = held.prober
    limit = prober.advertised(0)
    if limit is None or len(held.ids[0]) < limit or _turned_away(held, 0):
        return
    for _ in range(BEYOND):
        if held.session.interrupts.asked or not prober.is_open(0) or prober.offered >= prober.columns.capacity:
            break
        before = prober.offered
        held.open(1, 0)
        held.beyond += range(before, prober.offered)
        held.settle()
    if held.beyond:
        held.beyond_ns = held.session.now_ns()


def _let_go(held: _Held) -> None:
    """Releases all streams, and waits as long as some of them end."""
    session, prober = held.session, held.prober
    session.recording.set_look_interval(look_interval_ns(1))
    for slot in session.slots.streams:
        session.recording.release(slot)
    turn_until(session, prober, lambda: prober.ended == prober.offered, ANSWER_S, lambda: prober.ended)


def _kept(held: _Held, why_not: str) -> HeldStreams:
    slots, prober = held.session.slots.streams, held.prober
    connections = tuple(
        StreamConnection(
            ids=tuple(slots[row] for row in rows),
            advertised=prober.advertised(number),
            settled=prober.settled(number),
            goaway=goaway.code if (goaway := prober.goaway(number)) is not None else "",
        )
        for number, rows in enumerate(held.ids)
    )
    streams = Streams(
        connections=connections,
        beyond=tuple(slots[row] for row in held.beyond),
        one_ns=held.one_ns,
        several_ns=held.several_ns,
        beyond_ns=held.beyond_ns,
        released_ns=held.released_ns,
        ends=tuple(StreamEnd(slots[row], *end) for row, end in sorted(prober.codes.items())),
        why_not=why_not,
    )
    requests = tuple(replace(each, id=slots[each.id]) for each in prober.requests(lambda _row: Phase.STREAM))
    return HeldStreams(streams, requests, held.entries())
