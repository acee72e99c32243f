"""Whether what listens is the server, or only passes connections on to it, as a published port or a tunnel does.

A forwarder accepts whatever comes, and opens a connection of its own for it. Its accept queue, its processes and its
processor time are not the server's. It is known by what it carries: a connection that it opens while it has ours, and
on which it has sent exactly as many bytes as it has received of us. A proxy for HTTP writes a request of its own, of
another length; it is a server, in front of another one. What puts all connections into one, as `ssh -L` does, opens
none for ours; it is known by its name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePath

from holdfast.attaching.rounds import Look, watched
from holdfast.model.address import shown
from holdfast.model.frozen import frozen
from holdfast.model.outside import Round
from holdfast.observe.process_info import name_of, read_arguments
from holdfast.observe.processes import read_process_tree, socket_inodes
from holdfast.observe.tcp import TcpVolume

_TUNNELS = frozenset({"ssh", "sshd", "kubectl", "oc", "rootlessport", "slirp4netns", "pasta", "passt", "gvproxy"})


@frozen
class Forwarder:
    """A process that passes our connections on.

    Attributes:
        to: where, as people write it; "" where that is not seen.
    """

    pid: int
    name: str
    to: str

    def words(self, port: int) -> str:
        """What follows from it for the figures."""
        to = f" to {self.to}" if self.to else ""
        return (
            f"What listens on port {port}, {self.name} (pid {self.pid}), passes connections on{to}. Its accept queue "
            "is not the server's, so the server's queues are not told apart."
        )


def tunnel(pids: Collection[int]) -> Forwarder | None:
    """The process among these that is known by its name to pass all connections on through one; None if there is none.

    Args:
        pids: of the processes that listen.
    """
    for pid in sorted(pids):
        # Of ssh there is also a title: "sshd: ann@pts/0".
        name = PurePath(name_of(read_arguments(pid)) or "").name
        if name in _TUNNELS:
            return Forwarder(pid, name, "")
    return None


def watched_single(look: Look, pids: Collection[int], port: int, at_ns: int) -> tuple[Round, Forwarder | None]:
    """Sends one request, and gives the process that was seen to pass it on while it was not answered, or None.

    Args:
        pids: of the processes that listen, and of those that descend from them.
        port: on which they listen.
        at_ns: how long after its begin to look.
    """
    before = _held(pids)
    found: list[Forwarder] = []

    def look_once() -> None:
        # It may have made a process for this connection, as inetd does.
        now = _held(read_process_tree(*pids))
        seen = None if look.kernel is None else _forwarder(look.kernel.volumes(), before, now, port)
        found.extend([seen] if seen is not None else [])

    return watched(look, at_ns, look_once), found[0] if found else None


def _forwarder(
    volumes: Collection[TcpVolume], before: Mapping[int, int], now: Mapping[int, int], port: int
) -> Forwarder | None:
    new = [each for each in volumes if each.inode in now and each.inode not in before]
    received = {each.received_bytes for each in new if each.port == port} - {0}
    for each in new:
        # Of a connection that was opened at this end, the kernel counts the SYN too.
        if each.port != port and {each.sent_bytes, each.sent_bytes - 1} & received:
            pid = now[each.inode]
            name = name_of(read_arguments(pid)) or "a program"
            return Forwarder(pid, PurePath(name).name, shown(each.peer_address, each.peer_port))
    return None


def _held(pids: Collection[int]) -> dict[int, int]:
    """The sockets that these processes hold, by inode, each with one that holds it."""
    return {inode: pid for pid in sorted(pids, reverse=True) for inode in socket_inodes(pid)}
