"""The fields of an explanation that an expectation can name: a name means what it means of its verdict."""

from __future__ import annotations

from holdfast.checks.fields import Fields, fields_of
from holdfast.checks.verdict_fields import FIRST
from holdfast.model.explanation import Explanation

VERDICT = "verdict"


def explanation_fields() -> Fields:
    """Those of `explain`."""
    return Fields("an explanation", fields_of(Explanation), VERDICT, tuple(f"{VERDICT}.{part}" for part in FIRST))
