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


def test_arguments_have_a_line_of_their_own_where_there_is_no_room_beside_the_rest():
    run = SavedRun(7, 0.0, "gunicorn", "-w 2 --threads 8 --bind 127.0.0.1:8000", 3, ceiling=16, bounded=False)

    wide = rendered(render_runs([run], 30), 120, styled=False).splitlines()
    narrow = rendered(render_runs([run], 30), 60, styled=False).splitlines()

    assert wide == [
        "run  when (UTC)        server    offered  ceiling  arguments",
        "  7  1970-01-01 00:00  gunicorn        3      16+  -w 2 --threads 8 --bind 127.0.0.1:8000",
    ]
    assert narrow == [
        "run  when (UTC)        server    offered  ceiling",
        "  7  1970-01-01 00:00  gunicorn        3      16+",
        "     -w 2 --threads 8 --bind 127.0.0.1:8000",
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_list_fits_the_terminal_whatever_the_arguments_are(width):
    run = SavedRun(7, 0.0, "gunicorn", "\x1b[31m" + "word " * 100 + "x" * 300, 3)

    lines = rendered(render_runs([run], 30), width, styled=False).splitlines()

    assert max(map(len, lines)) <= width
    assert "\x1b" not in "".join(lines)
