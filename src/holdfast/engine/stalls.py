"""How long a load process did nothing for its requests although it had some; pure.

Facts
-----
* A process that is stopped (SIGSTOP, Ctrl-Z, a paused container), or that gets no core, cannot read a reply: it stamps
  the reply's end when it runs again. In the closed model nothing is due meanwhile, so no pacing lag shows it, and the
  stall looks like the server's latency.
* A turn of the loop waits at most as long as it was asked to, and then has 12 ms of work at most: 512 events of 18 us
  and 64 new connections of 50 us (measured).

Decisions
---------
* What a turn takes beyond the wait that it was asked for is a stall from STALL_NS on, four times the most of its own
  work. Less than the longest wait (`timeouts.IDLE_NS`) of a stall is not seen if it begins within a wait.
* One stall of LONG_NS, or stalls of SHARE of the time, are a fault of the load and not a property of the server. From
  TOLD_NS on a stall is told.
* In a short load, one hiccup of the machine is such a share, so there it is none. What the load is known to have done
  itself is one there too, from TOLD_NS in all on.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.engine.reports import WorkerReport
from holdfast.model.units import MS, NS_PER_S

STALL_NS = 50 * MS
TOLD_NS = 100 * MS
LONG_NS = 200 * MS
SHARE = 0.05
_LONG_ENOUGH_S = 0.5


class Stalls:
    """The stalls of one load process.

    Attributes:
        longest_ns, total_ns: the longest of them, and all together; 0 without any.
    """

    __slots__ = ("longest_ns", "total_ns")

    def __init__(self) -> None:
        self.longest_ns = self.total_ns = 0

    def add(self, beyond_ns: int) -> None:
        """Counts a turn with something to do that took `beyond_ns` more than it was asked to wait."""
        if beyond_ns >= STALL_NS:
            self.longest_ns = max(self.longest_ns, beyond_ns)
            self.total_ns += beyond_ns


def stalled(reports: Sequence[WorkerReport]) -> str | None:
    """The worst stalls of a load's processes, in words; None if there is nothing to tell."""
    worst = max(reports, key=lambda each: (_is_fault(each), each.longest_stall_s), default=None)
    if worst is None or not (_is_fault(worst) or worst.longest_stall_s * NS_PER_S >= TOLD_NS):
        return None
    return (
        f"The load itself stood still, for {worst.longest_stall_s:.2f} s at most and {worst.stalled_s:.2f} s in all, "
        "while requests were due or in flight: it was stopped, had no core, or was busy with its own work. So much of "
        "the latencies is not the server's."
    )


def stalls_limit(reports: Sequence[WorkerReport]) -> bool:
    """Whether stalls were so long that the load says nothing certain about the server."""
    return any(map(_is_fault, reports))


def is_fault(longest_s: float, total_s: float, lasted_s: float, *, own: bool = False) -> bool:
    """Whether stalls are a fault of the load: the longest of them, all of them, and the load's time.

    Args:
        own: they are known to be the load's own work.
    """
    enough = lasted_s > _LONG_ENOUGH_S or (own and total_s * NS_PER_S >= TOLD_NS)
    return longest_s * NS_PER_S >= LONG_NS or (enough and total_s >= SHARE * lasted_s)


def _is_fault(report: WorkerReport) -> bool:
    return is_fault(report.longest_stall_s, report.stalled_s, report.lasted_s)
