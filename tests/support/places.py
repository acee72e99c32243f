"""The places of a verdict's JSON."""

from __future__ import annotations

from collections.abc import Mapping


def in_all(places: Mapping[str, int]) -> int:
    """How many requests are in all places together; `before_view` is a part of one of them."""
    return sum(count for name, count in places.items() if name != "before_view")
