"""The fields of a verdict that an expectation can name."""

from __future__ import annotations

from holdfast.checks.fields import Fields, fields_of
from holdfast.model.verdict import Verdict

# What a server can do, rather than what was offered to it this time.
FIRST = ("ceiling", "model", "overflow", "abandoned", "places", "cost", "limits", "target", "timing")


def verdict_fields() -> Fields:
    """Those of `probe`, `exec` and `attach`; from outside, `places` has one more."""
    return Fields("a verdict", fields_of(Verdict), first=FIRST)
