"""Processes that a server replaces after a number of requests: had one reached that number when it was counted?

Such a process finishes what it has and takes no more, so with requests held in it, it looks full; but what stopped it
is the number of requests that it had taken in its life, not the number at once. When it has ended by itself, the record
shows that number: it had been reached when the places were counted if every request that the process ever took was in
it by then.

What waits in a process may count as taken or not: some servers count what they accept, most what they run. Where a
process before it ended after fewer than wait in this one, it is not what is accepted that counts.

Workers of one server have as many places as one another. So what it held is its ceiling nevertheless where a process
that had not reached its number, and that let requests wait, held no more: another one at the same moment, or one at the
first plateau of a ramp that was broken off there.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from holdfast.errors import InconclusiveError
from holdfast.infer.census import in_service_at
from holdfast.infer.open_places import is_full
from holdfast.model.phase import Phase
from holdfast.model.places import Place
from holdfast.model.timeline import NEVER, Entry, Snapshot, Timeline

_IN_IT = frozenset({Place.IN_SERVICE, Place.USERSPACE_QUEUE})


def full_to_the_end(timeline: Timeline, placed: Mapping[int, Place]) -> Iterator[tuple[int, int]]:
    """Processes that took no request more once the places had been counted, and ended: pid, and how many they took."""
    held = _held(timeline, placed)
    for pid in timeline.replaced:
        if held[pid] and (number := _all_by_then(timeline, placed, pid)):
            yield pid, number


def _held(timeline: Timeline, placed: Mapping[int, Place]) -> Counter[int]:
    return Counter(each.pid for each in timeline.entries if placed.get(each.id) is Place.IN_SERVICE)


def check_not_worn_out(timeline: Timeline, snapshot: Snapshot, placed: Mapping[int, Place]) -> None:
    """Raises InconclusiveError where a process had reached its number of requests when the places were counted.

    Not where others show that it held as many as it can.
    """
    worn = dict(full_to_the_end(timeline, placed))
    held = _held(timeline, placed)
    fellows = [*_full_at_the_count(snapshot, held, worn), *_full_at_the_first_plateau(timeline)] if worn else []
    for pid, taken in worn.items():
        if not any(each <= held[pid] for each in fellows):
            raise InconclusiveError(
                f"The server replaces its processes after a number of requests, here {taken} (pid {pid}).",
                "The process had taken that many when the places were counted. It took no more for that reason, so "
                "what was counted is not the ceiling.",
                f"Let it take more than {taken} before it is replaced (its maximum of requests per worker), "
                "or leave that setting out for the probe.",
            )


def _all_by_then(timeline: Timeline, placed: Mapping[int, Place], pid: int) -> int:
    """How many requests the process took in its life, if it may have reached its number by the count; 0 if not."""
    at_ns = timeline.placed.ended_ns if timeline.placed is not None else NEVER
    taken = [each for each in timeline.entries if each.pid == pid]
    run = [each for each in taken if each.entered_ns <= at_ns]
    later = {each.id for each in timeline.handed or () if each.pid == pid and each.handed_ns > at_ns}
    if any(placed.get(id) not in _IN_IT for id in later):
        return 0  # it took that one too, even if the request came to no view, because it ended the process
    in_it = [each for each in taken if each.entered_ns <= at_ns or placed.get(each.id) in _IN_IT]
    if len(in_it) < len(taken) or (
        len(in_it) > _most_of_one_before(timeline, taken) and _took_another(timeline, pid, len(run))
    ):
        return 0
    return len(taken)


def ended_at_limit(timeline: Timeline, placed: Mapping[int, Place], met: Collection[str]) -> Iterator[str]:
    """What became of processes that took no more requests when limits were met, in words.

    Args:
        met: these limits; () where none was.
    """
    for pid, taken in full_to_the_end(timeline, placed) if met else ():
        yield (
            f"Process {pid} of the server took no more requests once it had met a limit ({', '.join(met)}), and ended "
            f"when those that it had were done, {taken} in its whole life. Its log says what ended it."
        )


def _most_of_one_before(timeline: Timeline, taken: Sequence[Entry]) -> float:
    """The most that a process took that had ended when this one came; infinite where none is known."""
    first_ns, came_later = min(each.entered_ns for each in taken), taken[0].pid not in timeline.server.pids
    lives, last_ns = Counter(each.pid for each in timeline.entries), dict[int, int]()
    for each in timeline.entries:
        last_ns[each.pid] = max(last_ns.get(each.pid, 0), each.entered_ns)
    return max((lives[pid] for pid, ns in last_ns.items() if came_later and ns < first_ns), default=math.inf)


def _took_another(timeline: Timeline, pid: int, run: int) -> bool:
    """Whether another process that had run so many, and was through with them, took a request that was sent then."""
    opened = {each.id: each.opened_ns for each in timeline.requests}
    for other in {each.pid for each in timeline.entries} - {pid}:
        entries = [each for each in timeline.entries if each.pid == other]
        left = sorted(each.left_ns for each in entries if each.left_ns != NEVER)
        if any(bisect(left, opened.get(each.id, 0)) >= run for each in entries):
            return True
    return False


def _full_at_the_count(snapshot: Snapshot, held: Counter[int], worn: Collection[int]) -> list[int]:
    """What processes held that had not reached their number and let requests wait when the places were counted."""
    seen = [each for each in snapshot.acceptors if each.waits_on is not None and each.connections is not None]
    others = [each for each in seen if held[each.pid] and each.pid not in worn]
    return [held[each.pid] for each in others if is_full(each, snapshot, held)]


def _full_at_the_first_plateau(timeline: Timeline) -> list[int]:
    """The most that a process held at the plateau at which a ramp was broken off; empty where that says nothing.

    One of those that held requests was full there, so that others waited; which one is known only if none had reached
    its number.
    """
    climb = {each.id for each in timeline.requests if each.phase is Phase.FIRST_CLIMB}
    ends = [each.left_ns for each in timeline.entries if each.id in climb and each.left_ns != NEVER]
    at_ns = min(ends, default=0) - 1
    held = Counter(each.pid for each in timeline.entries if each.id in climb and in_service_at(each, at_ns))
    took_more = {each.pid for each in timeline.entries if each.entered_ns > at_ns and each.id not in climb}
    waited = held.total() < len(climb)
    return [max(held.values())] if waited and held and held.keys() <= took_more else []
