"""The table of a study keeps to the width of its terminal, whose lines it breaks between columns."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report.test_checks_report import study_row
from report.test_terminal import verdict

from holdfast.model.study import Circumstances, Finding, StudyResult
from holdfast.report.columns import COLUMNS, why_not
from holdfast.report.layout import rendered
from holdfast.report.table import render_table

MADE = Circumstances("2026-01-31", "0.1", "Linux", 2, None)
SEEN = verdict("sync", 4321, 2, "process-per-request")


def shown(width: int) -> list[str]:
    missed = Finding("ceiling.in_service", "2", "4321", same=False, why_not="")
    rows = (replace(study_row("four", "measured", (missed,)), verdict=SEEN), study_row("broken", "failed"))
    return rendered(render_table(StudyResult("mine.toml", rows, 1.0, "", MADE)), width, styled=False).splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_heading_is_broken(width: int) -> None:
    lines = shown(width)

    assert max(map(len, lines)) <= width
    words = [word for line in lines for word in line.split()]
    assert all(word in words for column in COLUMNS for word in column.head.split())


@pytest.mark.parametrize("width", [60, 80])
def test_a_row_has_the_same_cells_at_every_width(width: int) -> None:
    wide, narrow = ([line.split() for line in shown(each)] for each in (200, width))
    figures = next(line for line in wide if line and line[0] == "4321")

    assert " ".join(figures) in " ".join(word for line in narrow for word in line)


@pytest.mark.parametrize(
    ("install", "said"),
    [("python -m pip install waitress", "skipped: why (python -m pip install waitress)"), ("", "skipped: why")],
)
def test_what_installs_a_missing_server_names_no_path_of_this_machine(install: str, said: str) -> None:
    remedy = "/a shop/bin/python -m pip install waitress" if install else ""
    row = replace(study_row("missing", "not installed"), remedy=remedy, install=install)

    assert why_not(row) == said
