"""What the rows of a load add up to, read a part at a time; pure.

Ten million rows as lists of Python's integers would take 40 bytes for each row and column. A part of them is read at a
time, and of each row only its times are kept, 8 bytes each; those that are the same are kept once.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import compress
from operator import sub

from holdfast.engine.columns import Columns
from holdfast.engine.wide import ascends, is_zero, minus
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.units import NEVER

# A look at so many stays in a core's cache: 0.10 us a row instead of 0.12 (measured).
ROWS_AT_ONCE = 1 << 13
_BROKEN = frozenset({Outcome.RESET, Outcome.CLOSED})


class Totals:
    """Sums, extremes and times of rows.

    Attributes:
        outcomes: how many ended in each way.
        replied: how many were replied to.
        begun: how many have begun; the others' load process was lost before.
        first_begun_ns, last_begun_ns: 0 if none has begun.
        first_due_ns, last_done_ns, last_reply_ns: 0 if there was none.
        from_due, from_sent: times of those that were replied to, in ns; the same object where all are the same.
        on_time: how many were begun in the instant in which they were due.
        lags: how much later than due the others were, in ns; without those that were sent again.
        resent: how many were sent again.
        unheard: how many on kept connections met a close before any byte of a reply.
        began_ns, ended_ns: of those that have begun; only if asked for.
    """

    def __init__(self, *, flights: bool) -> None:
        """Adds nothing yet; `flights`: `began_ns` and `ended_ns` are asked for."""
        self._flights = flights
        self.outcomes: Counter[int] = Counter()
        self.replied = self.begun = self.on_time = self.resent = self.unheard = 0
        self.first_begun_ns = self.last_begun_ns = self.first_due_ns = self.last_done_ns = self.last_reply_ns = 0
        self._any = False
        self.from_due = self.from_sent = array("q")
        self.lags = array("q")
        self.began_ns, self.ended_ns = array("q"), array("q")

    def add(self, columns: Columns, rows: Sequence[int]) -> None:
        """Adds some rows, at least one, ascending."""
        if not self._add_usual(columns, rows):
            self._add_any(columns, rows)

    def _add_usual(self, columns: Columns, rows: Sequence[int]) -> bool:
        """As `_add_any`, for rows that all ended alike on kept connections and were replied to; False for others."""
        if self._flights or not isinstance(rows, range) or rows.step != 1:
            return False
        own = columns.part(rows)
        outcome, due, done = own.outcome.tobytes(), own.due.tobytes(), own.done.tobytes()
        if outcome[0] not in REPLIED or outcome.count(outcome[0]) != len(rows) or due != own.sent.tobytes():
            return False
        took = minus(done, due)
        if took is None or not is_zero(own.opened.tobytes()) or not is_zero(own.resent.tobytes()):
            return False
        # As one process takes them, they ascend, which takes less time to find out than the least and the most.
        first, last = (own.due[0], own.due[-1]) if ascends(due) else (min(own.due), max(own.due))
        if first == NEVER:
            return False
        last_done = max(own.done)
        self.first_begun_ns = min(self.first_begun_ns, first) if self.begun else first
        self.first_due_ns = min(self.first_due_ns, first) if self._any else first
        self.last_begun_ns = max(self.last_begun_ns, last)
        self.last_done_ns = max(self.last_done_ns, last_done)
        self.last_reply_ns = max(self.last_reply_ns, last_done)
        self._any = True
        self.outcomes[outcome[0]] += len(rows)
        self.replied += len(rows)
        self.begun += len(rows)
        self.on_time += len(rows)
        self.from_due.frombytes(took)
        if self.from_sent is not self.from_due:
            self.from_sent.frombytes(took)
        return True

    def _add_any(self, columns: Columns, rows: Sequence[int]) -> None:
        due, opened, sent, done = (
            taken(column, rows) for column in (columns.due, columns.opened, columns.sent, columns.done)
        )
        outcome, resent = taken(columns.outcome, rows), taken(columns.resent, rows)
        # A request on a kept connection begins when it is sent.
        began = [at or sent_ns for at, sent_ns in zip(opened, sent, strict=True)] if any(opened) else sent
        counts = Counter(outcome)
        self.outcomes += counts
        self.resent += sum(resent)
        self._add_begun(began, done)
        self._add_lags(began, due, resent)
        self._add_replies(counts, outcome, (due, sent, done))
        first, last = min(due), max(done)
        self.first_due_ns = min(self.first_due_ns, first) if self._any else first
        self.last_done_ns = max(self.last_done_ns, last)
        self._any = True
        if counts.keys() & _BROKEN:
            broken = [value in _BROKEN and not at for value, at in zip(outcome, opened, strict=True)]
            self.unheard += sum(
                not columns.received[row] and columns.sent[row] != NEVER for row in compress(rows, broken)
            )

    def _add_begun(self, began: Sequence[int], done: Sequence[int]) -> None:
        begun = began if all(began) else [at for at in began if at != NEVER]
        if not begun:
            return
        first = min(begun)
        self.first_begun_ns = min(self.first_begun_ns, first) if self.begun else first
        last = max(begun)
        self.last_begun_ns = max(self.last_begun_ns, last)
        self.begun += len(begun)
        if self._flights:
            self.began_ns.extend(begun)
            self.ended_ns.extend(compress(done, began))

    def _add_lags(self, began: Sequence[int], due: Sequence[int], resent: Sequence[int]) -> None:
        # On kept connections they are the same instants.
        if began == due:
            self.on_time += len(due)
            return
        times = zip(began, due, resent, strict=True)
        # How long it took until a request was sent again is the server's doing.
        lags = [max(0, at - due_ns) for at, due_ns, again in times if at and not again]
        late = [*filter(None, lags)]
        self.on_time += len(lags) - len(late)
        self.lags.extend(late)

    def _add_replies(
        self, counts: Counter[int], outcome: Sequence[int], instants: tuple[Sequence[int], Sequence[int], Sequence[int]]
    ) -> None:
        due, sent, done = instants
        if not counts.keys() <= REPLIED:
            replied = [value in REPLIED for value in outcome]
            due, sent, done = (list(compress(each, replied)) for each in instants)
        if not done:
            return
        self.replied += len(done)
        last = max(done)
        self.last_reply_ns = max(self.last_reply_ns, last)
        if self.from_sent is self.from_due and sent != due:
            self.from_sent = array("q", self.from_due)
        if self.from_sent is not self.from_due:
            self.from_sent.extend(map(sub, done, sent))
        self.from_due.extend(map(sub, done, due))


def totals_of(columns: Columns, rows: Sequence[int], *, flights: bool, at_once: int = ROWS_AT_ONCE) -> Totals:
    """The totals of these rows, ascending.

    Args:
        flights: as in `Totals`.
        at_once: how many are read at a time.
    """
    totals = Totals(flights=flights)
    for part in in_parts(rows, at_once):
        totals.add(columns, part)
    return totals


def in_parts(rows: Sequence[int], at_once: int = ROWS_AT_ONCE) -> Iterable[Sequence[int]]:
    """These rows, so many at a time."""
    return (rows[first : first + at_once] for first in range(0, len(rows), at_once))


def taken(column: memoryview, rows: Sequence[int]) -> list[int]:
    """The values of these rows; as one slice where they are a range, which is several times as fast."""
    if isinstance(rows, range) and rows.step == 1:
        return column[rows.start : rows.stop].tolist()
    return [column[row] for row in rows]
