"""Processes that a server replaces after a number of requests: had one reached that number when it was counted?

Such a process finishes what it has and takes no more, so with requests held in it, it looks full; but what stopped it
is the number of requests that it had taken in its life, not the number at once. When it has ended by itself, the record
shows that number: it had been reached when the places were counted if every request that the process ever took was in
it by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from holdfast.errors import InconclusiveError
from holdfast.model.places import Place
from holdfast.model.timeline import Snapshot, Timeline

_IN_IT = frozenset({Place.IN_SERVICE, Place.USERSPACE_QUEUE})


def full_to_the_end(timeline: Timeline, snapshot: Snapshot, placed: Mapping[int, Place]) -> Iterator[tuple[int, int]]:
    """Processes that took no request more once the places had been counted, and ended: pid, and how many they took."""
    for pid in timeline.replaced:
        taken = [entry for entry in timeline.entries if entry.pid == pid]
        held = [entry for entry in taken if placed.get(entry.id) is Place.IN_SERVICE]
        by_then = [each for each in taken if each.entered_ns <= snapshot.ended_ns or placed.get(each.id) in _IN_IT]
        if held and len(by_then) == len(taken):
            yield pid, len(taken)


def check_not_worn_out(ended: Iterable[tuple[int, int]]) -> None:
    """Raises InconclusiveError where a process had reached its number of requests when the places were counted.

    Args:
        ended: as `full_to_the_end` has them.
    """
    for pid, taken in ended:
        raise InconclusiveError(
            f"The server replaces its processes after a number of requests, here {taken} (pid {pid}).",
            "The process had taken that many when the places were counted. It took no more for that reason, so "
            "what was counted is not the ceiling.",
            f"Let it take more than {taken} before it is replaced (its maximum of requests per worker), "
            "or leave that setting out for the probe.",
        )
