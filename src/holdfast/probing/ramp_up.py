"""The phase in which a probe finds the ceiling: it offers more and more requests, then counts the places.

How fast the ramp climbs is decided in `ramp`, what the records mean in `infer`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from holdfast.engine.prober import Prober
from holdfast.model.live import LivePhase
from holdfast.model.places import Outcome
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import NEVER, Snapshot
from holdfast.model.units import NS_PER_S
from holdfast.observe.snapshot import take_snapshot
from holdfast.probing import live_look
from holdfast.probing.dealing import deal
from holdfast.probing.growth import Newcomers
from holdfast.probing.guards import KilledError, check_accepting, check_held_requests, check_processes
from holdfast.probing.ramp import QUICK_NS, decide
from holdfast.probing.ramp_pace import on_their_way, waited_ns
from holdfast.probing.ramp_state import Deal, Done, Open, State, View
from holdfast.probing.ramp_view import (
    Hindrance,
    Lookout,
    LostRequests,
    Room,
    Starts,
    find_acceptors,
    look_at,
    take_sample,
)
from holdfast.probing.session import Session
from holdfast.probing.waits import (
    ANSWER_S,
    REST_NS,
    STILL_S,
    TURN_NS,
    free_time_of,
    look_interval_ns,
    progress,
    sleep_of,
    soon_look_interval_ns,
    turn_until_idle,
    turn_until_still,
    with_the_way_ns,
)

NO_CEILING = frozenset({"interrupted", "ended by the server", "growing", "let in later"})
"""Reasons for a ramp's end that say nothing about what would have come next."""

_ADJUST_EVERY = 64
_MANY = 8
"""Of so many requests on their way, none is waited for by itself."""


class Climb:
    """A ramp under way: what it remembers from one look to the next."""

    def __init__(self, session: Session, prober: Prober, known: int = 0) -> None:
        """Nothing has been offered yet.

        Args:
            known: that many are known to start when they come at once; 0 if that is not known.
        """
        several = session.several or session.front is not None
        acceptors = [each for each in find_acceptors(session) if each.waits_on] if several else []
        waiting = [each.pid for each in acceptors] if several else session.accepting
        self._acceptors = {each.pid: each.waits_on for each in acceptors}
        starts, newcomers = Starts(waiting), Newcomers(session, waiting, session.pids)
        free = free_time_of(session, lambda tree: newcomers.look(tree, starts.pids))
        self._session = session
        self._prober = prober
        seen = LostRequests(), Room(session), Hindrance(session)
        self._lookout = Lookout(starts, free, sleep_of(session), *seen, newcomers)
        self._state = State(known=known)
        self._fills = False
        self._held = 0
        self._gone = session.ends.ended()
        session.sampler.resume(session.now_ns())
        if session.front is not None:
            session.front.note_kept()

    def go_on(self, breaks_off: Callable[[View, State], bool] = lambda _view, _next: False) -> Ramp | None:
        """Offers requests until one is met that no queue takes, or as many as may be offered.

        Args:
            breaks_off: whether to stop before the next step, given what was seen and the state that it leads to.

        Returns:
            None where it was broken off; it can continue.

        Raises:
            InconclusiveError: the server had no core to run on for very long, or lost a process that takes requests.
        """
        session, prober = self._session, self._prober
        session.patience.begin(LivePhase.RAMP)
        while not session.interrupts.asked:
            view = self._look()
            session.patience.wait(self._so_far)
            action, state = decide(view, self._state)
            if breaks_off(view, state):
                self._fills = state.stage == "fill"
                return None
            self._state = state
            if _times_none(view):
                live_look.offer_view(session, prober)
            if isinstance(action, Done):
                return Ramp(action.reason, action.plateau_ns, action.crowd, action.step_ns)
            if isinstance(action, Deal):
                deal(session, prober, self._sharing(), action.most)
            elif isinstance(action, Open):
                prober.open(action.count)
                prober.turn(0)
            else:
                prober.turn(action.timeout_ns)
        return Ramp("interrupted", NEVER)

    def rests(self, for_ns: int) -> bool | None:
        """Watches without offering more, for this time or until no request waits: whether no further handler starts.

        Time in which the server was kept from running does not count. None where the person asked for the end.

        Raises:
            InconclusiveError: as `go_on`.
        """
        first = view = self._look()
        while on_their_way(view) and waited_ns(view, first.now_ns, first.free_ns or 0) < for_ns:
            if self._session.interrupts.asked:
                return None
            self._prober.turn(TURN_NS)
            view = self._look()
            if view.entered > first.entered or view.cut:
                return False
        return True

    def _sharing(self) -> Collection[int]:
        """The processes that accept from one socket; none where there are several sockets.

        What comes to a listening socket of its own, no other process takes.
        """
        now = {each.pid: each.waits_on for each in find_acceptors(self._session) if each.waits_on}
        accepting = {**self._acceptors, **now}
        return accepting if len(set(accepting.values())) == 1 else ()

    @property
    def workers_came(self) -> bool:
        """Whether the server has started workers since the climb began."""
        return bool(self._lookout.newcomers.pids)

    @property
    def may_be_cut(self) -> bool:
        """Whether it was broken off on a plateau behind a front, which may end requests before all queues are full."""
        return self._fills and self._session.front is not None

    @property
    def stalled_since_ns(self) -> int:
        """Since when requests have waited and nothing has moved; NEVER if none waits."""
        return self._state.stalled_since_ns

    def watch(self, session: Session) -> None:
        """From now on a plateau lasts as long as the pool of this session may need to grow."""
        self._session = session
        session.sampler.resume(session.now_ns())

    def _so_far(self) -> str:
        return f"{self._prober.offered} requests offered, {self._held} in service."

    def _look(self) -> View:
        session, prober = self._session, self._prober
        check_processes(session)
        view = look_at(session, prober, self._lookout)
        if not view.cut and session.ends.ended() != self._gone:
            self._gone = session.ends.ended()
            check_processes(session)
            check_held_requests(session, prober)
            check_accepting(session, prober)
        if view.in_service != self._held:
            self._held = view.in_service
            session.recording.set_look_interval(look_interval_ns(self._held))
        return view


def _times_none(view: View) -> bool:
    """Whether no single request is on its way to a handler that may start at any moment."""
    ended = sum(number for outcome, number in view.ended.items() if outcome is not Outcome.PENDING)
    on_their_way = view.offered - view.in_service - ended
    return not 0 < on_their_way < _MANY or view.now_ns - view.last_sent_ns >= QUICK_NS


def find_ceiling(session: Session, prober: Prober, climb: Climb) -> tuple[Ramp, Snapshot]:
    """Offers requests until no further handler starts while the places are counted.

    Raises:
        InconclusiveError: as `Climb.go_on` and `count_places` say.
    """
    with told_by_held_requests(session, prober):
        if session.experiment.over_s is not None:
            return offer_evenly(session, prober, session.experiment.over_s), count_places(session, prober)
        return _climb_until_counted(session, prober, climb)


@contextmanager
def told_by_held_requests(session: Session, prober: Prober) -> Iterator[None]:
    """Where a process is killed, the requests that it held say more about it."""
    try:
        yield
    except KilledError:
        check_held_requests(session, prober)
        raise


def _climb_until_counted(session: Session, prober: Prober, climb: Climb) -> tuple[Ramp, Snapshot]:
    def entered_and_queued() -> tuple[int, int]:
        queued = session.kernel.accept_queue(session.listen_address).depth or 0
        return session.recording.entered(0, prober.offered), queued

    while True:
        ramp = climb.go_on()
        assert ramp is not None
        before = entered_and_queued()
        placed = count_places(session, prober, came=climb.workers_came)
        after = entered_and_queued()
        # A handler that started meanwhile, or a connection that was accepted, shows that it was not yet a plateau.
        if ramp.reason in NO_CEILING or (after[0] == before[0] and after[1] >= before[1]):
            return ramp, placed


def offer_evenly(session: Session, prober: Prober, over_s: float) -> Ramp:
    """Offers requests evenly over a time, whatever the server does, and waits until nothing moves.

    It looks at next to nothing in between: the climb's looks at the kernel, the records and the processes would not
    keep the pace of a thousand a second with ten thousand held.

    Args:
        over_s: the time from the first request to the last.
    """
    # One more view would make requests late.
    live_look.begin(session, LivePhase.RAMP)
    began, most = session.now_ns(), session.experiment.max_offered
    gap_ns = over_s * NS_PER_S / most
    while not session.interrupts.asked and prober.offered < most:
        check_processes(session)
        now, due = session.now_ns(), int(began + prober.offered * gap_ns)
        if due > now:
            prober.turn(min(due - now, TURN_NS))
            continue
        prober.open(1, due_ns=due)
        prober.turn(0)
        take_sample(session, prober, now)
        if prober.offered % _ADJUST_EVERY == 0:
            session.recording.set_look_interval(look_interval_ns(session.recording.in_service(0, prober.offered)))
    if session.interrupts.asked:
        return Ramp("interrupted", NEVER)
    rest_ns = with_the_way_ns(session, REST_NS)
    turn_until_still(session, prober, ANSWER_S + rest_ns / NS_PER_S, rest_ns)
    return Ramp("max-offered", session.now_ns())


def count_places(session: Session, prober: Prober, *, came: bool = False) -> Snapshot:
    """Takes the kernel's view at a moment at which nothing moves, if such a moment comes.

    Args:
        came: whether the server has started workers meanwhile.

    Raises:
        InconclusiveError: the server is stopped, has lost a process that held a request, or has one that no longer
            takes requests.
    """
    live_look.begin(session, LivePhase.COUNTING, prober)
    # Next they are asked where requests wait, and then released.
    session.recording.set_look_interval(soon_look_interval_ns(session.recording.in_service(0, prober.offered)))
    if session.kernel.accept_queue(session.listen_address).full:
        turn_until_still(session, prober, STILL_S)
    else:
        # Connections in a queue with room may be about to be accepted; with a full one the server does not accept.
        turn_until_idle(session, prober)
    deadline = session.now_ns() + int(STILL_S * NS_PER_S)
    while True:
        placed = look_at_places(session, prober)
        if placed.still or session.now_ns() > deadline:
            break
    placed = _with_the_front(session, prober, placed, came=came)
    check_held_requests(session, prober)
    if not LostRequests().count(session, prober):
        check_accepting(session, prober)
    return placed


def _with_the_front(session: Session, prober: Prober, placed: Snapshot, *, came: bool = False) -> Snapshot:
    """The same with what the front has handed on, and which processes accept, where there are several."""
    if session.front is not None:
        in_service = session.recording.in_service(0, prober.offered)
        handlers = {each.pid for each in session.recording.entries(0, prober.offered)}
        session.front.find(in_service, handlers)
        front = session.front.seen(in_service, prober.offered - prober.ended)
        return replace(placed, acceptors=find_acceptors(session), front=front)
    return replace(placed, acceptors=find_acceptors(session)) if session.several or came else placed


def look_with_the_front(session: Session, prober: Prober) -> Snapshot:
    """The kernel's view now, whether anything moves or not, with what a front has handed on and who accepts."""
    return _with_the_front(session, prober, look_at_places(session, prober))


def look_at_places(session: Session, prober: Prober) -> Snapshot:
    """The kernel's view now, whether anything moves or not."""
    return take_snapshot(
        session.kernel,
        session.listen_address,
        counts=lambda: progress(session, prober),
        catch_up=lambda: prober.turn(0),
        now_ns=session.now_ns,
    )
