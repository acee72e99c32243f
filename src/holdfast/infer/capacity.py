"""The record of a search -> the highest rate that holds and what ends it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.infer.capacity_drift import singles_rise, slowed
from holdfast.infer.capacity_errors import errors_at_any_rate, too_few_errors
from holdfast.infer.capacity_place import full_place, waiting_in
from holdfast.infer.capacity_search import (
    MOST_LOADS,
    RATIO,
    able_at_most,
    contradicts,
    gets_slower,
    interval_of,
    is_sure,
    surely_broken,
    takes_longer,
)
from holdfast.model.capacity import (
    AtRate,
    Capacity,
    CapacityRecord,
    FullPlace,
    Interval,
    NearKind,
    WaitingIn,
    WatchedLoad,
)

_NOT_FOLLOWED = "only GET requests without a body are followed into their handlers"
_NOT_SEEN = "not all of the server's connections were seen: its kernel does not tell them here, or there were too many"
_OWN_SHARE = 0.15
"""Of the cores, from which on the load's own use of them lowers a server's that has none left."""


def capacity_of(record: CapacityRecord, run: int | None = None) -> Capacity:
    """What a search comes to.

    Args:
        run: number of the saved run; None where it was not saved.
    """
    asked, loads = record.asked, record.loads
    interval, theirs = interval_of(asked, loads)
    status = _status(record, interval, theirs=theirs)
    place, waiting, unknown = _place(record)
    ours = _takes_their_cores(record.watched, place)
    if status == "edge" and ours:
        status = "at least"
    rate = interval.low if status in ("edge", "at least") else None
    limited = next((each.limited for each in reversed(loads) if each.limited), "") if not theirs else ""
    return Capacity(
        target=record.target,
        url=record.url,
        thresholds=asked.thresholds,
        rate_per_s=rate,
        bounded=None if rate is None else status == "edge",
        interval=interval if theirs else _seen(interval, loads),
        status=status,
        words=_words(record, status, interval, ours or limited),
        ended_by=_ended_by(record, interval) if theirs or record.notes else None,
        place=place,
        waiting=waiting,
        loads=loads,
        watched=record.watched,
        warnings=tuple(_warnings(record, interval, status)),
        unknown=unknown,
        explain=record.explain or None,
        command=record.command,
        alone_ms=record.alone_ms,
        seconds=record.seconds,
        interrupted=record.interrupted,
        out_of_time=record.out_of_time,
        run=run,
    )


def _seen(interval: Interval, loads: Sequence[AtRate]) -> Interval:
    """The interval without an upper end that is the load's own limit: whether that rate holds is not known."""
    broken = surely_broken(loads)
    return Interval(interval.low, broken if broken is not None and broken > (interval.low or 0.0) else None)


def _status(record: CapacityRecord, interval: Interval, *, theirs: bool) -> NearKind:
    loads = record.loads
    slower = gets_slower(loads) or slowed(record.asked, loads) is not None
    if loads and record.notes and not slower:
        return "unknown"
    if slower or contradicts(record.asked, loads) or errors_at_any_rate(loads, interval):
        return "not stationary"
    ended_early = record.interrupted or record.out_of_time
    if interval.low is None:
        broken = any(not each.held and not each.limited for each in loads) or (record.notes and not loads)
        ended_early = ended_early or len(loads) >= MOST_LOADS  # it followed a server that became slower
        return "none" if broken and not ended_early else "unknown"
    if interval.high is None or not theirs:
        return "at least"
    if ended_early and (interval.high > interval.low * RATIO or any(_slower_at_last(record))):
        return "at least"
    return "at least" if too_few_errors(loads, interval) else "edge"


def _place(record: CapacityRecord) -> tuple[FullPlace | None, WaitingIn | None, dict[str, str]]:
    seen = record.watched
    if seen is None:
        why = record.not_watched or "the server was not watched"
        return None, None, {"place": why, "waiting": why}
    place, waiting = full_place(seen, record.directory), waiting_in(seen)
    unknown = {}
    if place is None:
        unknown["place"] = seen.load.limited or "what was seen of the server does not show what is full"
    names = ("userspace_queue", "accept_queue", "syn")
    unknown |= {f"waiting.{name}": _NOT_SEEN for name in names if getattr(waiting, name) is None}
    if waiting.in_service is None:
        unknown["waiting.in_service"] = _NOT_FOLLOWED if seen.started else "no recorder was inside the server"
    return place, waiting, unknown


def _takes_their_cores(seen: WatchedLoad | None, place: FullPlace | None) -> str:
    """That the load took cores that the server lacked, in words; "" where it did not."""
    if seen is None or place is None or place.kind != "machine's cpu" or seen.load.load_cores is None:
        return ""
    if seen.load.load_cores < _OWN_SHARE * seen.cores:
        return ""
    return (
        f"The load used {seen.load.load_cores:.2f} of the machine's {seen.cores} cores, and the server all others: "
        "with the load on another machine it could do more."
    )


def _ended_by(record: CapacityRecord, interval: Interval) -> str | None:
    if record.notes and record.loads:
        return record.notes[0].rstrip(".")
    broken = [each for each in record.loads if each.rate_per_s == interval.high and each.why and not each.limited]
    return broken[-1].why if broken else None


def _words(record: CapacityRecord, status: NearKind, interval: Interval, limited: str) -> str:
    low, high = interval.low, interval.high
    if status == "not stationary":
        return _words_of_not_stationary(record, interval)
    if status == "at least":
        return _words_of_at_least(record, interval, limited)
    if status == "none":
        first = record.notes[0] if record.notes and not record.loads else f"not even {high:,g} requests a second do."
        return f"No rate holds: {first}"
    if status == "edge":
        return f"{low or 0:,g} requests a second hold, and {high or 0:,g} do not."
    return _words_of_unknown(record, interval, limited)


def _words_of_unknown(record: CapacityRecord, interval: Interval, limited: str) -> str:
    low, high = interval.low, interval.high
    if record.notes and low is not None:
        return f"No rate is known to hold for long: {low:,g} requests a second held at first. {record.notes[0]}"
    if why := "".join(record.notes[:1]) or limited:
        return f"Nothing is known of any rate: {why}"
    if high is not None:
        return f"{high:,g} requests a second do not hold, and no lower rate is known that does."
    return "Nothing is known yet of any rate."


def _words_of_not_stationary(record: CapacityRecord, interval: Interval) -> str:
    if (since := slowed(record.asked, record.loads)) is not None:
        return (
            f"The server became slower: {since.held:,g} requests a second held, and later not even {since.not_held:,g} "
            "did, so no rate is its own."
        )
    if errors_at_any_rate(record.loads, interval):
        return "Errors come at any rate, so none is the server's own."
    return "The server's answers changed from load to load, so no rate is its own."


def _words_of_at_least(record: CapacityRecord, interval: Interval, limited: str) -> str:
    asked, low, high = record.asked.up_to_per_s, interval.low or 0.0, interval.high
    if limited:
        said = f"At least {low:,g} requests a second. What was seen beyond says nothing of the server: {limited}"
        most, broken = able_at_most(record.loads), surely_broken(record.loads)
        if broken is not None:
            said = f"{said} {broken:,g} a second do not hold."
        return said if most is None else f"{said} With that, it would have answered about {most:,.3g} a second."
    if few := too_few_errors(record.loads, interval):
        return (
            f"At least {low:,g} requests a second. At {high or 0:,g} and more {few.beyond:,} of "
            f"{few.of_beyond:,} failed, and none of {few.of_below:,} below: too few to tell the rate from chance. Give "
            "each load more requests (--for), or allow for more errors."
        )
    if high is not None:
        return (
            f"At least {low:,g} requests a second; {high:,g} do not hold, and the search ended before more was known."
        )
    if asked is not None and low >= asked:
        return f"At least {low:,g} requests a second, the most that was to be tried."
    return f"At least {low:,g} requests a second, as far as it was tried."


def _slower_at_last(record: CapacityRecord) -> Iterator[str]:
    """That single requests take longer than at first, of a search that is too short to show how that continues."""
    singles = [record.alone_ms, *(each.alone_ms for each in record.loads), record.last_alone_ms]
    known = [each for each in singles if each is not None]
    if known and takes_longer(min(known), known[-1]):
        yield (
            f"A single request took {min(known):,.1f} ms at best, and {known[-1]:,.1f} ms at last: the server has "
            "become slower, still works off what it was sent, or waits for cores that other programs use. The rate "
            "may hold no longer."
        )


def _warnings(record: CapacityRecord, interval: Interval, status: NearKind) -> Iterator[str]:
    if status == "not stationary" or gets_slower(record.loads):
        yield from _of_not_stationary(record, interval)
    elif status == "at least":
        yield from _slower_at_last(record)
    elif status == "edge":
        yield from _of_edge(record, interval)
    if record.interrupted:
        yield "The search was stopped: what is said is what was known by then."
    if record.out_of_time:
        yield (
            f"The search was to take {record.asked.at_most_s or 0:g} s at most, and was not done by then: a longer "
            "--at-most makes the interval narrower and surer."
        )


def _of_not_stationary(record: CapacityRecord, interval: Interval) -> Iterator[str]:
    """What changed, as far as it is known."""
    if gets_slower(record.loads):
        singles = [each.alone_ms for each in record.loads if each.alone_ms is not None]
        yield (
            f"Single requests between the loads took longer and longer: {singles[0]:,.1f} ms at first, "
            f"{singles[-1]:,.1f} ms at last. Something fills up, or is not given back; find that first."
        )
    elif slowed(record.asked, record.loads) is not None:
        yield (
            "Something fills up, is used up or is not given back (places, connections, memory, a budget of processor "
            "time), or something else began on the machine meanwhile; find that first. Where times vary so much that a "
            "load of a few seconds can hold by chance, a longer --for tells."
        )
    elif (errors := errors_at_any_rate(record.loads, interval)) is not None:
        yield (
            f"Errors come below {interval.high:,g} requests a second as well: {errors.below:,} of {errors.of_below:,} "
            f"requests up to {interval.low:,g}/s, and {errors.beyond:,} of {errors.of_beyond:,} at that rate and a "
            "little more. That a load had fewer is chance. Find their cause, or allow for more errors."
        )
    else:
        yield (
            f"{interval.high:,g} requests a second did not hold, although more did at another time, each tried "
            "repeatedly. Something else decides: another load on the machine, a cache, a job that runs now and then."
        )


def _of_edge(record: CapacityRecord, interval: Interval) -> Iterator[str]:
    """Doubts about an edge that was found."""
    if (rise := singles_rise(record.loads)) is not None:
        yield (
            f"Single requests took a little longer from load to load, {rise[0]:,.3g} ms at first and {rise[1]:,.3g} ms "
            "at last: if that continues, the rate falls."
        )
    low, high = interval.low, interval.high
    most = max((each.rate_per_s for each in record.loads if each.held and not each.limited), default=0.0)
    if most > (high or most) * RATIO:
        yield (
            f"{most:,g} requests a second held too, in a load that others contradict: the server has become slower, or "
            "its answers vary much."
        )
    if not record.out_of_time and low is not None and high is not None:
        if high > low * RATIO:
            yield f"The interval is wider than {RATIO - 1:.0%}: the search ended before it was narrower."
        elif not is_sure(record.asked, record.loads):
            yield "At an end of the interval, loads held and did not hold in turn: the edge is not sharp."
