"""The phases of a probe on a ready server, and what they saw.

Every phase looks and acts; what it means is decided elsewhere: `ramp` says how fast to climb, `infer` what the records
mean.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast.engine.prober import Prober
from holdfast.errors import InconclusiveError, UsageError
from holdfast.infer.signals import reuse_seen
from holdfast.model.call import Call
from holdfast.model.frozen import frozen
from holdfast.model.limits import LimitLook
from holdfast.model.phase import Phase
from holdfast.model.places import REPLIED
from holdfast.model.ramp import Ramp
from holdfast.model.samples import Usage
from holdfast.model.timeline import (
    NEVER,
    Entry,
    ExactLoad,
    FirstRequest,
    Handed,
    Leaving,
    Outlived,
    Request,
    ServerFacts,
    Snapshot,
    Stopped,
)
from holdfast.observe.limits import look_at_limits
from holdfast.observe.processes import read_process_tree, read_usage
from holdfast.probing import (
    asking,
    background,
    call_bodies,
    disconnect,
    equal_requests,
    exact_first,
    exact_load,
    growth,
    ramp_up,
    release,
)
from holdfast.probing.first_request import send_first_request, usual_way_ns
from holdfast.probing.guards import KilledError, gone, no_longer_accepting
from holdfast.probing.later_listeners import look_for_later
from holdfast.probing.listens_anew import ended_meanwhile, listens_anew
from holdfast.probing.outlived import outlived, ran_first
from holdfast.probing.ramp_view import takers, takers_seen
from holdfast.probing.session import Session, batch
from holdfast.probing.start import Running, connect_to, ready_again, with_front

if TYPE_CHECKING:
    from holdfast.probing.held_streams import HeldStreams

_REPLACED = ExactLoad(why_not="the server replaced a process that takes requests meanwhile")
_NO_VERDICT = frozenset({"ended by the server", "our side"})


@frozen
class _Climbed:
    """What was seen at the plateau at which a ramp was broken off."""

    placed: Snapshot
    first_sent_ns: int
    usage: tuple[Usage, ...]


@dataclass(slots=True)
class Measured:
    """What a run has seen so far. The timeline is made of it, however far the run came.

    Attributes:
        session: the one in force; a new one where a process was replaced after the first request.
        later: requests of all phases but the ramp.
        doubts: about the reply to the first request.
        may_be_equal: requests may have waited only for equal ones when the places were counted.
        unread: a look at what the server's processes use has failed.
    """

    session: Session
    server: ServerFacts
    started_ns: int
    marks: dict[str, int] = field(default_factory=dict)
    first_request: FirstRequest | None = None
    ramp: Ramp | None = None
    placed: Snapshot | None = None
    abandoned: tuple[int, ...] = ()
    left_in_service: tuple[Leaving, ...] = ()
    exact: ExactLoad | None = None
    requests: tuple[Request, ...] = ()
    later: tuple[Request, ...] = ()
    calls: tuple[Call, ...] = ()
    streams: HeldStreams | None = None
    entries: tuple[Entry, ...] = ()
    handed: tuple[Handed, ...] = ()
    told: asking.Told = asking.NOTHING_TOLD
    usage: list[Usage] = field(default_factory=list)
    usage_again: tuple[Usage, ...] = ()
    unread: bool = False
    limit_looks: list[LimitLook] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: tuple[str, ...] = ()
    replaced: tuple[int, ...] = ()
    came_later: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    outlived: Outlived | None = None
    log: str = ""
    stopped: Stopped | None = None
    may_be_equal: bool = False

    def mark(self, name: str) -> None:
        """Notes that a phase has ended now."""
        self.marks[f"{name}_ns"] = time.monotonic_ns()

    def look_at_usage(self) -> None:
        """Notes what the server's processes use now; of looks one of which failed none is kept."""
        found = usage_now(self.session)
        self.unread |= found is None
        self.usage = [] if found is None or self.unread else [*self.usage, found]

    def look_at_limits(self) -> None:
        """Notes how much of its limits the server uses now, if that can be read."""
        tree = read_process_tree(*self.session.server.roots())
        found = look_at_limits(tree, self.session.accepting, time.monotonic_ns())
        self.limit_looks += [] if found is None else [found]

    def stop(self, error: InconclusiveError) -> None:
        """Gives up; what was seen by then is kept, and gives a verdict if the places had been counted."""
        if isinstance(error, KilledError) and self.placed is not None:
            self.notes.append(f"{error.what} The places had been counted before that; what came after was left out.")
        else:
            self.stopped = Stopped(error.what, error.why, error.remedy)

    @property
    def gives_a_verdict(self) -> bool:
        """Whether there will be a verdict as things are now."""
        return self.stopped is None and self.ramp is not None and self.ramp.reason not in _NO_VERDICT


def measure(running: Running) -> Measured:
    """Goes through the phases as far as they come.

    Raises:
        UsageError, EnvironmentFailure: it cannot be measured as asked.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    seen = _measured_ceiling(running)
    session = seen.session
    # In this order: one that is killed closes its sockets first.
    lost, killed = no_longer_accepting(session), running.ends.killed()
    seen.replaced = tuple(pid for pid in lost if pid not in killed)
    if session.experiment.http2 and seen.gives_a_verdict and not killed and not session.interrupts.asked:
        from holdfast.probing.held_streams import hold_streams  # noqa: PLC0415 - the library for it is an extra

        seen.streams = hold_streams(session)
        seen.later += seen.streams.requests
    if session.experiment.call and seen.gives_a_verdict and not killed and not session.interrupts.asked:
        # After the look at what was replaced: the person's own code may end a process, or wear it out. Where there
        # will be no verdict, none of that code is run in vain.
        called = call_bodies.call_bodies(session)
        seen.later, seen.calls = seen.later + called.requests, called.calls
        seen.notes += called.notes
        seen.told = asking.both(seen.told, called.told)
    seen.mark("ended")
    seen.entries = session.recording.entries(0, session.slots.recorded)
    seen.handed = session.recording.handed(0, session.slots.recorded)
    if seen.gives_a_verdict and seen.first_request is not None:
        # When all is recorded, as these requests go elsewhere.
        later = look_for_later(running, session, seen.first_request)
        seen.notes += later.notes
        if later.unsure is not None:
            seen.stop(later.unsure)
    log = session.server.log
    log.cut()
    seen.log = log.last_words()
    if log.cut_bytes:
        seen.notes.append(
            f"The server wrote {log.size_bytes / 1e6:.0f} MB to its output while it ran. holdfast kept the beginning "
            "and the end of that."
        )
    return seen


def _measured_ceiling(running: Running) -> Measured:
    """What is seen up to exact load, of what answers once the server has started."""
    seen = None
    try:
        session, facts = connect_to(running)
        marks = {"ready_ns": running.ready_ns}
        seen = Measured(session, facts, running.started_ns, marks, notes=[*running.ready.notes, *session.beside])
        _measure_ceiling(seen)
    except (InconclusiveError, UsageError) as error:
        begun = seen is not None and seen.first_request is not None
        if not begun and (anew := listens_anew(running)) is not None:
            return _measured_ceiling(anew)
        if seen is None or isinstance(error, UsageError):
            raise
        seen.stop(error if begun else ended_meanwhile(running) or error)
    return seen


def _measure_ceiling(seen: Measured) -> None:
    """All phases up to exact load.

    Raises:
        InconclusiveError: one of them could not be finished.
    """
    seen.look_at_usage()
    seen.look_at_limits()
    first = send_first_request(seen.session)
    seen.first_request, seen.later, seen.doubts = first.found, first.requests, first.doubts
    seen.look_at_usage()
    ran = ran_first(seen.session)
    taking, accepting = len(takers_seen(seen.session, first.found.ways_ns)), seen.session.accepting
    way_ns = usual_way_ns(first.found.ways_ns, taking)
    seen.session = replace(seen.session, way_ns=way_ns, warm_way_ns=min(first.found.ways_ns, default=0))
    seen.session = replace(seen.session, takers=taking, tls=first.tls, slept_ns=first.slept_ns)
    if no_longer_accepting(seen.session):
        seen.session = ready_again(seen.session)
    seen.session = with_front(seen.session)
    if seen.session.accepting != accepting:
        seen.session = replace(seen.session, takers=len(takers(seen.session)))
    held = _measure_places(seen)
    if held is None or (session := seen.session).experiment.brief:
        return
    seen.outlived = outlived(ran)
    entries = session.recording.entries(0, session.slots.recorded)
    endless = seen.ramp is not None and seen.ramp.reason in {"growing", "let in later"}
    # Where a rate lets in one each few seconds, so it does these.
    reuse_known = reuse_seen(entries, seen.outlived) or (endless and session.way_ns > release.LONGEST_WAY_NS)
    if not session.interrupts.asked and (not reuse_known or _turns_away_untried(seen, held)):
        seen.later += release.send_reuse_requests(session, seen.outlived)
    bounded = len(seen.requests) > len(held) > 0 and not endless
    if not bounded:
        seen.exact = None
    elif session.experiment.over_s is None and not session.interrupts.asked and not _tried(seen, len(held)):
        _offer_exact_load(seen, held, session.slots.exact_again if seen.exact else session.slots.exact_load)
    if seen.ramp is not None and seen.may_be_equal and not session.interrupts.asked:
        found, sent = equal_requests.compare(session, len(held))
        seen.later, seen.ramp = seen.later + sent, replace(seen.ramp, equals=found)


def _turns_away_untried(seen: Measured, held: Sequence[Entry]) -> bool:
    """Whether exact load will not show if the server turns requests away although nothing is in service."""
    turned_away = seen.ramp is not None and seen.ramp.reason == "turned away"
    return turned_away and bool(exact_load.why_not_offered(seen.session, held))


def _tried(seen: Measured, places: int) -> bool:
    """Whether exact load was offered before, for as many places as there turned out to be, or cannot be."""
    repeats = () if seen.exact is None else seen.exact.repeats
    if seen.exact is _REPLACED:
        return True
    return bool(repeats) and all(each.last - each.first == places for each in repeats)


def _offer_exact_load(seen: Measured, held: Sequence[Entry], slots: range) -> None:
    session = seen.session
    replied = {each.local_port for each in (*seen.requests, *seen.later) if each.outcome in REPLIED}
    seen.exact, sent = exact_load.offer_exact_load(session, slots, held, replied, (seen.usage, seen.limit_looks))
    seen.later += sent
    if no_longer_accepting(session):
        seen.exact = _REPLACED


def _begin_anew(seen: Measured, held: Sequence[Entry]) -> None:
    """Offers exact load after a ramp that was broken off, and prepares another one."""
    session = seen.session
    session.recording.begin_anew(session.slots.ramp, session.slots.first_climb)
    climbed = zip(session.slots.first_climb, seen.requests, strict=False)
    seen.later += tuple(replace(each, id=id, phase=Phase.FIRST_CLIMB) for id, each in climbed)
    seen.requests = ()
    if no_longer_accepting(session):
        # They may be replaced after a number of requests, which those of exact load would use up too.
        seen.exact = _REPLACED
    else:
        _offer_exact_load(seen, held, session.slots.exact_load)
    exact_first.check_empty(session)
    if no_longer_accepting(session):
        seen.session = ready_again(session)
    seen.session.sampler.rows.clear()


def _measure_places(seen: Measured) -> list[Entry] | None:
    """The ramp, the disconnects and the release.

    Returns:
        The handlers that ran at once when every place was full; None if the server ended requests that were held,
        so that there are no places to continue with.
    """
    with _ramp(seen) as prober:
        seen.mark("first_sent")
        climb = ramp_up.Climb(seen.session, prober)
        first = exact_first.places_at_first_plateau(seen.session, prober, climb)
        if not first:
            return _climb_and_let_go(seen, prober, climb)
        # Now, because threads that exact load leaves behind cost no held request anything.
        seen.look_at_usage()
        climbed = _Climbed(ramp_up.look_at_places(seen.session, prober), seen.marks["first_sent_ns"], tuple(seen.usage))
        exact_first.release_all(seen.session, prober)
    _begin_anew(seen, first)
    _look_again(seen)
    with _ramp(seen) as prober:
        seen.mark("first_sent")
        held = _climb_and_let_go(
            seen, prober, ramp_up.Climb(seen.session, prober, exact_load.always_filled(seen.session, seen.exact))
        )
        entered = seen.session.recording.entered(0, prober.offered)
    if seen.ramp is not None and seen.ramp.reason == "interrupted" and entered < len(first):
        _keep_the_first_climb(seen, climbed)
        return None
    return held


def _keep_the_first_climb(seen: Measured, climbed: _Climbed) -> None:
    """Lets the climb before exact load be the run's ramp, where the one after it was interrupted before it got as far.

    Exact load was of places that are not known to be all.
    """
    seen.later = tuple(
        replace(each, phase=Phase.RAMP) if each.phase is Phase.FIRST_CLIMB else each for each in seen.later
    )
    seen.requests = tuple(replace(each, phase=Phase.FIRST_CLIMB) for each in seen.requests)
    seen.placed, seen.usage, seen.exact, seen.gone = climbed.placed, list(climbed.usage), None, ()
    seen.marks |= {"first_sent_ns": climbed.first_sent_ns, "placed_ns": climbed.placed.ended_ns}


def _climb_and_let_go(seen: Measured, prober: Prober, climb: ramp_up.Climb) -> list[Entry] | None:
    session, usage = seen.session, tuple(seen.usage)
    seen.ramp, seen.placed = ramp_up.find_ceiling(session, prober, climb)
    held = _look_at_held(seen, prober)
    watched = background.watch_for_places(session, prober, climb, seen.ramp, seen.told)
    if watched is not None:
        seen.ramp, again, told = watched
        seen.notes += [told] if told else []
        if again is not None:
            seen.placed, seen.usage = again, list(usage)
            held = _look_at_held(seen, prober)
    if seen.ramp.reason not in ramp_up.NO_CEILING and not session.experiment.brief:
        newcomers = growth.since_counted(session, seen.placed)
        seen.left_in_service, sent = disconnect.disconnect_in_service(session, prober)
        seen.later += sent
        seen.abandoned = disconnect.disconnect_queued(session, prober)
        newcomers.look(read_process_tree(*session.server.roots()), {each.pid for each in held})
        seen.came_later = tuple(newcomers.pids)
        seen.mark("abandoned")
    seen.mark("released")
    if release.release_held(session, prober, seen.abandoned):
        seen.mark("quiet")
    return None if seen.ramp.reason == "ended by the server" else held


def _look_at_held(seen: Measured, prober: Prober) -> list[Entry]:
    """What the server uses and where requests wait, now that the places have been counted; the handlers that run."""
    session = seen.session
    seen.mark("placed")
    held = [each for each in session.recording.entries(0, prober.offered) if each.left_ns == NEVER]
    seen.gone = gone(session, held)
    if seen.usage_again:
        _look_again(seen)
    if not _tried(seen, len(held)):
        seen.look_at_usage()
    seen.look_at_limits()
    # After the looks at what the requests cost, because an answer takes memory.
    seen.told = asking.ask_where_requests_wait(session, prober, held)
    seen.may_be_equal = equal_requests.may_wait_for_equal_ones(session, prober)
    return held


def _look_again(seen: Measured) -> None:
    """Looks at what several processes use: each has run its first request by now, and what that leaves behind stays."""
    if seen.session.takers > 1 and (found := usage_now(seen.session)) is not None:
        seen.usage_again = (*seen.usage_again, found)


def usage_now(session: Session) -> Usage | None:
    """What the server's processes use now; None where that may not be read."""
    return read_usage(read_process_tree(*session.server.roots()), time.monotonic_ns())


@contextmanager
def _ramp(seen: Measured) -> Iterator[Prober]:
    """The ramp's prober; its rows and notes are kept however the block ends."""
    with batch(seen.session, seen.session.slots.ramp, Phase.RAMP) as ramp:
        try:
            yield ramp.prober
        finally:
            seen.requests = ramp.requests()
            # In the ramp itself there may have been no reply to doubt.
            said = [*(() if ramp.prober.doubts else seen.doubts), *ramp.prober.notes]
            seen.notes += [each for each in said if each not in seen.notes]
