"""What silent clients do to a server, from the record of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.silent import (
    EndedBy,
    OrdinaryRequest,
    SilenceFound,
    Silent,
    SilentConnection,
    SilentRecord,
    SilentRun,
    Timeout,
)
from holdfast.model.units import MS, NS_PER_S

_ANSWERED = Outcome.ANSWERED.label
_REJECTED = Outcome.REJECTED.label
_WAITS = frozenset({Outcome.PENDING.label, Outcome.GIVEN_UP.label, _ANSWERED})

# A connection that ends so soon was not kept open at all.
_AT_ONCE_NS = 100 * MS
# A clock that is rounded, and a server that is a little early or late.
_EARLY = 0.05
_LATE = 0.1
_SLACK_S = 0.3
_NOT_KEPT = "no connection stayed open"


@frozen
class _Seen:
    """How long something lasted that a time-out may have ended; None where that was not seen.

    The wait may be over before the connection, which a server can set aside, or after it, while it starts a worker.
    """

    waited_s: float | None
    waits_up_to_s: float | None
    ended_after_s: float | None

    @property
    def lasted_s(self) -> tuple[float | None, ...]:
        """All three."""
        return (self.ended_after_s, self.waits_up_to_s, self.waited_s)

    @property
    def measured_s(self) -> tuple[float, ...]:
        """What is compared with time-outs."""
        return tuple(each for each in self.lasted_s if each is not None)


def judge_silent(record: SilentRecord) -> Silent:
    """What the record shows, for each silence."""
    found = [_found(run, record) for run in record.runs if run.changed is None]
    return Silent(record.server, record.version, record.command, tuple(found), record.interrupted)


def _found(run: SilentRun, record: SilentRecord) -> SilenceFound:
    unknown: dict[str, str] = {}
    decisive = None if run.decisive is None else run.requests[run.decisive]
    seen, first = _seen(run), _first(run)
    kept = first is not None and not (first.ended_ns and first.ended_ns - first.silent_ns < _AT_ONCE_NS)
    unknown["ended_by"] = _NOT_KEPT
    found = SilenceFound(
        silence=run.silence,
        connections=None if decisive is None else decisive.silent,
        at_least=None if decisive is None else min(run.fewer + 1, decisive.silent),
        by_chance=_by_chance(run),
        tried=_tried(run),
        request_gets=None if decisive is None else _gets(decisive),
        usual_ms=round(median(_took_ns(each) for each in run.usual) / MS, 2) if run.usual else None,
        waited_s=seen.waited_s,
        waits_up_to_s=seen.waits_up_to_s,
        watched_s=_watched_s(run),
        answered_once_they_left=None if not run.left else any(each.outcome == _ANSWERED for each in run.left),
        connection_gets=None if first is None or seen.ended_after_s is None else _end(first),
        ended_after_s=seen.ended_after_s,
        worker_ended=bool(run.replaced),
        ended_by=_ended_by(run, seen, record, unknown) if kept else None,
        would_end=_would_end(run, record),
        broken_off=bool(run.given_up),
    )
    unknown |= _reasons(run, kept=kept)
    # Of what is null, and of nothing else.
    return replace(found, unknown={name: why for name, why in unknown.items() if getattr(found, name) is None})


def _reasons(run: SilentRun, *, kept: bool) -> dict[str, str]:
    """Why each field is null, if it is; but for `ended_by`."""
    none_waited = run.given_up or "no ordinary request waited"
    none = run.given_up or _why_none(run, _tried(run), kept=kept)
    open_still = _why_open(run, _first(run))
    waits_still = none_waited if run.decisive is None else f"not answered within {_watched_s(run):.1f} s"
    return {
        "connections": none,
        "at_least": none,
        "by_chance": none_waited if run.decisive is None else "one worker takes all connections",
        "request_gets": none_waited,
        "usual_ms": run.given_up,
        "waited_s": waits_still,
        "waits_up_to_s": waits_still,
        "answered_once_they_left": none_waited if run.decisive is None else "they were not made to leave",
        "connection_gets": open_still,
        "ended_after_s": open_still,
        "would_end": "no time-out that is not set was found to",
    }


def _tried(run: SilentRun) -> int:
    """The most silent connections that were open at once when a request was sent."""
    return max((each.silent for each in run.requests), default=0)


def _seen(run: SilentRun) -> _Seen:
    first, waited_s = _first(run), _waited_s(run)
    if first is None:
        return _Seen(waited_s, waited_s, None)
    ended_after_s = _s(first.ended_ns - first.silent_ns) if first.ended_ns else None
    if run.decisive is None or waited_s is None:
        return _Seen(None, None, ended_after_s)
    before_ns = max(0, run.requests[run.decisive].opened_ns - first.silent_ns)
    return _Seen(waited_s, round(waited_s + before_ns / NS_PER_S, 2), ended_after_s)


def _first(run: SilentRun) -> SilentConnection | None:
    """The silent connection that was opened first of those that were looked at: no other one was in its way.

    Where all had ended before that, the first of all.
    """
    stayed = [each for each in run.connections if each.silent_ns and not 0 < each.left_ns < run.watched_to_ns]
    looked_at = (each for each in stayed if not 0 < each.ended_ns < run.watched_from_ns)
    return next(looked_at, stayed[0] if stayed else None)


def _waited_s(run: SilentRun) -> float | None:
    """From the decisive request until that, or the first one after it that was not turned away, was answered."""
    if run.decisive is None:
        return None
    decisive, *later = run.requests[run.decisive :]
    for each in (decisive, *later):
        if each.outcome == _ANSWERED and 0 < each.done_ns <= run.watched_to_ns:
            return _s(each.done_ns - decisive.opened_ns)
        if each.outcome in _WAITS:
            return None
    return None


def _watched_s(run: SilentRun) -> float:
    since_ns = run.watched_from_ns if run.decisive is None else run.requests[run.decisive].opened_ns
    return max(0.0, _s(run.watched_to_ns - since_ns)) if run.watched_to_ns else 0.0


def _gets(request: OrdinaryRequest) -> str:
    if request.outcome in _WAITS:
        return "waits"
    return str(request.status) if request.outcome == _REJECTED else request.outcome


def _end(connection: SilentConnection) -> str:
    return str(connection.status) if connection.status else connection.how


def _why_none(run: SilentRun, tried: int, *, kept: bool) -> str:
    if not run.connections or not kept:
        return "the server keeps none of these connections open"
    if tried < run.most:
        return f"{tried} were open at most: the server ended them, or took no more, before there were {run.most}"
    return f"with {tried} of them, the most that were tried, an ordinary request was answered in time"


def _why_open(run: SilentRun, first: SilentConnection | None) -> str:
    if first is None:
        return "there was no silent connection"
    left_ns = run.watched_to_ns or first.left_ns
    return f"the server had not ended it after {_s(max(0, left_ns - first.silent_ns)):.1f} s"


def _ended_by(run: SilentRun, seen: _Seen, record: SilentRecord, unknown: dict[str, str]) -> EndedBy | None:
    """The time-out that ends this silence; where there is none, adds the reason to `unknown`."""
    said = [each for each in record.timeouts if run.silence in each.ends]
    found = [each for each in (_tested(each, run, seen, record) for each in said if each.seconds) if each is not None]
    proved = [each for each in found if each.proved]
    if proved or len(found) == 1:
        return (proved or found)[0]
    if found:
        unknown["ended_by"] = f"undecided: {' or '.join(each.setting for each in found)}"
    else:
        unknown["ended_by"] = _why_no_timeout(said, seen, _in_vain(run, record))
    return None


def _would_end(run: SilentRun, record: SilentRecord) -> EndedBy | None:
    """A time-out that is not set, and that ended this silence when it was."""
    for timeout in record.timeouts:
        again = _again(timeout, run, record)
        if timeout.seconds is None and again is not None and again.changed is not None:
            value_s = again.changed[1]
            then_s = next((each for each in _seen(again).measured_s if _is_like(timeout, value_s, each)), None)
            if then_s is not None:
                return EndedBy(timeout.name, None, proved=True, changed_to_s=value_s, then_s=then_s)
    return None


def _again(timeout: Timeout, run: SilentRun, record: SilentRecord) -> SilentRun | None:
    """The run in which this time-out had another value."""
    runs = (each for each in record.runs if each.silence == run.silence and each.changed is not None)
    return next((each for each in runs if each.changed is not None and each.changed[0] == timeout.name), None)


def _tested(timeout: Timeout, run: SilentRun, seen: _Seen, record: SilentRecord) -> EndedBy | None:
    """What the run, and the one in which the time-out had another value, say for it; None where they speak against it.

    A time-out that nothing was seen of is not spoken against where it is longer than it was looked.
    """
    assert timeout.seconds is not None
    if seen.measured_s and not _fits(timeout, timeout.seconds, seen):
        return None
    again = _again(timeout, run, record)
    if again is None or again.changed is None or again.given_up:
        return EndedBy(timeout.name, timeout.seconds) if seen.measured_s else None
    then_s = _moved_to(timeout, again.changed[1], seen, _seen(again))
    if then_s is None:
        return None
    return EndedBy(timeout.name, timeout.seconds, proved=True, changed_to_s=again.changed[1], then_s=then_s)


def _moved_to(timeout: Timeout, changed_to_s: float, seen: _Seen, then: _Seen) -> float | None:
    """When the end came with the other value, if the time-out moved it; None if it did not."""
    assert timeout.seconds is not None
    least_s = abs(timeout.seconds - changed_to_s) / 2
    for before_s, then_s in zip(seen.lasted_s, then.lasted_s, strict=True):
        if then_s is not None and _is_like(timeout, changed_to_s, then_s):
            moved = before_s is None or abs(before_s - then_s) >= least_s
            if moved:
                return then_s
    return None


def _fits(timeout: Timeout, seconds: float, seen: _Seen) -> bool:
    return any(_is_like(timeout, seconds, each) for each in seen.measured_s)


def _is_like(timeout: Timeout, seconds: float, measured_s: float) -> bool:
    latest_s = (1 + _LATE) * seconds + timeout.lag_s + _SLACK_S
    return (1 - _EARLY) * seconds - _SLACK_S <= measured_s <= latest_s


def _in_vain(run: SilentRun, record: SilentRecord) -> dict[str, float]:
    """Time-outs that were given another value, and that value."""
    runs = (each for each in record.runs if each.silence == run.silence and not each.given_up)
    return dict(each.changed for each in runs if each.changed is not None)


def _why_no_timeout(said: Sequence[Timeout], seen: _Seen, in_vain: dict[str, float]) -> str:
    in_force = " and ".join(_shown(each, in_vain.get(each.name)) for each in said if each.seconds is not None)
    unset = " and ".join(each.name for each in said if each.seconds is None)
    not_set = f"not set: {unset}" if unset else ""
    if seen.measured_s:
        what = f"it took {min(seen.measured_s):.1f} s, and that is not {in_force}" if in_force else ""
        return what or not_set or "none of its own is known"
    said_to = f"said to do so: {in_force}" if in_force else ""
    known = "; ".join(each for each in (said_to, not_set) if each)
    nothing = "nothing ended it while it was looked at"
    return f"{nothing}; {known}" if known else f"{nothing}, and no time-out for it is known"


def _shown(timeout: Timeout, in_vain: float | None) -> str:
    value = f"{timeout.seconds:g} s"
    return f"{timeout.name} ({value})" if in_vain is None else f"{timeout.name} ({value}; {in_vain:g} s did not either)"


def _by_chance(run: SilentRun) -> bool | None:
    """As of `SilenceFound`: where no worker takes what waits in their one queue, all of them are taken up."""
    if run.decisive is None or not run.others:
        return None
    return not run.queued or any(_is_in_time(each, run) for each in run.others)


def _is_in_time(request: OrdinaryRequest, run: SilentRun) -> bool:
    return request.outcome == _ANSWERED and _took_ns(request) <= run.limit_ns


def _took_ns(request: OrdinaryRequest) -> int:
    return request.done_ns - request.opened_ns


def _s(ns: int) -> float:
    return round(ns / NS_PER_S, 2)
