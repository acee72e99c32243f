"""The records of recorded runs, as a command that draws them gets them."""

from __future__ import annotations

from pathlib import Path

from recorded.saved import RUNS, put_run, record_of

from holdfast import store
from holdfast.model.outside import OutsideTimeline
from holdfast.model.timeline import Timeline


def recorded(name: str, directory: Path) -> Timeline | OutsideTimeline:
    """The record of one of `tests/recorded/runs`; `directory` is for the file of saved runs."""
    path = directory / "runs.sqlite"
    return store.load(put_run(path, name, record_of(RUNS, name)), path)


def recorded_probe(name: str, directory: Path) -> Timeline:
    """The same of a run that was seen from inside too."""
    found = recorded(name, directory)
    assert isinstance(found, Timeline)
    return found
