"""How far a study is while it runs, and how long the rest of it takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.live import LivePhase, LiveProbe
from holdfast.model.live_study import LiveStudy
from holdfast.model.study import Case, Claim, Row, Study
from holdfast.study.in_progress import InProgress

PROBE = LiveProbe(LivePhase.RAMP, 0.5)
OF_BINDING = Claim("binding.setting", "threads", lambda _verdict: None)
ROW = Row("", "", "flask", "3.1", (), "flask", None, "measured", (), "", "", "", 0, seconds=6.0)


def case(id: str, **more) -> Case:
    return Case(id, "flask", Experiment(ProbeTarget("flask")), **more)


class Views:
    """Takes each view, and lets the study come to its next row."""

    def __init__(self, *cases: Case) -> None:
        self.lines: list[str] = []
        self.seen: list[LiveStudy] = []
        self._cases = cases
        self._progress = InProgress(Study("of ours", cases), self.lines.append, self)

    def __call__(self, look, /, *, at_once: bool = False) -> None:
        assert not at_once
        self.seen.append(look())

    def runs(self, *rows: Row) -> LiveStudy:
        """These come of the first cases, and the next one is looked at as it begins."""
        for each, row in zip(self._cases, rows, strict=False):
            self._progress.begin(each)
            self._progress.end(each, row)
        self._progress.begin(self._cases[len(rows)])
        assert self._progress.watch is not None
        self._progress.watch(lambda: PROBE)
        return self.seen[-1]


def test_the_row_that_runs_is_seen_with_its_probe_and_those_before_it():
    failed = replace(ROW, outcome="failed")

    seen = Views(case("one"), case("two"), case("three")).runs(failed)

    assert (seen.title, seen.total, seen.now) == ("two: flask", 3, PROBE)
    assert [(each.title, each.at_once, each.why_not) for each in seen.rows] == [("one: flask", None, "failed")]


def test_the_rest_takes_as_long_as_three_measured_rows_lead_one_to_expect():
    cases = [case(str(number)) for number in range(6)]

    assert Views(*cases).runs(ROW, ROW).left_s is None
    # Three rows of 6 s each are left, and the first of them has only begun.
    assert Views(*cases).runs(ROW, ROW, ROW).left_s == pytest.approx(18, abs=1)


def test_rows_that_were_not_measured_and_those_without_a_run_of_their_own_count_for_nothing():
    cases = [*(case(str(number)) for number in range(5)), case("again", same_run_as="0")]
    missing = replace(ROW, outcome="not installed", seconds=0.1)

    assert Views(*cases).runs(ROW, missing, ROW, ROW).left_s == pytest.approx(6, abs=1)


def test_rows_that_are_explained_take_longer_than_others_so_that_no_time_is_told_for_them():
    explained = case("explained", claims=(OF_BINDING,))

    assert Views(*(case(str(number)) for number in range(4)), explained).runs(ROW, ROW, ROW).left_s is None


def test_where_nothing_watches_a_line_says_which_row_begins():
    lines: list[str] = []
    progress = InProgress(Study("of ours", (case("one"), case("flask"))), lines.append, None)

    progress.begin(case("one"))
    progress.end(case("one"), ROW)
    progress.begin(case("flask"))

    assert lines == ["1/2 one: flask", "2/2 flask"]
    assert progress.watch is None
