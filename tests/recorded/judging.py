"""What a recorded run comes to, read and judged as `holdfast show` does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import saved

from holdfast import store
from holdfast.errors import InconclusiveError
from holdfast.infer.judge import judge
from holdfast.model.outside import OutsideTimeline
from holdfast.model.timeline import Timeline
from holdfast.report.json import verdict_json


def timeline_of(record: bytes, directory: Path) -> Timeline | OutsideTimeline:
    """The timeline of a record, read from a file of saved runs in this directory."""
    path = directory / "runs.sqlite"
    return store.load(saved.put_run(path, "golden", record), path)


def judged(timeline: Timeline | OutsideTimeline) -> dict[str, Any]:
    """The whole verdict, or the three texts of the error instead of one."""
    try:
        found: dict[str, Any] = json.loads(verdict_json(judge(timeline)))
    except InconclusiveError as error:
        return {"inconclusive": {"what": error.what, "why": error.why, "remedy": error.remedy}}
    return found


def load_result(record: bytes, directory: Path) -> dict[str, Any]:
    """The result of a load's record, as `holdfast report` writes it."""
    path = directory / "runs.sqlite"
    number = saved.put_load(path, "golden", record)
    done = subprocess.run(
        [sys.executable, "-m", "holdfast", "report", str(number), "--json", "-"],
        env={**os.environ, "HOLDFAST_RUNS": str(path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
