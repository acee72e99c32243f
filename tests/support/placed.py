"""How many requests a verdict has in its places."""

from __future__ import annotations

from typing import Any


def placed(verdict: dict[str, Any]) -> int:
    """The sum of all places; `before_view` says again of some in `userspace_queue` where they wait."""
    return sum(count for name, count in verdict["places"].items() if name != "before_view")
