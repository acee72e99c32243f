"""The result that a run is compared with: of a saved run, or in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from holdfast.api.input_files import unreadable
from holdfast.errors import UsageError
from holdfast.infer.difference import kind_of
from holdfast.model.difference import Kind, Side
from holdfast.model.frozen import frozen

_CHECKS = frozenset({"expectations", "baseline"})
_WORDS: dict[Kind, str] = {
    "verdict": "a verdict of probe, exec or attach",
    "load": "the result of a load",
    "explanation": "an explanation",
    "study": "a study",
}


@frozen
class Baseline:
    """A result as its JSON has it, and where it is from."""

    side: Side
    result: dict[str, Any]


def read_baseline(text: str, kind: Kind) -> Baseline:
    """The baseline that is meant: the number of a saved run, or the name of a file that `--json` has written.

    Args:
        kind: of the result that will be compared with it.

    Raises:
        UsageError: there is none, or it is of another kind.
        EnvironmentFailure: it cannot be read.
    """
    run = int(text) if text.isascii() and text.isdecimal() else None
    side = Side(text if run is None else f"run {run}", run)
    result = _of_file(Path(text)) if run is None else _of_run(run)
    found = kind_of(result)
    if found != kind:
        is_ = "not a result that holdfast has written" if found is None else _WORDS[found]
        raise UsageError(
            f"The baseline {side.name} is of another kind.",
            f"It is {is_}; this run gives {_WORDS[kind]}.",
            "Give the number of a saved run of that kind (`holdfast runs`), or a file that --json has written.",
        )
    return Baseline(side, result)


def _of_file(file: Path) -> dict[str, Any]:
    try:
        content = file.read_bytes()
    except OSError as error:
        remedy = "Give the number of a saved run (`holdfast runs`), or a file that --json has written."
        raise unreadable(file, error, remedy) from error
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"The baseline {file} is not JSON.", f"{error}.", "Write it with --json, as in --json baseline.json."
        ) from error
    # What was expected of it then is not a part of the result.
    return {name: each for name, each in found.items() if name not in _CHECKS} if isinstance(found, dict) else {}


def _of_run(number: int) -> dict[str, Any]:
    from holdfast import store
    from holdfast.cli.checks import as_json
    from holdfast.model.migration import EXPLANATION_FORM, LOAD_FORM

    form = store.form_of(number, store.default_path())
    result: object
    if form == LOAD_FORM:
        from holdfast.cli.load_report import saved_load

        result = saved_load(number).result
    elif form == EXPLANATION_FORM:
        from holdfast.explain.run import shown_again

        result = shown_again(number)
    else:
        from holdfast.infer.judge import judge

        result = judge(store.load(number, store.default_path()))
    return as_json(result)
