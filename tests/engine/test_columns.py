from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from holdfast.engine.columns import Columns, requests
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome

COLUMNS = ("due", "opened", "connected", "sent", "done", "outcome", "status", "local_port", "source")
MOST = {"outcome": 10, "status": 65535, "local_port": 65535, "source": 255}


@given(st.integers(1, 9), st.data())
def test_no_column_overlaps_another(capacity, data):
    columns = Columns(capacity)
    values = {
        name: data.draw(
            st.lists(st.integers(0, MOST.get(name, 2**63 - 1)), min_size=capacity, max_size=capacity), label=name
        )
        for name in COLUMNS
    }

    for name in COLUMNS:
        for row in range(capacity):
            getattr(columns, name)[row] = values[name][row]

    assert {name: list(getattr(columns, name)) for name in COLUMNS} == values


def test_a_forked_process_writes_into_the_same_rows():
    columns = Columns(2)

    pid = os.fork()
    if pid == 0:
        columns.done[1] = 7
        os._exit(0)
    os.waitpid(pid, 0)

    assert list(columns.done) == [0, 7]


def test_a_row_of_the_columns_becomes_the_record_of_a_request():
    columns = Columns(3)
    columns.due[1], columns.opened[1], columns.connected[1], columns.sent[1], columns.done[1] = 1, 2, 3, 4, 5
    columns.outcome[1], columns.status[1] = Outcome.REJECTED, 503
    columns.local_port[1], columns.source[1] = 40_000, 1

    (record,) = requests(columns, [1], lambda row: (Phase.RAMP, Phase.ROUND)[row], ("127.0.0.1", "127.0.0.2"))

    # A probe's request counts as sent when its connection is opened: a full queue's delay is no pacing lag.
    assert (record.id, record.phase, record.due_ns, record.opened_ns) == (1, Phase.ROUND, 1, 2)
    assert (record.connected_ns, record.done_ns) == (3, 5)
    assert (record.outcome, record.status) == (Outcome.REJECTED, 503)
    assert (record.local_address, record.local_port) == ("127.0.0.2", 40_000)


def test_columns_may_have_no_rows():
    assert requests(Columns(0), [], lambda _row: Phase.RAMP, ()) == ()
