"""A search from beginning to end: single requests, loads at one rate after another, and a load that is watched."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from holdfast.engine.processes import Watched
from holdfast.engine.quantities import Threshold
from holdfast.errors import HoldfastError, InconclusiveError
from holdfast.infer.capacity_search import NextLoad, able_at_most, interval_of, next_load, surely_broken, takes_longer
from holdfast.interrupts import Interrupts
from holdfast.model.capacity import AtRate, CapacityAsked, CapacityRecord, WatchedLoad
from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.searching.hold import hold_more
from holdfast.searching.offer import Bench, alone_ms, offer, seconds_since, send_singles
from holdfast.searching.refusals import check_singles
from holdfast.searching.subject import Sent, Subject
from holdfast.searching.watching import watch_load

_MOST_WARM = 3
_USUAL = 1.5
_USUAL_MS = 10.0
_SETTLE_S = 30.0
"""For a server that works off what it was sent: one that delays requests answers a single one at once, and the first
load is at half of what that comes to."""
_BACK_S = 10.0
"""For one that does not listen, and may come back."""
_NO_LONGER = "After a load, the server no longer answered single requests"
_PAUSE_S = 0.1
_MORE_CHANCES = 4
_BEYOND = 1.2
"""The watched load's rate, as a multiple of the lower end of the interval."""
_WATCHED_S = 3.0
_WATCHED_REQUESTS = 60
_MOST_WATCHED_S = 10.0
_STOPPED_BEFORE = "the search ended before the server was watched"


LoadWatch = Callable[[NextLoad, Sequence[AtRate], Watched], None]
"""Is given a load while it runs, and those before it."""


@frozen
class Search:
    """A search, and whom it tells what.

    Attributes:
        tell: is given a line about each load.
        watch: is given each load while it runs, with its rate and length, and those before.
    """

    subject: Subject
    sent: Sent
    asked: CapacityAsked
    thresholds: tuple[Threshold, ...]
    interrupts: Interrupts
    tell: Callable[[str], None]
    watch: LoadWatch | None = None


def run_search(search: Search, directory: str = ".") -> CapacityRecord:
    """Searches for the highest rate that holds, and watches the server a little beyond it.

    After Ctrl-C, or when it has taken as long as it may, the record has what was known by then.

    Raises:
        EnvironmentFailure: nothing listens, or no load process could be started.
        InconclusiveError: single requests are not answered as they should be.
    """
    began_s = time.monotonic()
    until_s = math.inf if search.asked.at_most_s is None else began_s + search.asked.at_most_s
    with search.interrupts.until(until_s):
        return _record(search, began_s, until_s, directory)


def _record(search: Search, began_s: float, until_s: float, directory: str) -> CapacityRecord:
    subject, interrupts, poisson = search.subject, search.interrupts, search.asked.poisson
    bench = Bench(subject, search.sent, search.thresholds, poisson, interrupts, began_s, until_s=until_s)
    alone = _warm(bench)
    bench = replace(bench, alone_ms=alone)
    record = CapacityRecord(
        target=subject.name,
        url=subject.url,
        asked=search.asked,
        loads=(),
        watched=None,
        not_watched="",
        notes=(),
        seconds=0.0,
        alone_ms=alone,
        directory=directory,
    )
    if (hopeless := _broken_alone(search.thresholds, alone)) is not None:
        record = replace(record, notes=(hopeless,), not_watched="no load was run")
    else:
        loads, notes, done, last = _search(search, bench, alone)
        record = replace(record, loads=loads, notes=notes, out_of_time=not done and not _signalled(interrupts))
        record = replace(record, last_alone_ms=last if loads and loads[-1].held else None)
        watched, why = _watched(search, bench, loads, notes)
        record = replace(record, watched=watched, not_watched=why)
    return replace(record, seconds=seconds_since(began_s), interrupted=_signalled(interrupts))


def _signalled(interrupts: Interrupts) -> bool:
    """Whether a person has ended the search, and not the time that it was to take."""
    return interrupts.heard or interrupts.leaving


def _warm(bench: Bench) -> float:
    """Sends single requests until they take no less time than those before; gives the time of the quickest.

    Raises:
        EnvironmentFailure, InconclusiveError: they are not answered as they should be.
    """
    best: float | None = None
    for _ in range(_MOST_WARM):
        singles = send_singles(bench)
        check_singles(bench, singles)
        took = alone_ms(singles)
        assert took is not None
        if best is not None and took >= best * 0.9:
            return min(best, took)
        best = took
    assert best is not None
    return best


def _broken_alone(thresholds: Sequence[Threshold], alone: float) -> str | None:
    """Why no rate can hold; None where one may."""
    for each in thresholds:
        if each.what not in ("errors", "rate") and not each.holds(alone):
            return f"{each.text} does not hold of a single request: the quickest took {alone:,.1f} ms."
    return None


def _search(
    search: Search, bench: Bench, alone: float
) -> tuple[tuple[AtRate, ...], tuple[str, ...], bool, float | None]:
    """The loads, why there are no more of them although the server's end is not found, and whether that is all.

    And how long a single request took after the last of them.
    """
    loads: list[AtRate] = []
    while (step := next_load(search.asked, loads, alone)) is not None:
        # One that would be cut short would say nothing.
        if bench.ends() or bench.left_s() < step.seconds:
            return tuple(loads), (), False, _single(bench, loads)
        single, note = _at_rest(bench, alone)
        if note:
            return tuple(loads), (note,), True, None
        single = _slower_still(bench, single, [each.alone_ms for each in loads if each.alone_ms is not None])
        if bench.ends() or bench.left_s() < step.seconds:
            return tuple(loads), (), False, single
        watch = None
        if search.watch is not None:
            watch = _watching(search.watch, step, tuple(loads))
        # Repeats at random instants are of other instants.
        own = replace(bench, sent=replace(bench.sent, seed=bench.sent.seed + len(loads)))
        done = offer(own, step.rate_per_s, step.seconds, watch).at_rate
        done = replace(done, alone_ms=single)
        if bench.ends():
            return tuple(loads), (), False, single
        loads.append(done)
        search.tell(line_of(done))
    last = _single(bench, loads)
    # A server that has lost its last place to the search answers nothing more.
    note = "" if last is not None or not loads or bench.ends() else _at_rest(bench, alone)[1]
    return tuple(loads), (note,) if note else (), True, last


def _single(bench: Bench, loads: Sequence[AtRate]) -> float | None:
    """What the quickest of a few single requests takes after the last load; None where none can be sent."""
    before = [each.alone_ms for each in loads if each.alone_ms is not None]
    return None if bench.ends() or not loads else _slower_still(bench, alone_ms(send_singles(bench)), before)


def _watching(watch: LoadWatch, step: NextLoad, before: Sequence[AtRate]) -> Callable[[Watched], None]:
    return lambda watched: watch(step, before, watched)


def line_of(done: AtRate) -> str:
    """What came of a load, in one line."""
    said = "holds" if done.held else done.why
    if done.limited:
        said = f"says nothing: {done.limited}"
    p99 = done.latency_from_due_ms.p99
    latency = "no reply" if p99 is None else f"p99 {p99:,.0f} ms"
    return f"{done.rate_per_s:,g}/s for {done.seconds:.3g} s: {latency}, {said}"


def _at_rest(bench: Bench, usual_ms: float) -> tuple[float | None, str]:
    """Waits until a single request takes about its usual time; gives what the quickest took, and why to end."""
    began_s = time.monotonic()
    while True:
        singles = send_singles(bench)
        took = alone_ms(singles)
        if bench.ends():
            return took, ""
        usual = took is not None and took <= max(usual_ms * _USUAL, usual_ms + _USUAL_MS)
        refused = all(singles.columns.outcome[row] == Outcome.REFUSED for row in singles.begun)
        if usual or time.monotonic() - began_s >= (_BACK_S if refused else _SETTLE_S):
            break
        time.sleep(_PAUSE_S)
    if took is not None:
        return took, ""
    try:
        check_singles(bench, singles)
    except HoldfastError as error:
        return None, f"{_NO_LONGER}: {error.what}"
    return None, f"{_NO_LONGER}."


def _slower_still(bench: Bench, single_ms: float | None, before_ms: Sequence[float]) -> float | None:
    """What the quickest single request takes; one that took longer than before is given further chances.

    A server that fills up stays slow. One that was kept waiting, or has a clock of its own, does not.
    """
    quickest = single_ms
    for _ in range(_MORE_CHANCES):
        if quickest is None or not before_ms or not takes_longer(min(before_ms), quickest) or bench.ends():
            break
        time.sleep(_PAUSE_S)
        again = alone_ms(send_singles(bench))
        quickest = quickest if again is None else min(quickest, again)
    return quickest


def _watched(
    search: Search, bench: Bench, loads: Sequence[AtRate], notes: Sequence[str]
) -> tuple[WatchedLoad | None, str]:
    """A load a little beyond the edge, with the server watched; or why there was none."""
    interval, theirs = interval_of(search.asked, loads)
    able, broken = able_at_most(loads), surely_broken(loads)
    reasons = (
        (bench.ends(), _STOPPED_BEFORE),
        (bool(notes), "".join(notes[:1])),
        (interval.high is None, "no rate was found that does not hold"),
        # Beyond a rate that surely does not hold, or that a computing server lacked time for, it shows what is full.
        (not theirs and able is None and broken is None, "the load met its own limit before the server met one"),
        (not bench.subject.pids() and bench.subject.kernel is None, "nothing of the server is seen from this machine"),
    )
    if (why := next((words for is_so, words in reasons if is_so), None)) is not None:
        return None, why
    assert interval.high is not None
    rate = max(interval.high, (interval.low or 0.0) * _BEYOND, (able or 0.0) * _BEYOND)
    seconds = min(_MOST_WATCHED_S, max(_WATCHED_S, _WATCHED_REQUESTS / rate))
    single, _ = _at_rest(bench, loads[0].alone_ms or 0.0)
    if bench.left_s() < seconds:
        return None, _STOPPED_BEFORE
    search.tell(f"Watching the server at {rate:,.4g}/s for {seconds:.3g} s")
    try:
        seen = watch_load(bench, rate, seconds)
        if bench.ends():
            return None, _STOPPED_BEFORE  # one that was cut short says nothing
        seen = replace(seen, load=replace(seen.load, alone_ms=single))
        return hold_more(bench, seen, single or 0.0), ""
    except InconclusiveError as error:
        return None, f"{error.what} {error.why}".strip()
