"""Results as one JSON object each (schema 1); null fields of a verdict have their reason under `unknown`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from holdfast.model.check import Checked
from holdfast.model.explanation import Explanation
from holdfast.model.installed import Installed
from holdfast.model.load import LoadResult
from holdfast.model.printable import hidden_as_json
from holdfast.model.study import StudyResult
from holdfast.model.verdict import Verdict


def verdict_json(verdict: Verdict, checked: Sequence[Checked] = ()) -> bytes:
    """One indented JSON object with a newline at its end; `schema` comes first.

    Args:
        checked: what came of each expectation; () where nothing was expected.
    """
    return _indented(verdict, checked)


def study_json(result: StudyResult, checked: Sequence[Checked] = ()) -> bytes:
    """The table of a study, each row with its whole verdict, as one JSON object."""
    return _indented(result, checked)


def servers_json(installed: Installed) -> bytes:
    """What is installed, as one JSON object."""
    return _indented(installed)


def load_json(result: LoadResult, checked: Sequence[Checked] = ()) -> bytes:
    """What a load run came to, as one JSON object."""
    return _indented(result, checked)


def explanation_json(explanation: Explanation, checked: Sequence[Checked] = ()) -> bytes:
    """What decides, with every trial, as one JSON object."""
    return _indented(explanation, checked)


def _indented(
    value: Verdict | StudyResult | Installed | LoadResult | Explanation, checked: Sequence[Checked] = ()
) -> bytes:
    fields = msgspec.to_builtins(value)
    ordered = {"schema": fields.pop("schema"), **fields}
    if checked:
        ordered["expectations"] = [_expectation(each) for each in checked]
    text = msgspec.json.format(msgspec.json.encode(ordered), indent=2).decode()
    # It may be printed to a terminal, and JSON leaves C1 control characters as they are.
    return (hidden_as_json(text) + "\n").encode()


def _expectation(checked: Checked) -> dict[str, object]:
    row = {"row": checked.of} if checked.of else {}
    return {"expression": checked.expression, "met": checked.met, "found": checked.found, "why": checked.why, **row}
