"""Which processes and threads of the server have run handlers, and how many requests each holds now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.inside.holdfast_inside import layout
from holdfast.model.live import LiveWorker
from holdfast.model.timeline import Gil

if TYPE_CHECKING:
    import mmap
    from collections.abc import Collection, Iterator

MOST_FOLLOWED = 1000
_GILS: tuple[Gil, ...] = ("always", "off", "on", "asked for")
_CHANGED_TABLE = bytes(0 if difference == 0 else 1 for difference in range(256))


class WorkersSeen:
    """Follows what changes in the record from look to look.

    Invariant: a request counts for the thread that held it when it was first seen held, until it is seen to have left.
    """

    def __init__(self, data: mmap.mmap, slots: int) -> None:
        """Nothing was seen yet."""
        self._data = data
        self._slots = slots
        self._slot = layout.slot_offset(slots)
        self._states = bytes(slots)
        self._holders: dict[int, tuple[int, int]] = {}
        self._holds: dict[tuple[int, int], int] = {}

    def look(self) -> tuple[LiveWorker, ...]:
        """The processes that have run handlers, in the order in which that was seen.

        Of what has changed since the last look, MOST_FOLLOWED are followed, the others in the next one: each takes
        1 us, and thousands may end at once (4 ms, measured).
        """
        at = layout.state_offset(self._slots)
        states = self._data[at : at + self._slots]
        for followed, number in enumerate(_changed(self._states, states)):
            if followed == MOST_FOLLOWED:
                states = states[:number] + self._states[number:]
                break
            if (holder := self._holders.pop(number, None)) is not None:
                self._holds[holder] -= 1
            if states[number] == layout.NOT_ENTERED:
                continue
            pid, _entries, tid, *_ = layout.SLOT.unpack_from(self._data, self._slot + number * layout.SLOT_BYTES)
            held = states[number] == layout.ENTERED
            self._holds[pid, tid] = self._holds.get((pid, tid), 0) + held
            if held:
                self._holders[number] = pid, tid
        self._states = states
        by_process: dict[int, list[int]] = {}
        for (pid, _tid), count in self._holds.items():
            by_process.setdefault(pid, []).append(count)
        return tuple(LiveWorker(pid, tuple(counts)) for pid, counts in by_process.items())

    def accepting_loops(self, listening: Collection[int]) -> tuple[int, ...]:
        """The processes in which an event loop was seen to accept from one of these sockets, some of many; ascending.

        Args:
            listening: inodes of listening sockets.
        """
        size = layout.LOOP_ACCEPTS.size
        ends_at = layout.LOOP_ACCEPTS_OFFSET + layout.MOST_LOOP_ACCEPTS * size
        noted = layout.LOOP_ACCEPTS.iter_unpack(self._data[layout.LOOP_ACCEPTS_OFFSET : ends_at])
        return tuple(sorted({pid for inode, pid in noted if inode in listening}))

    def gil(self) -> Gil | None:
        """How the interpreters run in which handlers have begun; None where none has.

        Of each process the handler that began last counts: an interpreter without its lock has it while it loads an
        extension module (CPython, Python/ceval_gil.c, _PyEval_EnableGILTransient()). Where processes differ, one with
        the lock counts.
        """
        at = layout.state_offset(self._slots)
        latest: dict[int, tuple[int, int]] = {}
        for number, state in enumerate(self._data[at : at + self._slots]):
            if state != layout.NOT_ENTERED:
                slot = self._slot + number * layout.SLOT_BYTES
                pid, *fields = layout.SLOT.unpack_from(self._data, slot)
                latest[pid] = max(latest.get(pid, (0, 0)), (fields[7], self._data[slot + layout.GIL_OFFSET]))
        return _GILS[max(state for _, state in latest.values())] if latest else None


def _changed(before: bytes, now: bytes) -> Iterator[int]:
    """Numbers of the bytes that differ, ascending; both are as long."""
    difference = int.from_bytes(before, "little") ^ int.from_bytes(now, "little")
    marked = difference.to_bytes(len(now), "little").translate(_CHANGED_TABLE)
    at = marked.find(1)
    while at >= 0:
        yield at
        at = marked.find(1, at + 1)
