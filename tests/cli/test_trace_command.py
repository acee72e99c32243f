"""`holdfast report --trace` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded.saved import LOADS, RUNS, put_load, put_run, record_of
from support.commandline import Holdfast


@pytest.fixture(scope="module")
def numbers(workshop: Holdfast) -> dict[str, str]:
    """Saved runs by kind."""
    workshop.runs.parent.mkdir()
    return {
        "probe": str(put_run(workshop.runs, "waitress", record_of(RUNS, "waitress"))),
        "attach": str(put_run(workshop.runs, "attach", record_of(RUNS, "attach"))),
        "load": str(put_load(workshop.runs, "closed", record_of(LOADS, "closed"))),
    }


@pytest.mark.parametrize("kind", ["probe", "attach", "load"])
def test_every_kind_of_run_has_a_trace(workshop: Holdfast, numbers: dict[str, str], kind: str) -> None:
    file = workshop.directory / f"{kind}.json"

    ended = workshop.run("report", numbers[kind], "--trace", str(file))

    assert (ended.exit, ended.out, ended.err) == (0, "", "")
    assert any(each.get("cat") == "client" for each in json.loads(file.read_text())["traceEvents"])


def test_a_trace_on_standard_output_is_one_json_object(workshop: Holdfast, numbers: dict[str, str]) -> None:
    ended = workshop.run("report", numbers["probe"], "--trace", "-")

    assert ended.exit == 0
    assert json.loads(ended.out)["otherData"]["ts 0 in CLOCK_MONOTONIC ns"] > 0


def test_a_trace_goes_to_a_place_of_its_own(workshop: Holdfast, numbers: dict[str, str]) -> None:
    ended = workshop.run("report", numbers["probe"], "--trace", "-", "--markdown", "-")

    assert ended.exit == 2
    assert "cannot both go to standard output" in ended.err


def test_a_trace_that_cannot_be_written_is_told(workshop: Holdfast, numbers: dict[str, str], tmp_path: Path) -> None:
    ended = workshop.run("report", numbers["probe"], "--trace", str(tmp_path / "none" / "trace.json"))

    assert ended.exit == 2
    assert "trace.json" in ended.err or str(tmp_path / "none") in ended.err
    full = workshop.run("report", numbers["probe"], "--trace", "/dev/full")
    assert full.exit == 4
    assert "No space left on device" in full.err
