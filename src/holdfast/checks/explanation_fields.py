"""The fields of an explanation that an expectation can name: a name means what it means of its verdict."""

from __future__ import annotations

from holdfast.checks.fields import Fields, fields_of
from holdfast.checks.verdict_fields import FIRST
from holdfast.model.explanation import Explanation

VERDICT = "verdict"
_REASONS = {
    "cost.": "no trial measured it",
    "reached": "no trial had a verdict",
    "advice": "no settings were asked for (--want, --rate), or it ended before",
    "overload": "--overload was not asked for, or it ended before",
    "silent": "--silent was not asked for, or it ended before",
}


def explanation_fields() -> Fields:
    """Those of `explain`."""
    first = tuple(f"{VERDICT}.{part}" for part in FIRST)
    return Fields("an explanation", fields_of(Explanation), VERDICT, first, reasons=_REASONS)
