"""JMeter 5.5 and holdfast send the same for each element, and judge answers alike (make oracle)."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from compared_runs import Shown, as_of_5_6, closes, lasted_s, shown
from jmeter_runs import NoJMeterError, jmeter, rows_of, run
from oracle_case import Case
from oracle_cases import CASES
from plans.writing import plan, text
from recorded_requests import Received, Recording
from support.commandline import PROGRAM

pytestmark = pytest.mark.oracle
_MOST_S = 60
INCONCLUSIVE = 3


@pytest.fixture(scope="session", autouse=True)
def _with_jmeter() -> None:
    try:
        jmeter()
    except NoJMeterError as error:
        pytest.skip(f"JMeter is not here: {error}")


def run_holdfast(file: Path, properties: Mapping[str, str]) -> tuple[list[tuple[str, bool]], bool]:
    """Label and success of each row, and whether the machine had time for the load, so that its times count."""
    results = file.with_suffix(".holdfast.jtl")
    given = [word for name, value in properties.items() for word in ("-J", f"{name}={value}")]
    command = [*PROGRAM, "load", "--jmx", str(file), "--jtl", str(results), *given]
    environment = {**os.environ, "HOLDFAST_RUNS": str(file.with_name("runs.sqlite"))}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_MOST_S, check=False, env=environment)
    assert ended.returncode in (0, 1, INCONCLUSIVE), ended.stdout + ended.stderr
    return rows_of(results), ended.returncode != INCONCLUSIVE


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_jmeter_and_holdfast_send_the_same(case: Case, recording: Recording, tmp_path: Path) -> None:
    file = tmp_path / "plan.jmx"
    content = plan(case.plan_below, text("TestPlan.serialize_threadgroups", "true"))
    file.write_bytes(content.replace(b'jmeter="5.6.3"', f'jmeter="{case.saved_by}"'.encode()))
    for name, content in case.files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content.replace(b"PORT", str(recording.port).encode()))
    properties = {"port": str(recording.port), **case.properties}

    recording.forget()
    theirs_judged = run(file, properties)
    theirs = recording.forget()
    ours_judged, in_time = run_holdfast(file, properties)
    ours = recording.forget()

    assert _compared(case, ours) == _compared(case, theirs)
    assert closes(ours) == closes(theirs)
    if case.results:
        assert _judged(ours_judged) == _judged(theirs_judged)
    if case.lasts and in_time:
        assert lasted_s(ours) == pytest.approx(lasted_s(theirs), rel=0.25, abs=0.2)


def _compared(case: Case, requests: list[Received]) -> object:
    found: list[Shown] = [as_of_5_6(shown(each)) for each in requests]
    return found if case.ordered else Counter(found)


def _judged(rows: list[tuple[str, bool]]) -> object:
    return Counter(rows)
