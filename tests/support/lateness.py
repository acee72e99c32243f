"""What a load says of its own pace: true of any machine that has other things to do, so not what most tests ask."""

from __future__ import annotations

from collections.abc import Iterable

_OWN_PACE = (
    "They were to begin together, and it took the load ",
    "At least one request in a hundred began ",
    "The load was late: ",
    "The load was busy all the time ",
    "The load itself stood still, ",
)


def apart_from_lateness(warnings: Iterable[str]) -> list[str]:
    """The warnings of a load that are not about how late its own processes were."""
    return [each for each in warnings if not each.startswith(_OWN_PACE)]
