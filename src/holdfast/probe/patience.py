"""A line now and then while a run takes long, so that the person who waits for it knows what for."""

from __future__ import annotations

import time
from collections.abc import Callable

from holdfast.model.units import NS_PER_S

_FIRST_NS = 10 * NS_PER_S
"""Most runs have ended by then."""
_EVERY_NS = 20 * NS_PER_S


class Patience:
    """How long one run has taken, and when that was last told."""

    def __init__(
        self, tell: Callable[[str], None] | None = None, now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """The run begins.

        Args:
            tell: is given each line; None tells nothing.
        """
        self._tell = tell
        self._now_ns = now_ns
        self._began_ns = now_ns()
        self._next_ns = self._began_ns + _FIRST_NS

    def wait(self, what: Callable[[], str]) -> None:
        """Tells what is waited for, if it is time to.

        Args:
            what: gives that in words; called only if it is told.
        """
        if self._tell is None or self._now_ns() < self._next_ns:
            return
        self._next_ns = self._now_ns() + _EVERY_NS
        self._tell(f"After {(self._now_ns() - self._began_ns) / NS_PER_S:.0f} s: {what()}")
