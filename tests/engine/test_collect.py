"""What becomes of the rows of a load process that was lost."""

from __future__ import annotations

from array import array

from holdfast.engine.collect import LostProcess, report_for_lost
from holdfast.engine.columns import Columns
from holdfast.engine.parts import Part
from holdfast.engine.sessions import Sessions
from holdfast.model.places import Outcome
from holdfast.model.scenario import Pause


def test_a_request_that_a_lost_process_began_after_its_last_word_counts_as_failed():
    shape = Sessions(array("q", [0, 0]), 5, (Pause(),))
    columns = Columns(shape.rows)
    # Client 0 has rows 0, 2, 4, ...: one was answered, the next one is on its way and was not told of.
    for row, outcome in ((0, Outcome.ANSWERED), (2, Outcome.PENDING)):
        columns.due[row], columns.outcome[row] = 10, outcome

    lost = LostProcess(Part(range(0, 2, 2), 1), start_ns=0, reached=1, at_ns=99, end="killed")
    report = report_for_lost(shape, columns, lost)

    assert (report.begun, report.reached) == (2, 3)
    assert list(columns.outcome[:4]) == [Outcome.ANSWERED, Outcome.PENDING, Outcome.FAILED, Outcome.PENDING]
    assert (columns.done[2], columns.done[4]) == (99, 0)
