"""What counts as an answer: statuses, and what a body must be like; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast.model.frozen import frozen

if TYPE_CHECKING:
    from holdfast.model.scenario import Check  # the models of a load take a twentieth of a probe's start

FIRST_ERROR_STATUS = 400
NO_ERROR = frozenset(range(FIRST_ERROR_STATUS))


class TooSlowError(Exception):
    """A check did not end in time; the message says so in words."""


@frozen
class Acceptance:
    """What a reply must be like for its request to count as answered.

    Attributes:
        expected: statuses; None accepts all below 400.
        checks: of the body; all must hold.
    """

    expected: frozenset[int] | None = None
    checks: tuple[Check, ...] = ()

    @property
    def has_patterns(self) -> bool:
        """Whether a check is a regular expression, which may take any time."""
        return any(check.pattern for check in self.checks)


def holds(check: Check, body: bytes) -> bool:
    """Whether a body passes the check."""
    text = check.text.encode()
    if check.pattern:
        found = (re.fullmatch if check.whole else re.search)(text, body) is not None
    else:
        found = body == text if check.whole else text in body
    return found is check.wanted


def body_holds(checks: Sequence[Check], body: bytes) -> bool:
    """Whether a body passes all checks."""
    return all(holds(check, body) for check in checks)
