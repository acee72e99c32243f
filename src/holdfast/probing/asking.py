"""Asks the server's processes where requests wait in the application, and which limits of libraries are in force.

It is asked once when the places have been counted, where something waits before its view, an event loop serves the
requests, or some wait that the server has accepted, and a few times while bodies run (`--call`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from holdfast.engine.prober import Prober
from holdfast.infer.signals import told_alike
from holdfast.model.call import Call
from holdfast.model.frozen import frozen
from holdfast.model.live import LivePhase
from holdfast.model.phase import Phase
from holdfast.model.timeline import NEVER, Entry
from holdfast.model.units import NS_PER_S
from holdfast.model.waiting import Background, BodiesAtRest, LibraryLimit, WaitingPoint
from holdfast.observe.answers import MOST_ASKED, Answer
from holdfast.observe.record_reader import SOON_NS
from holdfast.probing.session import Session
from holdfast.probing.waits import ANSWER_S, look_interval_ns, turn_until

T = TypeVar("T")

_STACK_S = 0.002
"""How long a process may take for each stack: 0.06 ms of a core (measured with FastAPI), but cores are shared."""

_EVERY_NS = 5_000_000
_BETWEEN_NS = 60_000_000
_LATE_NS = 2_000_000_000
"""A process in which the last body has ended does not answer any more."""
_MOST_LOOKS = 13
"""Each may take the interpreter from the bodies for a few milliseconds."""
_SOON = 8
"""So many looks come one soon after the other. Where none saw bodies at rest, the wait for each later one is twice as
long as for the one before: threads that are made ready (a model is loaded, a connection opened) may take seconds."""


@frozen
class Told:
    """What the processes have answered; None where there was nothing to ask, or none has answered.

    Attributes:
        background: what wakes up by itself, where some wait before their view.
        unread: some wait before their view, and for what could not be read.
        at_rest: what each look at bodies at rest told.
    """

    waiting: tuple[WaitingPoint, ...] | None = None
    libraries: tuple[LibraryLimit, ...] | None = None
    background: tuple[Background, ...] = ()
    unread: bool = False
    at_rest: tuple[BodiesAtRest, ...] | None = None


NOTHING_TOLD = Told()


def ask_where_requests_wait(session: Session, prober: Prober, held: Sequence[Entry]) -> Told:
    """Asks each process that holds a request, when the places have been counted.

    Args:
        held: the handlers that run.
    """
    recording = session.recording
    waits = sum(not recording.is_entered(each.id) for each in recording.handed(0, prober.offered))
    uses_loops = recording.questions.uses_loops()
    if not held or session.interrupts.asked or not (waits or uses_loops or _accepted_wait(session, prober)):
        return NOTHING_TOLD
    session.patience.begin(LivePhase.ASKING)
    # Apart, because stacks may take too long, and the limits must not be lost with them.
    limits = _told(_ask(session, prober, held, 0)) if uses_loops or not waits else NOTHING_TOLD
    if not waits:
        # Without a loop, no limit of a library applies; a pool of the server's own may still make its threads ready.
        return limits if uses_loops else Told(background=limits.background)
    answers = _ask(session, prober, held, waits)
    where, failed = _told(answers), any(each.failed for each in answers)
    # Of those that were turned away, each may have been handed over before.
    unread = waits > prober.ended and not where.waiting and (failed or recording.workers.gil() == "off")
    return Told(where.waiting or None, limits.libraries, where.background, unread=unread)


def _accepted_wait(session: Session, prober: Prober) -> bool:
    """Whether requests wait whose connections are no longer in the accept queue, as far as the kernel tells."""
    # Where the kernel does not tell the depth, all that wait may be: to ask costs the server little.
    depth = session.kernel.accept_queue(session.listen_address).depth or 0
    return prober.established - session.recording.in_service(0, prober.offered) > depth


def _told(answers: Collection[Answer]) -> Told:
    answers = [each for each in answers if not each.failed]
    if not answers:
        return NOTHING_TOLD
    points = tuple(point for each in answers for point in each.points)
    limits = tuple(limit for each in answers for limit in each.limits)
    return Told(points, limits, tuple(thing for each in answers for thing in each.background))


def both(ramp: Told, called: Told) -> Told:
    """What was told when the places were counted, and while bodies ran."""

    def together(one: tuple[T, ...] | None, other: tuple[T, ...] | None) -> tuple[T, ...] | None:
        return None if one is None and other is None else (*(one or ()), *(other or ()))

    waiting, libraries = together(ramp.waiting, called.waiting), together(ramp.libraries, called.libraries)
    return Told(waiting, libraries, at_rest=called.at_rest)


def _ask(session: Session, prober: Prober, held: Sequence[Entry], waiting: int) -> list[Answer]:
    """Asks the processes of these handlers.

    Args:
        waiting: how many requests wait before their view; with 0 only the limits of libraries are asked for.
    """
    questions, pids = session.recording.questions, list(dict.fromkeys(each.pid for each in held))
    look_ns = min(look_interval_ns(len(held)), ANSWER_S * NS_PER_S)
    # The first requests look more often, but a process may hold none of those.
    limit_s = ANSWER_S + waiting * _STACK_S + max(look_ns, SOON_NS) / NS_PER_S
    found: list[Answer] = []
    for first in range(0, len(pids), MOST_ASKED):
        some = pids[first : first + MOST_ASKED]
        questions.ask(some, Phase.RAMP, stacks=bool(waiting))
        asked = frozenset(some)

        def all_answered(asked: frozenset[int] = asked) -> bool:
            return asked <= questions.answers().keys() | session.ends.ended()

        turn_until(session, prober, all_answered, limit_s)
        found += questions.answers().values()
    return found


class Lookout:
    """Looks for bodies that wait in their views while they run together, and keeps what showed most of them waiting.

    What was answered while bodies moved counts only where nothing else was. It looks until two looks at bodies at rest
    have told the same number that ran while others waited; or none that waited, where no further body has begun since.
    """

    def __init__(self, session: Session, slots: range) -> None:
        self._session = session
        self._slots = slots
        self._looked_ns = self._asked_ns = NEVER
        self._asked: tuple[int, ...] = ()
        self._left = _MOST_LOOKS
        self._best, self._worth = NOTHING_TOLD, (False, -1)
        self._at_rest: list[BodiesAtRest] = []
        self._begun_when_none_waited: list[int] = []

    @property
    def best(self) -> Told:
        """What was told when most of them waited."""
        return replace(self._best, at_rest=tuple(self._at_rest))

    def look(self) -> None:
        """Takes an answer if it has come, and asks if it is time to."""
        now = self._session.now_ns()
        if now - self._looked_ns < _EVERY_NS or not (self._asked or (self._left and not self._knows())):
            return
        self._looked_ns = now
        if self._asked:
            self._take()
        elif now - self._asked_ns >= self._between_ns():
            self._ask(now)

    def _knows(self) -> bool:
        running = [each.running for each in self._at_rest if each.waiting]
        return told_alike(running or self._begun_when_none_waited) is not None

    def _between_ns(self) -> int:
        later = 0 if self._at_rest else max(0, _MOST_LOOKS - self._left - _SOON)
        return _BETWEEN_NS << later

    def _bodies(self) -> tuple[Call, ...]:
        return self._session.recording.calls(self._slots.start, self._slots.stop, Phase.CALLED_TOGETHER)

    def _ask(self, now: int) -> None:
        self._asked = _processes_of(self._bodies())[:MOST_ASKED]
        if self._asked:
            self._session.recording.questions.ask(self._asked, Phase.CALLED_TOGETHER)
            self._asked_ns = now
            self._left -= 1

    def _take(self) -> None:
        answers = self._session.recording.questions.answers()
        late = self._session.now_ns() - self._asked_ns >= _LATE_NS
        if len(answers) < len(self._asked) and not late:
            return
        self._asked = ()
        if not answers:
            return
        told, bodies = _told(answers.values()), self._bodies()
        # How many run is known only if each process has told it.
        at_rest = all(each.at_rest for each in answers.values()) and answers.keys() >= set(_processes_of(bodies))
        waiting = sum(each.requests for each in told.waiting or () if each.waits)
        if at_rest:
            running = sum(each.requests for each in told.waiting or () if not each.waits)
            self._at_rest.append(BodiesAtRest(running, waiting))
            self._begun_when_none_waited += [] if waiting else [len(bodies)]
        if (at_rest, waiting) > self._worth:
            self._best, self._worth = told, (at_rest, waiting)


def _processes_of(bodies: Sequence[Call]) -> tuple[int, ...]:
    """The processes in which some of these still run."""
    return tuple(dict.fromkeys(each.pid for each in bodies if each.ended_ns == NEVER))
