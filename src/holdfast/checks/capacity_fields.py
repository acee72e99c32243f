"""The fields of a search's result that an expectation can name."""

from __future__ import annotations

from holdfast.checks.fields import Fields, fields_of
from holdfast.model.capacity import Capacity

_REASONS = {
    "rate_per_s": "no rate is known to hold",
    "interval": "no rate is known to hold, or none not to",
    "ended_by": "no rate was found that does not hold",
}


def capacity_fields() -> Fields:
    """Those of `capacity`; `rate` is the highest that holds."""
    named = fields_of(Capacity)
    return Fields("a search", named, "", ("place",), {"rate": "rate_per_s"}, {}, {}, _REASONS)
