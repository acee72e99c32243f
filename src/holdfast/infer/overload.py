"""What a server's record under overload comes to: a few figures for each level, or why there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from holdfast.infer.overload_words import sentences_of
from holdfast.infer.signals import most_at_once
from holdfast.model.frozen import frozen
from holdfast.model.overload import (
    Attempt,
    Clients,
    Health,
    InVain,
    Level,
    Overload,
    OverloadLevel,
    OverloadRecord,
    Recovery,
    Wait,
)
from holdfast.model.places import TURNED_AWAY, Outcome
from holdfast.model.ranks import MEDIAN, P99, nearest_rank, percentile
from holdfast.model.timeline import NEVER
from holdfast.model.units import MS, NS_PER_S

_LEFT = frozenset({Outcome.UNANSWERED, Outcome.CONNECT_TIMEOUT})
_ENDED_BY_US = frozenset({Outcome.PENDING, Outcome.GIVEN_UP, Outcome.FAILED, Outcome.UNSENT})
_OTHER_ANSWERS = frozenset({Outcome.REJECTED, Outcome.MALFORMED, Outcome.WRONG_BODY})
_NO_ANSWER = frozenset({Outcome.REFUSED, Outcome.NO_ROOM, Outcome.RESET, Outcome.CLOSED})

# A client comes late if it is later than that, or than half of a service: it shows in its wait.
_LAG_NS = 20 * MS
_LAG_OF_SERVICE = 2
_MOST_LATE = 0.1
_MOST_UNUSED = 0.15
_MOST_STARVED = 0.25
_STARVED_OF_BODIES = 0.5
_COMPUTES = 0.8
_STRETCHED = 1.5
_STRETCHED_NS = 10 * MS
_USUAL = 1.5
_USUAL_NS = 10 * MS


def is_usual(took_ns: int, usual_ns: int) -> bool:
    """Whether an answer took about as long as without load: at most half as much again, and 10 ms."""
    return took_ns <= usual_ns * _USUAL + _USUAL_NS


def judge_overload(record: OverloadRecord) -> Overload:
    """The figures of every level, and what they mean in words.

    A level has no figures where the machine was its limit: where clients came later than planned, or the server did not
    get the cores that it could have used.
    """
    levels = tuple(_judged(record, level) for level in record.levels)
    service_s = record.took_s if record.service_s is None else record.service_s
    return Overload(
        ceiling=record.ceiling,
        relative_to=record.relative_to,
        service_s=record.service_s,
        took_s=record.took_s,
        usual_s=record.usual_s,
        throughput_per_s=record.relative_to / service_s if service_s else 0.0,
        limit_s=record.limit_s,
        late_s=record.late_s,
        health_path=record.health_path,
        health_limit_s=record.health_limit_s,
        levels=levels,
        sentences=tuple(sentences_of(record, levels)),
        notes=record.notes,
        interrupted=record.interrupted,
    )


def _judged(record: OverloadRecord, level: Level) -> OverloadLevel:
    why_not = _why_not(record, level)
    if why_not:
        return OverloadLevel(level.factor, level.rate_per_s, why_not=why_not)
    depths = [each.depth for each in level.samples if each.depth is not None]
    turned_away = (each.done_ns - each.due_ns for each in level.attempts if each.outcome in TURNED_AWAY)
    return OverloadLevel(
        factor=level.factor,
        rate_per_s=level.rate_per_s,
        clients=_clients(record, level),
        wait=_wait(level.attempts),
        in_vain=_in_vain(level),
        recovery=_recovery(record, level),
        health=_health(level),
        most_in_service=most_at_once((each.entered_ns, each.left_ns) for each in level.attempts if each.entered_ns),
        most_waiting=_waiting(record, level).most,
        turned_away_s=_seconds(percentile(turned_away, MEDIAN)),
        deepest_queue=max(depths, default=None),
        deepest_inner_queue=level.deepest_inner_queue,
        doubts=tuple(_doubts(record, level)),
    )


def _why_not(record: OverloadRecord, level: Level) -> str:
    if level.not_run or not level.attempts:
        return level.not_run or level.cut_short or "no client came"
    failed = sum(each.outcome is Outcome.FAILED for each in level.attempts)
    if failed:
        return f"holdfast itself had no socket or port left for {failed} of {len(level.attempts)} clients"
    lag_ns = max(_LAG_NS, round(record.took_s * NS_PER_S / _LAG_OF_SERVICE))
    late = sum(each.opened_ns - each.due_ns > lag_ns for each in level.attempts)
    if late > _MOST_LATE * len(level.attempts):
        came = f"{late} of {len(level.attempts)} clients came more than {lag_ns / MS:.0f} ms later than planned"
        return f"the load was the limit: {came}"
    return _machine_is_the_limit(record, level)


def _machine_is_the_limit(record: OverloadRecord, level: Level) -> str:
    """Whether clients waited for cores rather than for places, in words; "" if they did not."""
    starved, computed = _share(level.starved_ns, level) or 0.0, _share(level.computed_ns, level) or 0.0
    words = f"the machine was the limit: for up to {starved:.0%} of the time, threads of the server waited for a core"
    if record.service_s is None and _waiting(record, level).unused <= _MOST_UNUSED:
        # Bodies that compute, or wait for each other's locks, may take longer together than alone.
        return words if _stretched(record, level) and starved > _STARVED_OF_BODIES else ""
    if _waiting(record, level).unused <= _MOST_UNUSED and not _stretched(record, level):
        return ""
    if starved > _MOST_STARVED:
        return words
    if computed > _COMPUTES:
        return f"the server's own computing was the limit, and not its places: it kept {computed:.1f} cores busy"
    return ""


def _share(ns: int | None, level: Level) -> float | None:
    """Of the time that the load lasted; None where it is not known."""
    lasted_ns = level.stopped_ns - level.began_ns
    return None if ns is None or lasted_ns <= 0 else ns / lasted_ns


@frozen
class _Waiting:
    """How clients waited while the load lasted.

    Attributes:
        most: of those that had come and whose handler had not begun, at once.
        unused: the share of the places that was free while a client waited, over all of that time. Without a ceiling
            every client that waits has a place.
    """

    most: int
    unused: float


def _waiting(record: OverloadRecord, level: Level) -> _Waiting:
    steps = []
    for each in level.attempts:
        until_ns = each.entered_ns or (each.done_ns if each.outcome in _LEFT else NEVER)
        if each.opened_ns and until_ns > each.opened_ns:
            steps += [(each.opened_ns, 1, 0), (until_ns, -1, 0)]
        if each.entered_ns:
            steps += [(each.entered_ns, 0, 1), (each.left_ns or level.watched_ns, 0, -1)]
    most = waiting = running = 0
    unused, at_ns = 0.0, level.began_ns
    for step_ns, waits, runs in sorted(steps):
        until_ns = min(step_ns, level.stopped_ns)
        if waiting > 0 and until_ns > at_ns:
            free = waiting if record.ceiling is None else min(waiting, max(0, record.ceiling - running))
            unused += (until_ns - at_ns) * min(1.0, free / record.relative_to)
        at_ns, waiting, running = max(at_ns, until_ns), waiting + waits, running + runs
        most = max(most, waiting)
    return _Waiting(most, unused / max(1, level.stopped_ns - level.began_ns))


def _served_ns(level: Level) -> int | None:
    return percentile((each.left_ns - each.entered_ns for each in level.attempts if each.left_ns), MEDIAN)


def _stretched(record: OverloadRecord, level: Level) -> bool:
    """Whether handlers took longer than alone, by a half and more than a busy machine's whim."""
    served_ns, took_ns = _served_ns(level), record.took_s * NS_PER_S
    return served_ns is not None and served_ns > max(_STRETCHED * took_ns, took_ns + _STRETCHED_NS)


def _doubts(record: OverloadRecord, level: Level) -> Iterable[str]:
    if level.cut_short:
        yield f"It was cut short: {level.cut_short.rstrip('.')}."
    starved, wait_s = _share(level.starved_ns, level), _wait(level.attempts).p50_s
    if starved is not None and starved > _MOST_STARVED and wait_s is not None and wait_s > record.took_s / 4:
        yield f"The machine was busy: for up to {starved:.0%} of the time it may have delayed the server."
    served_ns = _served_ns(level)
    if served_ns is not None and _stretched(record, level):
        yield (
            f"A handler took {served_ns / MS:.0f} ms (median), alone {record.took_s * NS_PER_S / MS:.0f} ms: handlers "
            "hold each other up, so the throughput is lower than the ceiling's."
        )
    unused = _waiting(record, level).unused
    if record.ceiling is not None and unused > _MOST_UNUSED:
        yield (
            f"{unused:.0%} of the places were free while clients waited: something before the handlers was the limit "
            "as well."
        )


def _clients(record: OverloadRecord, level: Level) -> Clients:
    counts = Counter(each.outcome for each in level.attempts)
    late_ns = round(record.late_s * NS_PER_S)
    late = sum(each.outcome is Outcome.ANSWERED and each.done_ns - each.due_ns > late_ns for each in level.attempts)

    def of(*outcomes: Outcome) -> int:
        return sum(counts[each] for each in outcomes)

    return Clients(
        came=len(level.attempts),
        in_time=counts[Outcome.ANSWERED] - late,
        late=late,
        rejected=of(*_OTHER_ANSWERS),
        refused=of(Outcome.REFUSED, Outcome.NO_ROOM),
        reset=of(Outcome.RESET, Outcome.STREAM_RESET, Outcome.STREAM_REFUSED),
        closed=counts[Outcome.CLOSED],
        timed_out=counts[Outcome.UNANSWERED],
        unconnected=counts[Outcome.CONNECT_TIMEOUT],
        sent_away=of(*_ENDED_BY_US),
    )


def _wait(attempts: Sequence[Attempt]) -> Wait:
    waits = []
    for each in attempts:
        if each.entered_ns != NEVER:
            waits.append((each.entered_ns - each.due_ns, False))
        elif each.outcome in _LEFT:
            waits.append((each.done_ns - each.due_ns, True))
    if not waits:
        return Wait(None, None)
    waits.sort()
    at50, at99 = (nearest_rank(len(waits), rank) for rank in (MEDIAN, P99))
    least50, least99 = (any(still for _, still in waits[: at + 1]) for at in (at50, at99))
    return Wait(waits[at50][0] / NS_PER_S, waits[at99][0] / NS_PER_S, least50, least99)


def _in_vain(level: Level) -> InVain:
    left = [each for each in level.attempts if each.outcome in _LEFT]

    def ended_ns(each: Attempt) -> int:
        return each.left_ns or level.watched_ns

    served = [each for each in level.attempts if each.entered_ns != NEVER]
    whole_ns = sum(ended_ns(each) - each.entered_ns for each in served)
    vain_ns = sum(max(0, ended_ns(each) - max(each.entered_ns, each.done_ns)) for each in left if each.entered_ns)
    return InVain(
        left=len(left),
        begun=sum(each.entered_ns >= each.done_ns for each in left if each.entered_ns),
        under_way=sum(each.entered_ns < each.done_ns for each in left if each.entered_ns),
        dropped=sum(each.entered_ns == NEVER and each.outcome is Outcome.UNANSWERED for each in left),
        unreached=sum(each.entered_ns == NEVER and each.outcome is Outcome.CONNECT_TIMEOUT for each in left),
        share=vain_ns / whole_ns if whole_ns else None,
    )


def _recovery(record: OverloadRecord, level: Level) -> Recovery:
    watched_s = max(0, level.watched_ns - level.stopped_ns) / NS_PER_S
    last_ns = max((each.left_ns for each in level.attempts), default=NEVER)
    why_not = level.cut_short or f"the server was still busy after {watched_s:.1f} s, when it was not watched further"
    known = level.at_rest_ns != NEVER
    singles = [each for each in level.singles if each.outcome not in _ENDED_BY_US]
    last = singles[-1] if singles and singles[-1].outcome is Outcome.ANSWERED else None
    usual = last is not None and is_usual(last.done_ns - last.due_ns, round(record.usual_s * NS_PER_S))
    return Recovery(
        idle_s=max(0, last_ns - level.stopped_ns) / NS_PER_S if known else None,
        usual_s=max(0, last.due_ns - level.stopped_ns) / NS_PER_S if usual and last else None,
        idle_at_least_s=None if known else watched_s,
        why_not="" if known else why_not,
        why_not_usual="" if usual else level.cut_short or f"no single request was, within {watched_s:.1f} s",
    )


def _health(level: Level) -> Health:
    checks = [each for each in level.checks if each.outcome not in _ENDED_BY_US]

    def number(holds: Callable[[Outcome], bool]) -> int:
        return sum(holds(each.outcome) for each in checks)

    replied = [each for each in checks if each.outcome is Outcome.ANSWERED or each.outcome in _OTHER_ANSWERS]
    waits = [each.done_ns - each.due_ns for each in replied]
    return Health(
        asked=len(checks),
        answered=number(lambda outcome: outcome is Outcome.ANSWERED),
        rejected=number(lambda outcome: outcome in _OTHER_ANSWERS),
        failed=number(lambda outcome: outcome in _NO_ANSWER),
        unanswered=number(lambda outcome: outcome in _LEFT),
        p50_s=_seconds(percentile(waits, MEDIAN)),
        longest_s=_seconds(max(waits, default=None)),
    )


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / NS_PER_S
