"""What a load says of its own pace: true of any machine that has other things to do, so not what most tests ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from holdfast.errors import EXIT_INCONCLUSIVE

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


def unless_late(code: int, result: dict[str, Any]) -> int:
    """The exit code of a load whose result is `code` where it kept its own pace: 3 where it says that it did not."""
    late = len(apart_from_lateness(result["warnings"])) < len(result["warnings"])
    return EXIT_INCONCLUSIVE if late and result["generator_limited"] else code
