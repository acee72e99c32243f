"""The list of saved runs."""

from __future__ import annotations

import pytest

from holdfast.model.saved import SavedRun
from holdfast.report.layout import rendered
from holdfast.report.runs import render_runs

RUNS = tuple(SavedRun(id, 0.0, "flask", "", 3) for id in range(5, 0, -1))


@pytest.mark.parametrize(
    ("limit", "listed", "said"),
    [
        (2, ["5", "4"], "3 older ones are saved too: holdfast runs --limit 5"),
        (4, ["5", "4", "3", "2"], "1 older one is saved too: holdfast runs --limit 5"),
        (5, ["5", "4", "3", "2", "1"], ""),
        (30, ["5", "4", "3", "2", "1"], ""),
    ],
)
def test_the_newest_are_listed_and_how_many_more_there_are_is_said(limit, listed, said):
    lines = rendered(render_runs(RUNS, limit), 80, styled=False).splitlines()

    assert [line.split()[0] for line in lines[1 : 1 + len(listed)]] == listed
    assert lines[1 + len(listed) :] == (["", said] if said else [])
