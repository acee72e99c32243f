"""Results as one JSON object each (schema 1); null fields of a verdict have their reason under `unknown`."""

from __future__ import annotations

import msgspec

from holdfast.model.explanation import Explanation
from holdfast.model.installed import Installed
from holdfast.model.load import LoadResult
from holdfast.model.printable import hidden_as_json
from holdfast.model.study import StudyResult
from holdfast.model.verdict import Verdict


def verdict_json(verdict: Verdict) -> bytes:
    """One indented JSON object with a newline at its end; `schema` comes first."""
    return json_of(verdict)


def study_json(result: StudyResult) -> bytes:
    """The table of a study, each row with its whole verdict, as one JSON object."""
    return json_of(result)


def servers_json(installed: Installed) -> bytes:
    """What is installed, as one JSON object."""
    return json_of(installed)


def load_json(result: LoadResult) -> bytes:
    """What a load run came to, as one JSON object."""
    return json_of(result)


def explanation_json(explanation: Explanation) -> bytes:
    """What decides, with every trial, as one JSON object."""
    return json_of(explanation)


def json_of(value: Verdict | StudyResult | Installed | LoadResult | Explanation) -> bytes:
    """Any of these as one JSON object."""
    fields = msgspec.to_builtins(value)
    ordered = {"schema": fields.pop("schema"), **fields}
    text = msgspec.json.format(msgspec.json.encode(ordered), indent=2).decode()
    # It may be printed to a terminal, and JSON leaves C1 control characters as they are.
    return (hidden_as_json(text) + "\n").encode()
