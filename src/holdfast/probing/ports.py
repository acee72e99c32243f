"""The port on which the server is to listen: a free one, or an error that says why it is not free."""

from __future__ import annotations

import random
import socket
from collections import deque
from pathlib import Path

from holdfast.errors import EnvironmentFailure
from holdfast.observe.kernel import KernelView
from holdfast.observe.routes import Route
from holdfast.procfs.read import read_ephemeral_ports

_FIRST_PORT = 15_000
_TRIES = 100

# Of the latest ports that this process chose. Each is kept by a name that only one socket in the port's own network
# namespace can have, and that ends with the process (unix(7), abstract addresses).
_MOST_KEPT = 16
_kept: deque[socket.socket] = deque()


def free_port() -> int:
    """A port that is unused on every address, kept for this process as `keep_port` does."""
    port, kept = keep_port()
    if kept is not None:
        _kept.append(kept)
    if len(_kept) > _MOST_KEPT:
        _kept.popleft().close()
    return port


def keep_port() -> tuple[int, socket.socket | None]:
    """A port that is unused on every address, and what keeps any other holdfast from choosing it until it is closed.

    It is not one of those that the kernel gives to clients: between this look and the server's own bind, any client
    on this machine might get it, and a load test in another process opens a thousand a second. Another holdfast that
    draws the same number meanwhile would find it unused too.

    Returns:
        None as the second where the kernel chose: few ports are not given to clients, or none of those is free.
    """
    last = read_ephemeral_ports().start - 1
    for _ in range(_TRIES if last > _FIRST_PORT else 0):
        port = random.randint(_FIRST_PORT, last)  # noqa: S311 - to be spread, not to be secret
        if _can_be_bound(port) and (kept := _keep_from_others(port)):
            return port, kept
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1]), None


def check_listen_address(port: int | None, address: str | None, kernel: KernelView, *, own: bool) -> None:
    """Checks that a server can listen there, and be seen to.

    Args:
        port, address: as in `model.address`; the address matters only for a Unix socket. None is not known yet.
        own: it is a person's own command, which may take over an older server's socket on purpose.

    Raises:
        EnvironmentFailure: another process listens there already, or the kernel does not show such sockets.
    """
    if port is not None:
        check_free(port, kernel)
    elif address is not None:
        check_unix_shown(kernel)
        if not own:
            check_unix_unused(address, kernel)


def check_free(port: int, kernel: KernelView) -> None:
    """Raises EnvironmentFailure if another process listens on this port already."""
    if kernel.listeners(port):
        raise EnvironmentFailure(
            f"Port {port} is taken.",
            "Another process listens on it, so what would be measured is not the server that is started.",
            "Choose another --port, omit it to get a free one, or end that process "
            f"(ss -ltnp 'sport = :{port}' names it).",
        )


def check_unix_shown(kernel: KernelView) -> None:
    """Raises EnvironmentFailure if the kernel does not show listening Unix sockets: none would ever be found."""
    if kernel.unix_listeners() is None:
        raise EnvironmentFailure(
            "Unix sockets cannot be probed on this machine.",
            "Its kernel does not show what waits in their queues (no sock_diag, or no module unix_diag).",
            "Let the server listen on a port of 127.0.0.1, or load the module (modprobe unix_diag).",
        )


def check_unix_unused(path: str, kernel: KernelView) -> None:
    """Raises EnvironmentFailure if another process listens on this Unix socket: most servers would replace it."""
    try:
        inode = Path(path).stat().st_ino
    except OSError:
        return
    if any(each.is_file(inode) for each in kernel.unix_listeners() or ()) and _takes_connections(path):
        raise EnvironmentFailure(
            f"The Unix socket {path} is taken.",
            "Another process listens on it, and the server to be probed would take its path over.",
            f"Choose another path, or end that process (ss -lxp 'src = {path}' names it).",
        )


def _takes_connections(path: str) -> bool:
    # A file of the same number may lie on another device, and devices cannot be compared: where file systems lie on
    # one another, or in volumes (overlayfs, btrfs), stat(2) and unix_diag tell different ones.
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def check_alone(route: Route, kernel: KernelView) -> None:
    """Raises EnvironmentFailure if another process listens on the server's port too (SO_REUSEPORT)."""
    ours = {each.inode for each in route.listeners}
    if any(each.inode not in ours for each in kernel.listeners(route.port) if each.address == route.listens_on):
        raise EnvironmentFailure(
            f"Another process listens on port {route.port} too.",
            "The kernel distributes the connections over all of them, so not every request would reach this server.",
            f"End that process (ss -ltnp 'sport = :{route.port}' names it), or choose another port.",
        )


def _keep_from_others(port: int) -> socket.socket | None:
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0holdfast-port-{port}")
    except OSError:
        name.close()
        return None
    return name


def _can_be_bound(port: int) -> bool:
    # An IPv6 socket bound to every address conflicts with everything else on that port.
    family, everywhere = (socket.AF_INET6, "::") if socket.has_dualstack_ipv6() else (socket.AF_INET, "0.0.0.0")  # noqa: S104
    with socket.socket(family) as probe:
        if family is socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            probe.bind((everywhere, port))
        except OSError:
            return False
    return True
