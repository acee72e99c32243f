"""A load run as it is saved: nothing of its rows and of what was asked is lost."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.engine.collect import run_of
from holdfast.engine.columns import Columns
from holdfast.engine.quantities import threshold
from holdfast.engine.reports import RunFacts
from holdfast.loadtest import saved
from holdfast.loadtest.run import finished_load
from holdfast.model.load import LoadExperiment, StopRule
from holdfast.model.places import Outcome
from holdfast.model.scenario import Chance, Check, ClientNumber, Counter, DataRows, Group, Pause, Slot, Step, Timeouts
from holdfast.model.schedule import Segment
from holdfast.model.shapes import Burst, Clients, Phases, Rise, Spread, Stages

NAMES = Columns.__slots__[1:]
INSTANT = st.integers(0, 1 << 62) | st.just(0)
ROW = st.fixed_dictionaries(
    dict.fromkeys(("due", "opened", "connected", "sent", "first", "done"), INSTANT)
    | {
        "local_port": st.integers(0, (1 << 32) - 1),
        "received": st.integers(0, (1 << 32) - 1),
        "status": st.integers(0, 999),
        "outcome": st.sampled_from([each.value for each in Outcome if each]),
        "source": st.integers(0, 1),
        "resent": st.integers(0, 1),
    }
)
STEP = Step("a, b", ("/x/", Slot("id")), "POST", (("X", ("n", Slot("n"))),), b"\x00\xff", frozenset({200, 302}))
SHAPES = (
    Spread(3, 1.5),
    Stages(((1.0, 3.0),), poisson=True),
    Rise(0.0, 6.0, 1.0),
    Phases((Segment(3, 3, 1),)),
    Burst(3),
    Clients(3, iterations=1),
)
GROUP = Group("g", "http://127.0.0.1:1/", (STEP,), Burst(3))


def made(experiment, columns, begun, spans):
    facts = RunFacts(spans, (("", "127.0.0.2"),) * len(spans), "a rule", 9.0, 3, ("x",), ("y",), "/z")
    run = run_of(columns, begun, facts)
    done = finished_load(experiment, run, [threshold("p99<1s")], 12345, interrupted=True)
    return done.with_remarks("a plan's part is left out")


@settings(deadline=None)
@given(st.lists(st.none() | ROW, min_size=1, max_size=30))
def test_all_columns_of_all_rows_that_were_begun_come_back(rows):
    columns = Columns(len(rows))
    begun = [number for number, row in enumerate(rows) if row]
    for number in begun:
        for name, value in rows[number].items():
            getattr(columns, name)[number] = value
    before = made(LoadExperiment((GROUP,)), columns, begun, (range(len(rows)),))

    after = saved.read(saved.head_of(before), saved.parts_of(before))

    assert list(after.run.begun) == begun
    for name in NAMES:
        assert list(getattr(after.run.columns, name)) == [row[name] if row else 0 for row in rows]
    assert after.result == before.result
    assert after.remarks == before.remarks
    assert replace(after.run, columns=columns, begun=begun) == before.run


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_the_shape_asked_of_a_load_is_saved_with_it(shape):
    values = (
        Counter("n", digits=3, per_client=True),
        ClientNumber("c"),
        Chance("r", 1, 9),
        DataRows(("a", "b"), (("1", "é"), ("", '"')), again=False, origin="users.csv"),
    )
    steps = (STEP, Step("c", "/", body=("x", Slot("a")), checks=(Check("ok", pattern=True),), pause=Pause(0.5, 1)))
    group = Group("é", "unix:/x.sock", steps, shape, values, Timeouts(1.0, None, 2.0), keep_alive=False)
    experiment = LoadExperiment((group, GROUP), seed=7, sources=("127.0.0.2",), stop=StopRule(error_share=0.1))
    before = made(experiment, Columns(6), [], (range(3), range(3, 6)))

    after = saved.read(saved.head_of(before), saved.parts_of(before))

    assert after.experiment == experiment
    assert after.labels == before.labels
    assert saved.title_of(experiment).startswith("unix:/x.sock ")


def test_what_another_version_or_a_bad_disk_has_made_of_it_is_no_run():
    columns = Columns(3)
    before = made(LoadExperiment((GROUP,)), columns, [0, 1, 2], (range(3),))
    head, (part,) = saved.head_of(before), saved.parts_of(before)

    for of_head, of_rows in ((b"", part), (head[:-9], part), (head, part[:-9]), (head, head)):
        with pytest.raises(saved.UNREADABLE):
            saved.read(of_head, [of_rows])


def test_a_part_is_a_fraction_of_its_rows_memory():
    columns, due = Columns(1000), 0
    for row in range(1000):
        due += 1_000_000
        columns.due[row] = due
        columns.opened[row] = due + 100_000 + row * 7919 % 50_000
        columns.connected[row] = columns.opened[row] + 40_000 + row * 104_729 % 9_000
        columns.sent[row] = columns.connected[row] + 3_000 + row % 17
        columns.done[row] = columns.sent[row] + 900_000 + row * 1_299_709 % 300_000
        columns.outcome[row], columns.status[row], columns.local_port[row] = Outcome.ANSWERED, 200, 30_000 + row
    before = made(LoadExperiment((replace(GROUP, shape=Burst(1000)),)), columns, range(1000), (range(1000),))

    # 61 bytes in memory; 12 measured on real runs.
    assert sum(map(len, saved.parts_of(before))) < 20 * 1000


def test_a_head_that_holdfast_0_1_0_wrote_is_read():
    values = (
        Counter("n", digits=3, per_client=True),
        ClientNumber("c"),
        Chance("r", 1, 9),
        DataRows(("a", "b"), (("1", "é"), ("", '"')), again=False, origin="users.csv"),
    )
    steps = (
        STEP,
        Step("c", "/", body=("x", Slot("a")), checks=(Check("ok", pattern=True),), pause=Pause(0.5, 1)),
        Step("form", "/form", "POST", body="name=é".encode()),
    )
    timeouts = Timeouts(1.0, None, 2.0)
    first = Group("g", "unix:/x.sock", steps, SHAPES[0], values, timeouts, keep_alive=False, on_failure="leave")
    others = [replace(first, steps=steps[:1], shape=shape, values=()) for shape in SHAPES[1:]]
    stop = StopRule(error_share=0.1)
    spans = [[first, first + 9] for first in range(0, 54, 9)]
    head = {
        "experiment": json.loads(Path(__file__).with_name("experiment_of_0_1_0.json").read_text()),
        "thresholds": ["p99<1s"],
        "offset_ns": 12345,
        "interrupted": True,
        "remarks": ["a plan's part is left out"],
        "spans": spans,
        "sources": [["", "127.0.0.2"]] * 6,
        "stopped": "a rule",
        "beside": {"asked_per_s": 9.0, "peak": 3, "limits": ["x"], "notes": ["y"], "location": "/z", "hosts": []},
    }

    done = saved.read(zlib.compress(json.dumps(head).encode()), [])

    assert done.experiment == LoadExperiment((first, *others), seed=7, sources=("127.0.0.2",), stop=stop)
    assert done.run.facts == RunFacts(
        tuple(range(*span) for span in spans), (("", "127.0.0.2"),) * 6, "a rule", 9.0, 3, ("x",), ("y",), "/z"
    )
    assert (done.result.interrupted, done.result.wall_clock_offset_ns, done.remarks) == (
        True,
        12345,
        ("a plan's part is left out",),
    )
    again = saved.read(saved.head_of(done), saved.parts_of(done))
    assert (again.experiment, again.run.facts, again.result) == (done.experiment, done.run.facts, done.result)
