"""Asks the server's processes where requests wait in the application, and which limits of libraries are in force.

It is asked once when the places have been counted, where something waits before its view or an event loop serves the
requests, and a few times while bodies run (`--call`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from holdfast.load.prober import Prober
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.timeline import NEVER, Entry
from holdfast.model.units import NS_PER_S
from holdfast.model.waiting import LibraryLimit, WaitingPoint
from holdfast.observe.answers import MOST_ASKED, Answer
from holdfast.observe.record_reader import SOON_NS
from holdfast.probe.session import Session
from holdfast.probe.waits import ANSWER_S, look_interval_ns, turn_until

T = TypeVar("T")

_STACKS_S = 2.0
"""How long a process may take to list its stacks; 5,000 tasks of FastAPI take 0.4 s on an idle core (measured)."""

_QUIET_NS = 15_000_000
_RESTLESS_NS = 60_000_000
_EVERY_NS = 5_000_000
_MOST_LOOKS = 8


@frozen
class Told:
    """What the processes have answered; None where there was nothing to ask, or none has answered."""

    waiting: tuple[WaitingPoint, ...] | None = None
    libraries: tuple[LibraryLimit, ...] | None = None


NOTHING_TOLD = Told()


def ask_where_requests_wait(session: Session, prober: Prober, held: Sequence[Entry]) -> Told:
    """Asks each process that holds a request, when the places have been counted.

    Args:
        held: the handlers that run.
    """
    recording = session.recording
    handed = {each.id for each in recording.handed(0, prober.offered)}
    waits = any(not recording.is_entered(id) for id in handed)
    if not held or session.interrupts.asked or not (waits or recording.questions.uses_loops()):
        return NOTHING_TOLD
    told = _told(_ask(session, prober, held, stacks=waits))
    return told if told.waiting or not waits else replace(told, waiting=None)


def _told(answers: Collection[Answer]) -> Told:
    if not answers:
        return NOTHING_TOLD
    points = tuple(point for each in answers for point in each.points)
    return Told(points, tuple(limit for each in answers for limit in each.limits))


def both(ramp: Told, called: Told) -> Told:
    """What was told when the places were counted, and while bodies ran."""

    def together(one: tuple[T, ...] | None, other: tuple[T, ...] | None) -> tuple[T, ...] | None:
        return None if one is None and other is None else (*(one or ()), *(other or ()))

    return Told(together(ramp.waiting, called.waiting), together(ramp.libraries, called.libraries))


def _ask(session: Session, prober: Prober, held: Sequence[Entry], *, stacks: bool) -> list[Answer]:
    questions, pids = session.recording.questions, list(dict.fromkeys(each.pid for each in held))
    look_ns = min(look_interval_ns(len(held)), ANSWER_S * NS_PER_S)
    # The first requests look more often, but a process may hold none of those.
    limit_s = _STACKS_S + (max(look_ns, SOON_NS)) / NS_PER_S
    found: list[Answer] = []
    for first in range(0, len(pids), MOST_ASKED):
        some = pids[first : first + MOST_ASKED]
        questions.ask(some, Phase.RAMP, stacks=stacks)
        many = len(some)

        def all_answered(many: int = many) -> bool:
            return len(questions.answers()) == many

        turn_until(session, prober, all_answered, limit_s)
        found += questions.answers().values()
    return found


class Lookout:
    """Looks for bodies that wait in their views while they run together, and keeps what showed most of them waiting.

    What was answered while bodies began or ended counts only where nothing else was: one that has just got its turn
    may still be where it waited.
    """

    def __init__(self, session: Session, slots: range) -> None:
        self._session = session
        self._slots = slots
        self._seen: object = None
        self._since_ns = self._looked_ns = self._asked_ns = session.now_ns()
        self._asked: tuple[int, ...] = ()
        self._looks = 0
        self._best, self._worth = NOTHING_TOLD, (False, -1)

    @property
    def best(self) -> Told:
        """What was told when most of them waited."""
        return self._best

    def look(self) -> None:
        """Takes an answer if it has come, and asks if it is time to."""
        now = self._session.now_ns()
        if now - self._looked_ns < _EVERY_NS or (self._looks == _MOST_LOOKS and not self._asked):
            return
        self._looked_ns = now
        calls = self._session.recording.calls(self._slots.start, self._slots.stop, Phase.CALLED_TOGETHER)
        running = [each for each in calls if each.ended_ns == NEVER]
        if (seen := (len(calls), len(running))) != self._seen:
            self._seen, self._since_ns = seen, now
        if self._asked:
            self._take()
        elif running and self._is_time(now):
            self._asked = tuple(dict.fromkeys(each.pid for each in running))[:MOST_ASKED]
            self._session.recording.questions.ask(self._asked, Phase.CALLED_TOGETHER)
            self._asked_ns = now
            self._looks += 1

    def _is_time(self, now: int) -> bool:
        quiet = now - self._since_ns >= _QUIET_NS
        # Until something has changed, it would show the same.
        return (quiet and self._since_ns >= self._asked_ns) or now - self._asked_ns >= _RESTLESS_NS

    def _take(self) -> None:
        answers = self._session.recording.questions.answers()
        if len(answers) < len(self._asked):
            return
        told = _told(answers.values())
        waiting = sum(each.requests for each in told.waiting or () if each.waits)
        worth = self._since_ns < self._asked_ns, waiting
        if worth > self._worth:
            self._best, self._worth = told, worth
        self._asked = ()
