"""Results as one JSON object each (schema 1); null fields of a verdict have their reason under `unknown`."""

from __future__ import annotations

import msgspec

from holdfast.model.capacity import Capacity
from holdfast.model.check import NOTHING_EXPECTED, CheckResult
from holdfast.model.difference import Difference
from holdfast.model.explanation import Explanation
from holdfast.model.installed import Installed
from holdfast.model.load import LoadResult
from holdfast.model.printable import hidden_as_json
from holdfast.model.saved import RunList
from holdfast.model.study import StudyResult
from holdfast.model.verdict import Verdict
from holdfast.report.load_json import expected


def verdict_json(verdict: Verdict, found: CheckResult = NOTHING_EXPECTED) -> bytes:
    """One indented JSON object with a newline at its end; `schema` comes first.

    Args:
        found: what came of the expectations; without any, the object has no word of them.
    """
    return json_of(verdict, found)


def study_json(result: StudyResult, found: CheckResult = NOTHING_EXPECTED) -> bytes:
    """The table of a study, each row with its whole verdict, as one JSON object."""
    return json_of(result, found)


def servers_json(installed: Installed) -> bytes:
    """What is installed, as one JSON object."""
    return json_of(installed)


def explanation_json(explanation: Explanation, found: CheckResult = NOTHING_EXPECTED) -> bytes:
    """What decides, with every trial, as one JSON object."""
    return json_of(explanation, found)


def capacity_json(found: Capacity, checked: CheckResult = NOTHING_EXPECTED) -> bytes:
    """The highest rate that holds, with every load, as one JSON object."""
    return json_of(found, checked)


def difference_json(difference: Difference) -> bytes:
    """What differs between two results, as one JSON object."""
    return json_of(difference)


def runs_json(runs: RunList) -> bytes:
    """The list of saved runs, as one JSON object."""
    return json_of(runs)


def json_of(
    value: Verdict | StudyResult | Installed | LoadResult | Explanation | Difference | RunList | Capacity,
    found: CheckResult = NOTHING_EXPECTED,
) -> bytes:
    """Any of these as one JSON object."""
    fields = msgspec.to_builtins(value)
    ordered = {"schema": fields.pop("schema"), **fields}
    text = msgspec.json.format(msgspec.json.encode({**ordered, **expected(found)}), indent=2).decode()
    # It may be printed to a terminal, and JSON leaves C1 control characters as they are.
    return (hidden_as_json(text) + "\n").encode()


def as_json(result: object) -> dict[str, object]:
    """A result as a reader of its JSON has it: with lists where it has tuples."""
    found: dict[str, object] = msgspec.json.decode(msgspec.json.encode(result))
    return found
