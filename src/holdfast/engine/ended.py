"""Which rows of a load in progress have ended since the last look, read while load processes write them.

Rows end in any order. A look therefore remembers which rows of a block it has already seen ended, and tells those that
have ended since; a block whose rows have all ended is not looked at again.

Facts
-----
* Reading a page of the columns that was never written makes the kernel allocate memory for it. So nothing is read
  beyond the rows that were begun, and only the outcome of those that have not ended.
* A row's outcome is written after its other columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from holdfast.engine.parts import Part
from holdfast.engine.processes import Watched

BLOCK = 16_384
RUNS = re.compile(b"\1+")
_ENDED = bytes([0]) + bytes([1]) * 255


class Stretch:
    """Neighbouring rows that are begun roughly from the front.

    Attributes:
        plan: the one that they belong to.
        shares: indices in the tally of the load processes that begin them.
    """

    __slots__ = ("_known", "_next", "plan", "rows", "shares")

    def __init__(self, plan: int, rows: range, shares: Sequence[int]) -> None:
        self.plan = plan
        self.rows = rows
        self.shares = shares
        self._next = rows.start
        self._known: dict[int, bytes] = {}

    def ended(self, outcome: memoryview, reach: int) -> Iterator[tuple[int, bytes, bytes]]:
        """For each block in which rows have ended since the last call: its first row, which (1), and all outcomes.

        Args:
            outcome: of all rows.
            reach: no row from here on has begun.
        """
        while self._next < min(reach, self.rows.stop):
            self._known[self._next] = b""
            self._next += BLOCK
        for first, known in list(self._known.items()):
            last = min(first + BLOCK, self.rows.stop)
            outcomes = bytes(outcome[first : min(last, reach)])
            ended = outcomes.translate(_ENDED)
            before = known.ljust(len(ended), b"\0")
            if ended != before:
                yield first, _differing(before, ended), outcomes
            if len(ended) == last - first and 0 not in ended:
                del self._known[first]
            else:
                self._known[first] = ended

    def reach(self, watched: Watched) -> int:
        """No row of the stretch from this one on can have begun."""
        tally, shape = watched.tally, watched.plans[self.plan].shape
        return watched.spans[self.plan].start + max(
            shape.reach(watched.shares[number][1], tally.begun[number], tally.reached[number]) for number in self.shares
        )


def stretches(watched: Watched) -> Iterator[Stretch]:
    """The rows of each plan, or of each load process if each one begins at its own first row."""
    for number, (plan, span) in enumerate(zip(watched.plans, watched.spans, strict=True)):
        shares = [(at, part) for at, (owner, part) in enumerate(watched.shares) if owner == number]
        if not plan.shape.refills:
            yield Stretch(number, span, [at for at, _ in shares])
            continue
        for at, part in shares:
            yield Stretch(number, _moved(part, span.start), [at])


def newly_ended(watched: Watched, looked_at: Sequence[Stretch]) -> list[int]:
    """Rows that have ended since these stretches were last asked, ascending."""
    return sorted(chain.from_iterable(runs_ended(watched, looked_at)))


def runs_ended(watched: Watched, looked_at: Sequence[Stretch]) -> Iterator[range]:
    """The same rows as runs of neighbours, in no order."""
    for stretch in looked_at:
        for first, new, _ in stretch.ended(watched.columns.outcome, stretch.reach(watched)):
            for run in RUNS.finditer(new):
                yield range(first + run.start(), first + run.end())


def _moved(part: Part, start: int) -> range:
    return range(start + part.rows.start, start + part.rows.stop)


def _differing(before: bytes, after: bytes) -> bytes:
    bits = int.from_bytes(before, "little") ^ int.from_bytes(after, "little")
    return bits.to_bytes(len(after), "little")
