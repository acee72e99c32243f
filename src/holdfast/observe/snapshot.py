"""One look at everything that the kernel says about a listener."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.model.timeline import Snapshot
from holdfast.observe.kernel import KernelView
from holdfast.observe.routes import ListenAddress


def take_snapshot(
    kernel: KernelView,
    listen_address: ListenAddress,
    counts: Callable[[], object],
    catch_up: Callable[[], object],
    now_ns: Callable[[], int],
) -> Snapshot:
    """Looks at the sockets and the listeners of one listen address, and says whether anything moved in the meantime.

    Args:
        counts: everything that moves while connections come and go.
        catch_up: is called after the look, before the counts are compared, so that they are up to date.
        now_ns: CLOCK_MONOTONIC.
    """
    before, began = counts(), now_ns()
    sockets = kernel.server_sockets(listen_address)
    listeners = kernel.listeners(listen_address)
    ended = now_ns()
    catch_up()
    return Snapshot(began, ended, counts() == before, listeners, sockets)
