"""How long a server may take for what it is waited for, where other programs may keep it from running meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.model.units import MS, NS_PER_S
from holdfast.probing.ramp_pace import STARVED
from holdfast.probing.session import Session
from holdfast.probing.waits import NOTHING_HELD, Turning, free_time_of, turn_until

# A forked child, which lives for a moment only, is seen to wait for a core where it waits for longer than that.
_LOOK_NS = 100 * MS


def spent_ns(wall_ns: int, free_ns: int | None) -> int:
    """How much of a limit is used up: the time in which the server was free to run.

    Args:
        wall_ns: since the limit began.
        free_ns: for how much of it the server was free; None where that is not known, and all of it counts. At least a
            STARVED-th of it counts in any case.
    """
    return wall_ns if free_ns is None else max(wall_ns // STARVED, min(free_ns, wall_ns))


class Allowance:
    """A limit of which only the time counts in which the server was free to run. It begins at once."""

    def __init__(self, session: Session, limit_s: float) -> None:
        self._session = session
        self._limit_ns = int(limit_s * NS_PER_S)
        self._began_ns = session.now_ns()
        self._free = free_time_of(session)
        self._look()

    def turn_until(self, prober: Turning, reached: Callable[[], bool]) -> bool:
        """Turns the load's loop until a state is reached; False if it did not come within what is left."""
        while not turn_until(self._session, prober, reached, max(0, min(self._left_ns(), _LOOK_NS)) / NS_PER_S):
            self._look()
            if self._left_ns() <= 0 or self._session.interrupts.asked:
                return False
        return True

    def _look(self) -> None:
        self._free.look(lambda: NOTHING_HELD.nothing_else)

    def _left_ns(self) -> int:
        return self._limit_ns - spent_ns(self._session.now_ns() - self._began_ns, self._free.total_ns)
