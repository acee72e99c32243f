"""A result that a command line names: the number of a saved run, or a file that `--json` has written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from holdfast import store
from holdfast.errors import InconclusiveError, UsageError
from holdfast.infer.difference import kind_of
from holdfast.model.difference import Side
from holdfast.model.frozen import frozen
from holdfast.model.migration import CAPACITY_FORM, EXPLANATION_FORM, LOAD_FORM, STUDY_FORM
from holdfast.model.saved import SavedRun

_HOW = "Give the number of a saved run (`holdfast runs` lists them), or a file that --json has written."


@frozen
class Result:
    """A result, and where it comes from.

    Attributes:
        fields: as `--json` writes them.
    """

    side: Side
    fields: dict[str, Any]


def result_named(name: str) -> Result:
    """The result of a saved run, inferred anew, or the one in a file.

    Raises:
        UsageError: there is no such run or file, or it holds no result.
        InconclusiveError: the run has no verdict.
        EnvironmentFailure: the saved runs cannot be read.
    """
    if name.isdecimal():
        return _of_run(int(name))
    return _of_file(name)


def _of_run(number: int) -> Result:
    from holdfast.report.json import as_json

    path = store.default_path()
    try:
        fields = as_json(_result_of(number, store.form_of(number, path), path))
    except InconclusiveError as error:
        raise InconclusiveError(f"Run {number} has no verdict: {error.what}", error.why, error.remedy) from error
    listed = next((each for each in store.saved_runs(path) if each.id == number), None)
    return Result(_side_of(number, listed), fields)


def _result_of(number: int, form: int, path: Path) -> object:
    # Each kind of run brings a good part of holdfast.
    if form == LOAD_FORM:
        from holdfast.cli.saved_load import saved_load

        return saved_load(number).result
    if form == EXPLANATION_FORM:
        from holdfast.explaining.run import shown_again

        return shown_again(number)
    if form == STUDY_FORM:
        from holdfast.study.run import shown_again as study_again

        return study_again(number)
    if form == CAPACITY_FORM:
        from holdfast.api.searching import shown_again as search_again

        return search_again(number)
    from holdfast.infer.judge import judge

    return judge(store.load(number, path))


def _side_of(number: int, run: SavedRun | None) -> Side:
    if run is None:
        return Side(f"run {number}", number)
    words = [run.arguments] if run.kind in {"exec", "load", "attach", "capacity"} else [run.server, run.arguments]
    return Side(f"run {number}", number, run.saved_at, run.holdfast, " ".join(words).strip(), run.revision)


def _of_file(name: str) -> Result:
    try:
        content = Path(name).read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {name}, and it is not the number of a run.", "", _HOW) from error
    except OSError as error:
        raise UsageError(f"{name} cannot be read.", error.strerror or str(error), _HOW) from error
    try:
        fields = json.loads(content)
    except ValueError as error:
        raise UsageError(f"{name} is not JSON.", str(error), _HOW) from error
    except RecursionError as error:
        raise UsageError(f"{name} holds no result.", "It is nested too deeply.", _HOW) from error
    if not isinstance(fields, dict) or kind_of(fields) is None:
        raise UsageError(f"{name} holds no result.", "It is not a result that holdfast writes.", _HOW)
    return Result(Side(name), fields)
