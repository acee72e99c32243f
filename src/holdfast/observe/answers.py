"""Asks the server's processes where requests wait in them, and reads what they answer.

Both go through the shared file of the run (`holdfast.inside.holdfast_inside.showing`), so the server needs no
descriptor for it.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence

from holdfast.inside.holdfast_inside import layout
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.waiting import Background, LibraryLimit, WaitingPoint

MOST_ASKED = layout.ANSWERS
"""How many processes can be asked at once."""

_ABOUT = {Phase.RAMP: layout.BEFORE_VIEW, Phase.CALLED_TOGETHER: layout.IN_BODIES}
_LAST_NUMBER = 255


@frozen
class Answer:
    """What one process has answered.

    Attributes:
        background: what wakes up by itself; looked for where requests wait before their view.
        failed: it could not answer; then the rest is empty.
        at_rest: when it looked where bodies wait, none had begun or ended for a while, none moved, and all were seen.
    """

    points: tuple[WaitingPoint, ...]
    limits: tuple[LibraryLimit, ...]
    background: tuple[Background, ...]
    at_rest: bool
    failed: bool


class Questions:
    """The questions of one run, one after another."""

    def __init__(self, data: mmap.mmap, slots: int) -> None:
        self._data = data
        self._first = layout.answer_offset(slots)
        self._number = 0
        self._phase = Phase.RAMP
        self._asked: tuple[int, ...] = ()

    def uses_loops(self) -> bool:
        """Whether an event loop has served a request, so that libraries may set limits on it."""
        return bool(self._data[layout.LOOPS_OFFSET])

    def let_bodies_be_asked(self, *, allowed: bool) -> None:
        """Lets each process in which a body begins look for questions while bodies run."""
        self._data[layout.BODIES_ASKED_OFFSET] = allowed

    def ask(self, pids: Sequence[int], phase: Phase, *, stacks: bool = True) -> None:
        """Asks these processes, of which each must hold a request, or run bodies.

        Args:
            pids: at most MOST_ASKED.
            phase: RAMP asks for requests before their view, CALLED_TOGETHER for bodies.
            stacks: False asks for the limits of libraries alone.
        """
        self._phase, self._asked = phase, tuple(pids)
        self._number = self._number % _LAST_NUMBER + 1
        self._data[layout.ABOUT_OFFSET] = _ABOUT[phase] if stacks else layout.NOTHING
        places = (*self._asked, *[0] * (layout.ANSWERS - len(self._asked)))
        layout.ASKED_PIDS.pack_into(self._data, layout.ASKED_PIDS_OFFSET, *places)
        self._data[layout.ASKED_OFFSET] = self._number

    def answers(self) -> dict[int, Answer]:
        """What has been answered to the latest question so far, by process."""
        found = {}
        for place, pid in enumerate(self._asked):
            at = self._first + place * layout.ANSWER_BYTES
            number, length = layout.ANSWER.unpack_from(self._data, at)
            if number == self._number:
                begin = at + layout.ANSWER.size
                found[pid] = _answer(pid, self._phase, self._data[begin : begin + length].decode("utf-8", "replace"))
        return found


def _answer(pid: int, phase: Phase, text: str) -> Answer:
    points, limits, background = [], [], []
    at_rest = failed = False
    for line in text.splitlines():
        kind, *fields = line.split("\t")
        if kind == layout.LIMIT_LINE:
            name, limit, in_use = fields
            limits.append(LibraryLimit(phase, pid, name, int(limit) if limit else None, int(in_use)))
        elif kind == layout.BACKGROUND_LINE:
            wakes_s, number, file, function = fields
            background.append(Background(pid, file, int(number), function, float(wakes_s)))
        elif kind == layout.REST_LINE:
            at_rest = True
        elif kind == layout.FAILED_LINE:
            failed = True
        else:
            count, waits, number, file, function, library = fields
            point = WaitingPoint(phase, pid, int(count), file, int(number), function, library, waits=waits == "1")
            points.append(point)
    return Answer(tuple(points), tuple(limits), tuple(background), at_rest, failed)
