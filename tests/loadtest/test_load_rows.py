"""The rows of a load with several groups and steps, as they are handed to other programs."""

from __future__ import annotations

from itertools import chain

import pytest

from holdfast.engine.collect import run_of
from holdfast.engine.columns import Columns
from holdfast.engine.reports import RunFacts
from holdfast.loadtest import rows
from holdfast.loadtest.run import finished_load
from holdfast.model.load import LoadExperiment
from holdfast.model.places import Outcome
from holdfast.model.scenario import Group, Slot, Step
from holdfast.model.shapes import Burst, Clients

STEPS = (Step("first", ("/a/", Slot("id"))), Step("second", "/b"))
GROUPS = (
    Group("visitors", "http://127.0.0.1:1/", STEPS, Clients(2, iterations=2)),
    Group("robots", "unix:/x.sock:/r", (Step("robot", "/r", "POST", body=b"12345"),), Burst(2)),
)


@pytest.fixture(params=[1, 3, 10_000])
def at_once(request, monkeypatch):
    monkeypatch.setattr(rows, "AT_ONCE", request.param)


def test_each_row_has_its_group_its_number_there_its_label_its_client_and_its_request(at_once):
    columns = Columns(10)
    begun = [0, 1, 2, 3, 6, 8, 9]  # a client left: its rows 4, 5 and 7 never were
    for row in begun:
        columns.due[row] = columns.sent[row] = 100 * row + 1
        columns.done[row] = columns.due[row] + 150
        columns.outcome[row] = Outcome.ANSWERED
    run = run_of(columns, begun, RunFacts((range(8), range(8, 10)), (("",), ("",))))
    experiment = LoadExperiment(GROUPS)

    told = list(rows.samples(finished_load(experiment, run, [], None)))

    def all_of(part, name):
        return list(chain.from_iterable(getattr(each[part], name) for each in told))

    assert all_of(0, "id") == begun
    assert all_of(0, "number") == [0, 1, 2, 3, 6, 0, 1]
    assert all_of(0, "label") == ["first", "second", "first", "second", "first", "robot", "robot"]
    assert all_of(1, "thread") == [
        *(f"visitors 1-{client}" for client in (1, 1, 2, 2, 2)),
        "robots 2-1",
        "robots 2-2",
    ]
    assert all_of(1, "url") == [
        *(f"http://127.0.0.1:1{path}" for path in ("/a/0", "/b", "/a/2", "/b", "/a/6")),
        "unix:/x.sock:/r",
        "unix:/x.sock:/r",
    ]
    # Each lasts 150 and the next begins 100 later, so that the one after it is on its way when it ends.
    assert all_of(1, "group_threads") == [2, 2, 2, 1, 1, 2, 1]
    assert all_of(1, "all_threads") == [2, 2, 2, 1, 1, 2, 1]
    assert [list(each.id) for each in rows.chunks(finished_load(experiment, run, [], None))] == [
        list(each[0].id) for each in told
    ]
