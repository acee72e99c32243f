"""Saved runs that are judged again end as the run itself did."""

from __future__ import annotations

import pytest
import records

from holdfast import store
from holdfast.cli import main
from holdfast.model.experiment import OutsideExperiment, UrlTarget
from holdfast.model.outside import OutsideTimeline, Round, RunningServer
from holdfast.model.phase import Phase
from holdfast.model.timeline import Stopped

ANSWERED, INCONCLUSIVE = 0, 3


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """Saves a run and gives the exit code with which it is shown."""
    monkeypatch.setenv("HOLDFAST_RUNS", str(tmp_path / "runs.sqlite"))

    def shown_(timeline):
        number = store.save(timeline, tmp_path / "runs.sqlite")
        with pytest.raises(SystemExit) as end:
            main.main(["show", str(number)])
        return end.value.code

    return shown_


def held(reason="syn", **changed):
    run = records.timeline([records.request(0)], [records.entry(0)], records.snapshot(), reason)
    return records.replace(run, **changed)


def outside(**changed):
    nothing = OutsideTimeline(
        experiment=OutsideExperiment(UrlTarget("http://127.0.0.1:8000/")),
        server=RunningServer("127.0.0.1", 8000, None, None),
        started_ns=1,
        first_sent_ns=1,
        ended_ns=2 * records.AT,
        rounds=(),
        requests=(),
        kernel=False,
        others=None,
        alive=None,
    )
    return records.replace(nothing, **changed)


def test_saved_runs_are_for_nobody_else_to_read(shown, tmp_path):
    shown(held())

    assert (tmp_path / "runs.sqlite").stat().st_mode & 0o077 == 0


def test_a_run_with_a_number_is_an_answer(shown):
    assert shown(held()) == ANSWERED


def test_a_run_that_was_interrupted_before_its_ceiling_is_none(shown):
    assert shown(held("interrupted")) == INCONCLUSIVE


def test_a_look_from_outside_that_found_no_number_is_none(shown):
    done = 1_000_000_000
    single = records.request(0, phase=Phase.FIRST_REQUEST, done_ns=done, outcome=records.Outcome.ANSWERED, sent_ns=2000)
    silent = records.request(1, opened_ns=done)
    rounds = (Round("single", 0, 1, 1, done), Round("burst", 1, 2, 1, 2 * done))

    assert shown(outside(requests=(single, silent), rounds=rounds, alive=True)) == INCONCLUSIVE


def test_a_look_from_outside_that_gave_up_says_again_why(shown, capsys):
    stopped = Stopped("/ answers in 1.0 ms.", "Too quick.", "Name another path.")

    assert shown(outside(stopped=stopped)) == INCONCLUSIVE
    assert "/ answers in 1.0 ms." in capsys.readouterr().err
