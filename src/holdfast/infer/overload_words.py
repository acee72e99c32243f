"""What the levels of an overload mean, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from holdfast.model.overload import Clients, Health, OverloadLevel, OverloadRecord
from holdfast.model.places import Outcome


def sentences_of(record: OverloadRecord, levels: Sequence[OverloadLevel]) -> Iterator[str]:
    """The sentences, the most important one first.

    Args:
        levels: as they are judged, in the order of the record's.
    """
    if record.ceiling is None:
        yield (
            "A probe found no ceiling, so there is no throughput to be a multiple of: the levels are multiples of what "
            f"{record.relative_to} requests at once would do, a number that was chosen."
        )
    known = [each for each in levels if each.clients is not None]
    if not known:
        return
    heaviest = max(known, key=lambda each: each.factor)
    good = [each for each in known if each.clients is not None and each.clients.in_time == each.clients.came]
    if good and heaviest not in good:
        yield f"{_upper(at(max(good, key=lambda each: each.factor)))}, every client is answered in time."
    yield from _clients(record, heaviest)
    yield from _in_vain(heaviest)
    yield from _recovery(record, heaviest)
    yield from _health(record, known)


def duration(seconds: float) -> str:
    """A time as a person reads it: `1.65 s`, `52 ms`, `0.8 ms`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    ms = seconds * 1000
    return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def at(level: OverloadLevel) -> str:
    """A level as a person reads it: `at half the throughput`."""
    named = {0.5: "half the throughput", 1.0: "the full throughput"}
    return f"at {named.get(level.factor, f'{level.factor:g} times the throughput')}"


def _clients(record: OverloadRecord, level: OverloadLevel) -> Iterator[str]:
    clients = level.clients
    assert clients is not None
    others = list(_others(record, clients, _statuses(record, level.factor)))
    what = _and(others) if others else "none is turned away, and none leaves"
    rate = f"({level.rate_per_s:,.4g} requests a second)"
    in_time = f"{clients.in_time} of {clients.came} clients {_be(clients.in_time)} answered in time"
    yield f"{_upper(at(level))} {rate}, {in_time}; {what}."
    wait = level.wait
    if wait is not None and wait.p50_s is not None and wait.p50_s > max(record.took_s / 2, 0.01):
        least = "at least " if wait.p50_at_least else ""
        yield f"Clients wait {least}{duration(wait.p50_s)} (median) {_where(level)}."
    elif clients.rejected + clients.refused + clients.reset and level.turned_away_s is not None:
        yield f"It turns away what it has no place for, within {duration(level.turned_away_s)} (median)."


def _others(record: OverloadRecord, clients: Clients, statuses: str) -> Iterator[str]:
    if clients.late:
        yield f"{_are(clients.late)} answered late (after {duration(record.late_s)})"
    if clients.rejected:
        yield f"{_are(clients.rejected)} rejected{statuses}"
    if clients.refused:
        yield f"{_are(clients.refused)} refused a connection"
    if clients.reset + clients.closed:
        yield f"{_are(clients.reset + clients.closed)} cut off"
    if clients.timed_out + clients.unconnected:
        without = f", {clients.unconnected} of them without a connection" if clients.unconnected else ""
        left = clients.timed_out + clients.unconnected
        yield f"{left} {'leaves' if left == 1 else 'leave'} after {duration(record.limit_s)}{without}"


def _statuses(record: OverloadRecord, factor: float) -> str:
    attempts = next(each.attempts for each in record.levels if each.factor == factor)
    counts = Counter(each.status for each in attempts if each.outcome is Outcome.REJECTED)
    return f" with {_and(str(status) for status, _ in counts.most_common())}" if counts else ""


def _in_vain(level: OverloadLevel) -> Iterator[str]:
    found = level.in_vain
    if found is None or not found.left:
        return
    what = "The server does nothing for clients that have left"
    if found.under_way:
        what = "The server only ends what it has begun for clients that have left"
    if found.dropped > found.begun:
        what = "The server drops the requests of clients that have left"
    elif found.begun:
        what = "The server works for clients that have left"
    named = (
        (found.begun, "had left before their handler began"),
        (found.under_way, "left while their handler ran"),
        (found.dropped, "never had a handler"),
        (found.unreached, "never had a connection"),
    )
    kinds = [f"{number} {words}" for number, words in named if number]
    parts = f"of {found.left}, {_and(kinds)}" if len(kinds) > 1 else f"all {kinds[0]}"
    share = "" if found.share is None else f" {found.share:.0%} of the handlers' time went to clients that had left."
    yield f"{what}: {parts}.{share}"


def _recovery(record: OverloadRecord, level: OverloadLevel) -> Iterator[str]:
    found = level.recovery
    if found is None or any(each.cut_short for each in record.levels if each.factor == level.factor):
        return
    if found.idle_s is not None:
        idle = f"the server is busy for another {duration(found.idle_s)}"
    elif found.idle_at_least_s:
        idle = f"the server is busy for at least another {duration(found.idle_at_least_s)}"
    else:
        return
    usual = "no single request was answered in its usual time while it was watched"
    if found.usual_s is not None:
        usual = (
            f"a single request sent {duration(found.usual_s)} after it is answered in its usual time "
            f"({duration(record.usual_s)})"
        )
    yield f"When that load stops, {idle}; {usual}."


def _where(level: OverloadLevel) -> str:
    """Where most of those that wait are."""
    most, queued, inner = level.most_waiting or 0, level.deepest_queue, level.deepest_inner_queue or 0
    if level.clients is not None and level.clients.unconnected * 2 >= most > 0:
        why = "" if queued is None else f", since the accept queue holds {queued}"
        return f"most of them without a connection{why}"
    if queued and queued * 2 >= most:
        return f"in the accept queue, which held up to {queued} connections"
    if inner and inner * 2 >= most:
        return f"between the server's own processes, in a queue of up to {inner} connections"
    return f"{'for a handler' if queued is None else 'inside the server'}, up to {most} at once"


def _health(record: OverloadRecord, levels: Sequence[OverloadLevel]) -> Iterator[str]:
    asked = [(each, each.health) for each in levels if each.health is not None and each.health.asked]
    if not asked:
        return
    failing = [(level, health) for level, health in asked if health.answered < health.asked]
    if not failing:
        what = f"A health check ({record.health_path})" if record.health_path else "A health check of the same path"
        level, health = max(asked, key=lambda each: each[1].longest_s or 0.0)
        yield f"{what} is always answered, after {duration(health.longest_s or 0.0)} at the longest ({at(level)})."
        return
    what = f"Health checks ({record.health_path})" if record.health_path else "Health checks of the same path"
    each_level = (
        f"{at(level)} {found.answered} of {found.asked} {_be(found.answered)} answered ({_and(_failed(record, found))})"
        for level, found in failing
    )
    yield f"{what} fail as well: {_and(each_level)}."


def _failed(record: OverloadRecord, health: Health) -> Iterator[str]:
    if health.rejected:
        yield f"{health.rejected} rejected"
    if health.failed:
        yield f"{health.failed} refused or cut off"
    if health.unanswered:
        yield f"{health.unanswered} not answered within {duration(record.health_limit_s)}"


def _are(number: int) -> str:
    return f"{number} {_be(number)}"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def _upper(words: str) -> str:
    return words[0].upper() + words[1:]


def _and(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
