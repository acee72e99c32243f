"""What a person is told while a run takes long, so that they know what they wait for: lines, or a view.

Decisions
---------
* A view is only offered where nothing is timed with precision: while a server starts, between two requests of the ramp,
  and in waits for a state whose instant does not count (`waits.turn_until`). The waits of exact load for its handlers,
  and those for what follows a disconnect, offer none.
* The first request shows how long the way to the view is. After the view with which its phase begins, there is none
  before that way is so long that a millisecond is lost in it.
* Bodies that run are timed in the server. Meanwhile a view comes once a second, for which a core that they share is
  taken from them for 0.2 % of the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from holdfast.model.live import LivePhase, LiveProbe, Watch
from holdfast.model.units import NS_PER_S

_FIRST_NS = 10 * NS_PER_S
"""Most runs have ended by then."""
_EVERY_NS = 20 * NS_PER_S
_WITHOUT_A_VIEW_NS = {LivePhase.FIRST_REQUEST: NS_PER_S // 4}
_VIEWS_APART_NS = {LivePhase.CALLING: NS_PER_S}


class Patience:
    """How long one run has taken, what it is doing, and when that was last told."""

    def __init__(
        self,
        tell: Callable[[str], None] | None = None,
        watch: Watch[LiveProbe] | None = None,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """The run begins.

        Args:
            tell: is given each line; None tells nothing.
            watch: is offered each view; None is offered none.
        """
        self._tell = tell
        self._watch = watch
        self._now_ns = now_ns
        self._phase = LivePhase.STARTING
        self._began_ns = self._next_view_ns = now_ns()
        self._pause_ns = 0
        self._next_ns = self._began_ns + _FIRST_NS

    def begin(self, phase: LivePhase) -> None:
        """This is what the run does from now on."""
        if phase is not self._phase:
            self._phase = phase
            self._next_view_ns = self._now_ns()
            self._pause_ns = _WITHOUT_A_VIEW_NS.get(phase, 0)

    def wait(self, what: Callable[[], str]) -> None:
        """Tells what is waited for, if it is time to.

        Args:
            what: gives that in words; called only if it is told.
        """
        if self._tell is None or self._now_ns() < self._next_ns:
            return
        self._next_ns = self._now_ns() + _EVERY_NS
        self._tell(f"After {(self._now_ns() - self._began_ns) / NS_PER_S:.0f} s: {what()}")

    def offer(self, seen: Callable[[LiveProbe], LiveProbe], *, at_once: bool = False) -> None:
        """Offers a view of the run as it is now.

        Args:
            seen: adds what is seen of it; called only if it is shown.
            at_once: as `Watch` has it.
        """
        if self._watch is None or (now_ns := self._now_ns()) < self._next_view_ns:
            return
        self._next_view_ns = now_ns + (self._pause_ns or _VIEWS_APART_NS.get(self._phase, 0))
        self._pause_ns = 0
        self._watch(lambda: seen(LiveProbe(self._phase, (self._now_ns() - self._began_ns) / NS_PER_S)), at_once=at_once)
