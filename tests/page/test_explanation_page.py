"""The page of an explanation has all that the terminal has of it: the trials, overload, silent clients."""

from __future__ import annotations

from dataclasses import replace

import pytest
from recorded.saved import RUNS, put_run, record_of
from support.silent_clients import WAITS

from holdfast import store
from holdfast.infer.binding import explanation_of
from holdfast.infer.judge import judge
from holdfast.model.advice import Advice, Wish
from holdfast.model.explanation import Explanation, ExplanationRecord
from holdfast.model.overload import Clients, Health, InVain, Overload, OverloadLevel, Recovery, Wait
from holdfast.model.silent import Silent
from holdfast.model.timeline import Timeline
from holdfast.model.trial import Trial
from holdfast.page.markdown import markdown
from holdfast.page.of_explanation import document_of_explanation
from holdfast.page.render import page

MEASURED = OverloadLevel(
    0.5,
    20.0,
    Clients(30, 29, 1, 0, 0, 0, 0, 0, 0, 0),
    Wait(0.002, 0.019),
    InVain(0, 0, 0, 0, 0, 0.0),
    Recovery(0.05, 0.06),
    Health(12, 12, 0, 0, 0, 0.01, 0.02),
)
NOT_MEASURED = OverloadLevel(2.0, 80.0, why_not="the load was the limit")
OVERLOAD = Overload(
    40, 40, 1.0, 1.0, 1.001, 40.0, 3.0, 2.0, "", 1.0, (MEASURED, NOT_MEASURED), ("What it means.",), (), False
)
SILENT = Silent("gunicorn", "27.0", ("gunicorn",), (WAITS,))
WISH = Wish(24, 1 << 30, 100.0, 0.2, 0.4, 20.0)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    """A recorded probe of gunicorn."""
    path = tmp_path_factory.mktemp("saved") / "runs.sqlite"
    found = store.load(put_run(path, "gthread", record_of(RUNS, "gunicorn-gthread")), path)
    assert isinstance(found, Timeline)
    return found


def explanation(record: Timeline, **more: object) -> Explanation:
    trials = (Trial(1, "", (), (), 100, 8, bounded=True),)
    return replace(explanation_of(judge(record), ExplanationRecord(1, (), trials, 1.0)), **more)


def test_overload_and_silent_clients_have_a_table_each(record: Timeline) -> None:
    document = document_of_explanation(explanation(record, overload=OVERLOAD, silent=SILENT), record)

    assert [each.title for each in document.sheets] == ["Runs", "Overload", "Silent clients"]
    of_overload, of_silent = document.sheets[1:]
    assert {len(cells) for cells in of_overload.rows} == {len(of_overload.heads)}
    assert of_overload.rows[0][:3] == ("0.5x", "97%", "1")
    assert of_overload.sentences[0] == "What it means."
    assert "2x: the load was the limit." in of_overload.notes
    assert "4 make an ordinary request wait for 5.0 s." in of_silent.rows[0]
    for text in (page(document).decode(), markdown(document).decode()):
        assert "What it means." in text
        assert "the load was the limit" in text
        assert "4 make an ordinary request wait for 5.0 s." in text


@pytest.mark.parametrize(
    ("more", "options"),
    [
        ({}, ""),
        ({"overload": OVERLOAD, "silent": SILENT}, "--overload --service-time 1s --silent "),
        ({"overload": replace(OVERLOAD, service_s=None, health_path="/up")}, "--overload --health /up "),
        ({"advice": Advice(Wish(64), True, None, (), ())}, "--want 64 "),
        (
            {"advice": Advice(WISH, True, None, (), ())},
            "--rate 100/s --p99 0.4s --memory 1073741824 --service-time 0.2s ",
        ),
    ],
)
def test_its_command_asks_for_the_same(record: Timeline, more: dict[str, object], options: str) -> None:
    command = document_of_explanation(explanation(record, **more), record).command

    before, _, behind = command.partition(" -- ")
    assert before.startswith("holdfast explain ")
    assert f"{before} ".endswith(options)
    assert (options != "") == ("--overload" in before or "--want" in before or "--rate" in before)
    assert "--threads" in behind
