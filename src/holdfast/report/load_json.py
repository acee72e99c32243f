"""The result of a load as one JSON object (schema 1), by the standard library alone.

What the other results are made of, and msgspec, take 40 ms to import and 9 MB, a third of a load's start.
"""

from __future__ import annotations

from holdfast.model.check import NOTHING_EXPECTED, BaselineCheck, Checked, CheckResult
from holdfast.model.load import LoadResult
from holdfast.model.plain_json import indented, members
from holdfast.model.printable import hidden_as_json


def load_json(result: LoadResult, found: CheckResult = NOTHING_EXPECTED) -> bytes:
    """What a load run came to, as one JSON object with a newline at its end; `schema` comes first.

    Args:
        found: what came of the expectations; without any, the object has no word of them.
    """
    text = indented({"schema": result.schema, **members(result), **expected(found)})
    # It may be printed to a terminal, and JSON leaves C1 control characters as they are.
    return (hidden_as_json(text) + "\n").encode()


def expected(found: CheckResult) -> dict[str, object]:
    """What a result has besides its own fields: what came of the expectations, if there were any."""
    told: dict[str, object] = {}
    if found.checked:
        told["expectations"] = [_expectation(each) for each in found.checked]
    if found.baseline is not None:
        told["baseline"] = _baseline(found.baseline)
    return told


def _expectation(checked: Checked) -> dict[str, object]:
    row = {"row": checked.of} if checked.of else {}
    return {"expression": checked.expression, "met": checked.met, "found": checked.found, "why": checked.why, **row}


def _baseline(check: BaselineCheck) -> dict[str, object]:
    counts = {"same": check.same, "noise": check.noise}
    return {
        "name": check.name,
        "met": check.met,
        **counts,
        "moved": [members(each) for each in check.moved],
    }
