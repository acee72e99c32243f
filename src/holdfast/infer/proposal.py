"""Settings for a number of requests at once, by the law that the trials have shown; pure.

Decisions
---------
* The number of processes stays as it is where the memory allows that: a further process costs much more than a further
  thread.
* What would be met on the way up is raised along: limits in front of the handlers, and descriptors.
* Nothing proposed here is advice before it was run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from holdfast.infer.laws import Law, size, values_of
from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial

_SPARE_DESCRIPTORS = 64
_MOST_PROCESSES = 4096
# Memory is estimated from a few trials. What is proposed at the limit is to stay below it.
_MARGIN = 0.95


@frozen
class MemoryModel:
    """Memory of a server: `shared` + `each_process` x processes + `each_request` x requests in service, bytes."""

    shared: float
    each_process: float
    each_request: float

    def needed(self, processes: int, requests: int) -> float:
        """Bytes for so many processes and requests."""
        return self.shared + self.each_process * processes + self.each_request * requests


@frozen
class Settings:
    """A proposal: the changes, for how many requests, and the memory that these will take; None where not known."""

    changes: tuple[Change, ...]
    at_once: int
    memory_bytes: float | None


def memory_model(trials: Sequence[Trial]) -> MemoryModel | None:
    """What the trials say of the server's memory; None where none could read it."""
    known = [each for each in trials if each.rest_bytes is not None and each.full_bytes is not None and each.processes]
    if not known:
        return None
    first = known[0]
    assert first.rest_bytes is not None
    assert first.processes is not None
    each_process = _per_process(known) or first.rest_bytes / first.processes
    each_request = _per_request(known)
    shared = max(0.0, first.rest_bytes - each_process * first.processes)
    return MemoryModel(shared, each_process, each_request)


def proposed(
    law: Law, rivals: Sequence[Rival], trials: Sequence[Trial], at_once: int, memory_bytes: int | None
) -> Settings | None:
    """Settings that allow so many requests at once.

    Returns:
        None where no value that can be tried allows them, or none within the memory.
    """
    model = memory_model(trials)
    options = [each for each in _options(law, rivals, trials[0], at_once, model) if _fits(each, memory_bytes)]
    # They come in the order of their numbers of processes, from the present one on.
    return options[0] if options else None


def most_that_fits(law: Law, rivals: Sequence[Rival], trials: Sequence[Trial], memory_bytes: int | None) -> int:
    """The most requests at once for which there are settings, by bisection; 0 if there are not even for one."""
    low, high = 0, 1
    while high < 1 << 20 and proposed(law, rivals, trials, high, memory_bytes) is not None:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if proposed(law, rivals, trials, middle, memory_bytes) is not None:
            low = middle
        else:
            high = middle
    return low


def _fits(settings: Settings, memory_bytes: int | None) -> bool:
    return memory_bytes is None or settings.memory_bytes is None or settings.memory_bytes <= memory_bytes * _MARGIN


def _options(
    law: Law, rivals: Sequence[Rival], first: Trial, at_once: int, model: MemoryModel | None
) -> Iterator[Settings]:
    own = values_of(first)
    by_name = {each.name: each for each in rivals}
    varied = [name for name in law.factors if not by_name[name].fixed]
    numbers = _numbers_of_processes(own[varied[0]], at_once) if varied else [0]
    for processes in numbers:
        values = {**own, varied[0]: processes} if varied else dict(own)
        if law.setting:
            needed = _value_for(law, by_name[law.setting], values, at_once)
            if needed is None:
                continue
            values[law.setting] = needed
        allowed = size(law, values) or 0
        count = processes or first.processes or 1
        raised = _raised_along(law, rivals, values, at_once, count)
        if allowed < at_once or raised is None:
            continue
        values |= raised
        changes = tuple(Change(name, value) for name, value in values.items() if own.get(name) != value)
        yield Settings(changes, at_once, None if model is None else model.needed(count, at_once))


def _numbers_of_processes(own: int, at_once: int) -> list[int]:
    """The present number, more, doubled each time, and as many as there are requests."""
    found = [own]
    while found[-1] * 2 < min(at_once, _MOST_PROCESSES):
        found.append(found[-1] * 2)
    return [*found, at_once] if own < at_once <= _MOST_PROCESSES else found


def _value_for(law: Law, rival: Rival, values: Mapping[str, int], at_once: int) -> int | None:
    """The least value that allows so many; the present one where it does; None where it cannot be tried."""
    value = values[law.setting]
    if (size(law, values) or 0) >= at_once:
        return value
    if rival.fixed:
        return None
    each = size(law, {**values, law.setting: law.constant + law.share}) or 1  # of one share in each process
    value = law.constant + law.share * -(-at_once // each)
    return None if rival.most is not None and value > rival.most else value


def _raised_along(
    law: Law, rivals: Sequence[Rival], values: Mapping[str, int], at_once: int, processes: int
) -> dict[str, int] | None:
    """Other limits that would be met; None where one of them cannot be raised so far."""
    found = {}
    for each in rivals:
        if each.name in law.settings or each.name not in values or each.place is Place.ACCEPT_QUEUE:
            continue
        needed = _needed_of(each, -(-at_once // processes))
        if needed is None or needed <= values[each.name]:
            continue
        if each.fixed or (each.most is not None and needed > each.most):
            if each.kind == "share":
                return None
            continue
        found[each.name] = needed
    return found


def _needed_of(rival: Rival, each_process: int) -> int | None:
    if rival.kind == "share":
        return rival.share * each_process + _SPARE_DESCRIPTORS
    if rival.kind == "places" and rival.place is Place.USERSPACE_QUEUE:
        return each_process + _SPARE_DESCRIPTORS
    return None


def _per_process(known: Sequence[Trial]) -> float | None:
    first = known[0]
    found = [
        (each.rest_bytes - first.rest_bytes) / (each.processes - first.processes)
        for each in known
        if each.processes and first.processes and each.processes != first.processes
        if each.rest_bytes is not None and first.rest_bytes is not None
    ]
    good = [each for each in found if each > 0]
    return median(good) if good else None


def _per_request(known: Sequence[Trial]) -> float:
    """As where the most requests were held: with few, what a first request leaves behind counts for too much."""
    found = [
        (each.in_service, max(0.0, each.full_bytes - each.rest_bytes) / each.in_service)
        for each in known
        if each.in_service and each.full_bytes is not None and each.rest_bytes is not None
    ]
    return max(found)[1] if found else 0.0
