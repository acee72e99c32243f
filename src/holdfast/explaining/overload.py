"""Runs a server under more requests than it has places for, with handlers that take their time and end.

A probe holds requests, so it shows how many find a place. It does not show what becomes of clients when more come than
can be served: how long they wait, whether the server works for those that have left, and how it recovers. Here clients
come evenly, whatever became of those before (the open model), at several rates; each has its own connection, and leaves
when its time is over.

A handler takes its time in one of two ways: the body of the person's view is run, or the view is held for a time that
was asked for, as a body of that length would hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import median

from holdfast.engine.http1 import host_field, request_head
from holdfast.errors import InconclusiveError, UsageError
from holdfast.explaining.overload_level import LevelSlots, Task, attempts_of, prober_for, run_level
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.frozen import frozen
from holdfast.model.overload import FACTORS, Attempt, Level, OverloadRecord
from holdfast.model.places import Outcome
from holdfast.model.timeline import ServerFacts
from holdfast.model.units import NS_PER_S
from holdfast.probing.experiment import started
from holdfast.probing.first_request import usual_way_ns
from holdfast.probing.later_listeners import Later, look_for_later
from holdfast.probing.listens_anew import answered_first
from holdfast.probing.patience import Patience
from holdfast.probing.session import Session
from holdfast.probing.start import with_front
from holdfast.probing.waits import turn_until

MOST_PER_S = 2_000
"""A server and its load together take a core for that on a small machine; beyond it, the load would be the limit."""

_ALONE = 3
_LONG_BODY_S = 1.0
_CHECKS = 12
_SINGLES = 256
# For bodies whose time is not known before they run: 7 MB of shared memory.
_MOST_ROWS = 20_000
# Each level is longer than so many services, so that a queue can build up.
_SERVICES = 4
_BUILTIN_PER_S = 200
_SHORTEST_BUILTIN_S = 0.05
_LONGEST_BUILTIN_S = 1.0
_LATE, _LIMIT = 2, 3
# Below that, what a client waits for is the machine.
_LEAST_LATE_S, _LEAST_LIMIT_S = 0.05, 0.1


@frozen
class OverloadOptions:
    """What is asked beyond the service time.

    Attributes:
        health_path: of the health check; "" is the experiment's path, without the body of its view.
        health_limit_s: how long it may take. Kubernetes waits for one second (Probe v1, timeoutSeconds).
        limit_s: how long a client waits before it leaves; None is three times the service time, and at least 0.1 s
            more than that.
        instead: of a ceiling, if there is none: so many requests at once.
        level_s: of each level; it is longer where a service takes long.
        factors: of the levels.
    """

    health_path: str = ""
    health_limit_s: float = 1.0
    limit_s: float | None = None
    instead: int = 32
    level_s: float = 1.5
    factors: tuple[float, ...] = FACTORS


def run_overload(
    experiment: Experiment,
    ceiling: int | None,
    service_s: float | None,
    interrupts: Interrupts,
    tell: Callable[[str], None] | None = None,
    options: OverloadOptions | None = None,
) -> OverloadRecord:
    """Starts the experiment's server and puts it under load at several rates, one after the other.

    After Ctrl-C the record has what was measured by then.

    Args:
        ceiling: requests in service at once, as a probe of the same server found it; None where it found no bound.
        service_s: how long each handler takes; None runs the bodies of a person's own views, and chooses a time for
            the built-in application.
        tell: is given a line as each level begins.

    Raises:
        UsageError: the ceiling or a time is not above 0.
        UsageError, EnvironmentFailure, InconclusiveError: there is no record; their texts say why.
    """
    wish = options or OverloadOptions()
    relative_to = wish.instead if ceiling is None else ceiling
    _check(relative_to, service_s, wish)
    if service_s is None and isinstance(experiment.target, ProbeTarget) and experiment.target.app is None:
        service_s = builtin_service_s(relative_to)
    rows = _MOST_ROWS if service_s is None else _rows(relative_to / service_s, _level_s(wish, service_s), wish)
    asked = replace(experiment, max_offered=rows, call=False)
    with started(asked, interrupts, patience=Patience(tell)) as running:
        session, facts, first = answered_first(running)
        way_ns = usual_way_ns(first.found.ways_ns, len(session.accepting))
        session = with_front(replace(session, way_ns=way_ns, tls=first.tls, slept_ns=first.slept_ns))
        if service_s is not None:
            session.recording.set_service_time(round(service_s * NS_PER_S))
        alone = _alone(session, bodies=service_s is None)
        record = _empty_record(session, facts, alone, ceiling, service_s, wish)
        record = replace(record, notes=first.doubts)
        levels = _levels(session, record, wish, tell or (lambda _line: None))
        later = Later() if interrupts.asked else look_for_later(running, session, first.found)
        if later.unsure is not None:
            raise later.unsure
        record = replace(record, notes=(*record.notes, *later.notes))
    return replace(record, levels=levels, interrupted=interrupts.asked)


def builtin_service_s(places: int) -> float:
    """The service time of the built-in application if none is asked for: as short as a small machine can drive.

    Args:
        places: requests at once.
    """
    return min(_LONGEST_BUILTIN_S, max(_SHORTEST_BUILTIN_S, places / _BUILTIN_PER_S))


def _check(relative_to: int, service_s: float | None, wish: OverloadOptions) -> None:
    for name, value in (
        ("The ceiling", relative_to),
        ("The service time", service_s),
        ("The time that clients wait", wish.limit_s),
        ("The time of a level", wish.level_s),
    ):
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{name} is {value:g}.", "The rates follow from it.", "Give a number above 0.")


def _alone(session: Session, *, bodies: bool) -> tuple[Attempt, ...]:
    """A few requests one after another, without any load; one if it takes long.

    Raises:
        InconclusiveError: one was not answered, so what load does to an answer cannot be seen.
    """
    slots, within_s = session.slots.ramp[:_ALONE], session.experiment.call_timeout_s
    if bodies:
        session.recording.call(slots, session.now_ns())
    with prober_for(session, slots) as prober:
        while prober.offered < _ALONE:
            prober.open(1)
            turn_until(session, prober, lambda: prober.ended == prober.offered or session.interrupts.asked, within_s)
            seen = attempts_of(session, prober, slots)
            last = seen[-1]
            if last.outcome is not Outcome.ANSWERED:
                raise _not_answered(session, last, within_s)
            if last.done_ns - last.due_ns > _LONG_BODY_S * NS_PER_S:
                break
        # A handler may have more to do once its answer is on its way.
        turn_until(session, prober, lambda: not session.recording.in_service(0, prober.offered), within_s)
        return attempts_of(session, prober, slots)


def _not_answered(session: Session, last: Attempt, within_s: float) -> InconclusiveError:
    path = session.experiment.path
    if session.interrupts.asked:
        return InconclusiveError("Stopped before anything was seen under load.", "", "Nothing is left running.")
    if last.outcome is Outcome.PENDING:
        return InconclusiveError(
            f"A single request for {path} was not answered within {within_s:g} s.",
            "Without any load it should take its usual time, with which the times under load are compared.",
            "Give it more time (--call-timeout), or set a time for the handlers (--service-time).",
        )
    how = f"with {last.status}" if last.status else f"by nothing but its end ({last.outcome.label})"
    return InconclusiveError(
        f"A single request for {path} was answered {how}.",
        "Failures under load could not be told from that.",
        "Choose another --path, send the headers that it needs, or set a time for the handlers (--service-time).",
    )


def _empty_record(
    session: Session,
    facts: ServerFacts,
    alone: tuple[Attempt, ...],
    ceiling: int | None,
    service_s: float | None,
    wish: OverloadOptions,
) -> OverloadRecord:
    took_s = median(each.left_ns - each.entered_ns for each in alone) / NS_PER_S
    usual_s = median(each.done_ns - each.due_ns for each in alone) / NS_PER_S
    service = took_s if service_s is None else service_s
    return OverloadRecord(
        path=session.experiment.path,
        server=facts,
        ceiling=ceiling,
        relative_to=wish.instead if ceiling is None else ceiling,
        service_s=service_s,
        took_s=took_s,
        usual_s=usual_s,
        limit_s=wish.limit_s or max(_LIMIT * service, service + _LEAST_LIMIT_S),
        late_s=max(_LATE * service, service + _LEAST_LATE_S),
        health_path=wish.health_path,
        health_limit_s=wish.health_limit_s,
        alone=alone,
        levels=(),
    )


def _levels(
    session: Session, record: OverloadRecord, wish: OverloadOptions, tell: Callable[[str], None]
) -> tuple[Level, ...]:
    service_s = max(record.service_s or record.took_s, 1 / NS_PER_S)
    per_s, level_s = record.relative_to / service_s, _level_s(wish, service_s)
    task = _task(session, record)
    done, at = list[Level](), _ALONE
    for factor in wish.factors:
        planned = max(1, round(factor * per_s * level_s))
        level = Level(factor, factor * per_s, planned)
        slots = _slots(session.slots.ramp, at, planned)
        why_not = _why_not(level, slots, done, interrupted=session.interrupts.asked)
        if why_not:
            done.append(replace(level, not_run=why_not))
            continue
        tell(f"Overload: {level.rate_per_s:,.4g} requests a second, {factor:g} times {_whose(record)}.")
        done.append(run_level(task, slots, level))
        at = slots.singles.stop
    return tuple(done)


def _whose(record: OverloadRecord) -> str:
    known = record.ceiling is not None
    return "the ceiling's throughput" if known else f"what {record.relative_to} requests at once would do"


def _why_not(level: Level, slots: LevelSlots, before: list[Level], *, interrupted: bool) -> str:
    if interrupted:
        return "the run was stopped before"
    if level.rate_per_s > MOST_PER_S or len(slots.singles) < _SINGLES:
        return (
            f"it needs {level.rate_per_s:,.0f} requests a second, more than the load from this one process can offer "
            f"reliably ({MOST_PER_S:,}); a longer service time needs fewer"
        )
    last = next((each for each in reversed(before) if not each.not_run), None)
    if last is not None and last.cut_short:
        return f"the level before was not finished: {last.cut_short}"
    return "the server had not worked off the level before" if last is not None and not last.at_rest_ns else ""


def _task(session: Session, record: OverloadRecord) -> Task:
    head = None
    if record.health_path:
        headers = (*session.experiment.headers, ("Connection", "close"))
        head = request_head("GET", record.health_path, host_field(session.address, session.port), headers)
    return Task(
        session=session,
        bodies=record.service_s is None,
        limit_ns=round(record.limit_s * NS_PER_S),
        took_ns=round((record.service_s or record.took_s) * NS_PER_S),
        usual_ns=round(record.usual_s * NS_PER_S),
        health_head=head,
        health_limit_ns=round(record.health_limit_s * NS_PER_S),
    )


def _level_s(wish: OverloadOptions, service_s: float) -> float:
    return max(wish.level_s, _SERVICES * service_s)


def _rows(per_s: float, level_s: float, wish: OverloadOptions) -> int:
    """Slots that all levels need which can be run."""
    rates = (min(factor * per_s, MOST_PER_S) for factor in wish.factors)
    return _ALONE + sum(round(rate * level_s) + 1 + _CHECKS + _SINGLES for rate in rates)


def _slots(whole: range, at: int, planned: int) -> LevelSlots:
    load, checks = whole[at : at + planned], whole[at + planned : at + planned + _CHECKS]
    return LevelSlots(load, checks, whole[at + planned + _CHECKS : at + planned + _CHECKS + _SINGLES])
