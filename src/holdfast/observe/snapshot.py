"""One look at everything that the kernel says about a listener."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.model.timeline import Snapshot
from holdfast.observe.kernel import KernelView
from holdfast.observe.routes import Door


def take_snapshot(
    kernel: KernelView,
    door: Door,
    counts: Callable[[], object],
    catch_up: Callable[[], object],
    now_ns: Callable[[], int],
) -> Snapshot:
    """Looks at the sockets and the listeners of one door, and says whether anything moved in the meantime.

    Args:
        counts: everything that moves while connections come and go.
        catch_up: is called after the look, before the counts are compared, so that they are up to date.
        now_ns: CLOCK_MONOTONIC.
    """
    before, began = counts(), now_ns()
    sockets = kernel.server_sockets(door)
    listeners = kernel.listeners(door)
    ended = now_ns()
    catch_up()
    return Snapshot(began, ended, counts() == before, listeners, sockets)
