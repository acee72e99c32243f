"""What all load processes have seen of connections and streams over HTTP/2; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from holdfast.engine.plan import Plan
from holdfast.engine.reports import WorkerReport
from holdfast.model.load import StreamsResult

CONNECTIONS = "connections"
UNPROCESSED = "left out by GOAWAY"
UNSETTLED = "closed before any settings"
RST_STREAM = "RST_STREAM "
GOAWAY = "GOAWAY "
"""What a process counts: the last two are followed by the name of an error code."""


def streams_of(plans: Sequence[Plan], reports: Iterable[WorkerReport]) -> StreamsResult | None:
    """What the processes have counted; None over HTTP/1.1."""
    streams = max((plan.streams or 0 for plan in plans), default=0)
    if not streams:
        return None
    counts: Counter[str] = Counter()
    advertised = None
    for each in reports:
        counts.update(each.streams)
        advertised = each.advertised if advertised is None else advertised
    return StreamsResult(
        streams,
        advertised,
        counts[CONNECTIONS],
        counts[UNPROCESSED],
        _after(RST_STREAM, counts),
        _after(GOAWAY, counts),
        counts[UNSETTLED],
    )


def together(results: Iterable[StreamsResult | None]) -> StreamsResult | None:
    """What several hosts have counted."""
    found = None
    for each in results:
        if found is None or each is None:
            found = found or each
            continue
        found = replace(
            found,
            advertised=each.advertised if found.advertised is None else found.advertised,
            connections=found.connections + each.connections,
            unprocessed=found.unprocessed + each.unprocessed,
            resets=_summed(found.resets, each.resets),
            goaways=_summed(found.goaways, each.goaways),
            unsettled=found.unsettled + each.unsettled,
        )
    return found


def doubts_of_streams(result: StreamsResult | None) -> Iterator[str]:
    """What a person should know of it, in words."""
    if result is None:
        return
    if result.advertised is not None and result.advertised < result.streams:
        yield (
            f"The server takes {result.advertised:,} stream{'s' if result.advertised != 1 else ''} on a connection "
            "(SETTINGS_MAX_CONCURRENT_STREAMS), so no more were in flight on one, although "
            f"{result.streams:,} were asked for."
        )
    if result.unsettled:
        yield (
            f"{result.unsettled:,} connections were closed before the server said anything in HTTP/2: it may not "
            "speak it on this port."
        )


def _after(begin: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {words.removeprefix(begin): count for words, count in sorted(counts.items()) if words.startswith(begin)}


def _summed(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted((Counter(one) + Counter(other)).items()))
