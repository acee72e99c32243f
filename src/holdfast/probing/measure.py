"""The phases of a probe on a ready server, and what they saw.

Every phase looks and acts; what it means is decided elsewhere: `ramp` says how fast to climb, `infer` what the records
mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from holdfast.engine.prober import Prober
from holdfast.errors import InconclusiveError, UsageError
from holdfast.infer.signals import reuse_seen
from holdfast.model.phase import Phase
from holdfast.model.places import REPLIED
from holdfast.model.timeline import (
    NEVER,
    Entry,
    ExactLoad,
)
from holdfast.observe.processes import read_process_tree
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
from holdfast.probing.first_climb import Climbed, at_the_plateau, cut_short, keep_the_first_climb
from holdfast.probing.first_request import send_first_request, usual_way_ns
from holdfast.probing.give_back import give_one_back
from holdfast.probing.guards import gone, no_longer_accepting
from holdfast.probing.later_listeners import look_for_later
from holdfast.probing.listens_anew import ended_meanwhile, listens_anew
from holdfast.probing.measured import Measured, usage_now
from holdfast.probing.outlived import outlived, ran_first
from holdfast.probing.ramp_view import takers_seen
from holdfast.probing.session import batch
from holdfast.probing.start import Running, connect_to, ready_again, with_front
from holdfast.probing.when_idle import ask_when_idle, may_turn_away_by_time

_REPLACED = ExactLoad(why_not="the server replaced a process that takes requests meanwhile")


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
        # Behind a front it is the server's processes that have imported what a request needs, or not.
        taking = len(takers_seen(seen.session, first.found.ways_ns))
        seen.session = replace(seen.session, takers=taking, way_ns=usual_way_ns(first.found.ways_ns, taking))
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
    seen.later += ask_when_idle(session) if may_turn_away_by_time(seen, len(held)) else ()
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
            found = usage_now(seen.session) if climb.may_be_cut else None
            early = None if found is None else at_the_plateau(seen, prober, climb, (*seen.usage, found))
            held = _climb_and_let_go(seen, prober, climb)
            cut = cut_short(seen, prober, early)
        else:
            # Now, because threads that exact load leaves behind cost no held request anything.
            seen.look_at_usage()
            early = at_the_plateau(seen, prober, climb, tuple(seen.usage))
            exact_first.release_all(seen.session, prober)
    if first and early is not None:
        held, cut = _measure_anew(seen, early)
    if not cut or early is None:
        return held
    keep_the_first_climb(seen, early)
    seen.notes.append(cut)
    return list(early.held)


def _measure_anew(seen: Measured, climbed: Climbed) -> tuple[list[Entry] | None, str]:
    """Exact load and another ramp, after one that was broken off; as `_measure_places` and `cut_short`."""
    _begin_anew(seen, climbed.held)
    _look_again(seen)
    with _ramp(seen) as prober:
        seen.mark("first_sent")
        climb = ramp_up.Climb(seen.session, prober, exact_load.always_filled(seen.session, seen.exact))
        held = _climb_and_let_go(seen, prober, climb)
        entered = seen.session.recording.entered(0, prober.offered)
        cut = cut_short(seen, prober, climbed)
    if seen.ramp is not None and seen.ramp.reason == "interrupted" and entered < len(climbed.held):
        # Exact load was of places that are not known to be all.
        keep_the_first_climb(seen, climbed)
        seen.exact = None
        return None, ""
    return held, cut


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
        seen.ramp = replace(seen.ramp, given_back=give_one_back(session, prober))
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
