"""What a probe sees of a front: a program of the person's own that accepts the requests and hands them to the server.

The queue between the two is that of a listening socket of the server. Of several that it holds, it is the one with
connections while a request is held behind the front. A front may hand on to several servers (a load balancer): each
that runs a handler has a queue of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from holdfast.model.front import QueueBetween, SeenFront
from holdfast.model.timeline import Listener
from holdfast.observe.fronts import is_front, program_of
from holdfast.observe.kernel import KernelView
from holdfast.observe.routes import ListenAddress, UnixListenAddress
from holdfast.procfs.read import read_stat


class Behind:
    """A front, and the queues between it and the server, or each of several, once they are found.

    Attributes:
        addresses: of the sockets between the two; () before they are found.
    """

    def __init__(self, kernel: KernelView, pids: tuple[int, ...], handler: int, others: Iterable[Listener]) -> None:
        """Looks at nothing yet.

        Args:
            pids: of the front's processes that listen.
            handler: a process of the server that has run a handler.
            others: the listening sockets of the command but the front's own.
        """
        self._kernel = kernel
        self._pids = pids
        self._program, self._server = program_of(pids[0]), program_of(handler)
        self._others = tuple(others)
        self._handlers: set[int] = set()
        self._servers: list[tuple[Listener, ...]] = []
        self.addresses: tuple[ListenAddress, ...] = ()
        self._looked_with = 0
        self._kept_at: dict[ListenAddress, int] = {}
        self._add(handler)

    def _add(self, handler: int) -> None:
        """Adds the server to which a process belongs, unless it is known."""
        self._handlers.add(handler)
        stat = read_stat(handler)
        holders = (handler, stat.parent) if stat is not None else (handler,)
        # What was forked for one request has inherited the socket of its parent.
        held = (tuple(each for each in self._others if pid in each.pids) for pid in holders)
        listening = next((each for each in held if each), ())
        if listening and not set(listening) & set(self._candidates):
            self._servers.append(listening)
            self._looked_with = 0

    @property
    def _candidates(self) -> tuple[Listener, ...]:
        return tuple(each for listening in self._servers for each in listening)

    @property
    def _kept(self) -> int:
        return sum(self._kept_at.get(each, 0) for each in set(map(_address, self._candidates)))

    def note_kept(self) -> None:
        """Notes how many connections the front keeps over Unix sockets, while no request is under way."""
        unix = (each for each in map(_address, self._others) if isinstance(each, UnixListenAddress))
        self._kept_at = {each: self._connections(each) for each in unix}

    def find(self, held: int, handlers: Collection[int]) -> None:
        """Finds the queues that have not been found.

        Args:
            held: how many requests are held behind the front; while that stays the same, it does not look again.
            handlers: the processes that have run a handler.
        """
        for each in set(handlers) - self._handlers:
            self._add(each)
        lacking = [some for some in self._servers if not {*map(_address, some)} & {*self.addresses}]
        if lacking and held != self._looked_with:
            self._looked_with = held
            where = dict.fromkeys(address for some in lacking for address in map(_address, some))
            self.addresses += tuple(each for each in where if self._connections(each))

    @property
    def listening_at(self) -> tuple[ListenAddress, ...]:
        """The queues between, or where they may be before they are found."""
        return self.addresses or tuple(map(_address, self._candidates))

    @property
    def depth(self) -> int:
        """Connections in the queues between."""
        return sum(self._kernel.accept_queue(each).depth or 0 for each in self.addresses)

    def keeps_back(self, in_service: int) -> bool:
        """Whether the server has no request but those in service, so that all others wait in the front.

        Where it may have some that cannot be told from connections that are kept, too.
        """
        taken, depths = self._taken(), {self._kernel.accept_queue(each).depth for each in self.addresses}
        return depths == {0} and taken - self._kept <= in_service <= taken

    @property
    def finds_room(self) -> bool:
        """Whether a queue between the two is not full."""
        return any(not self._kernel.accept_queue(each).full for each in self.addresses)

    def is_clear(self, in_service: int, under_way: int) -> bool:
        """Whether it is known which connections between the two have a request, and which are kept for a later one.

        A front that has handed on more than are in service, and has a connection for each that is under way, keeps
        none: it would use those that it keeps.

        Args:
            under_way: requests that have not ended, those in service included.
        """
        taken = self._taken()
        all_handed_on = taken + self.depth == under_way and taken - self._kept > in_service
        return not self._kept or taken == in_service or all_handed_on

    @property
    def program(self) -> str:
        """What the front is called."""
        return self._program

    @property
    def room(self) -> int | None:
        """How many requests the front may hand on at once so that none finds a queue full; None where none can.

        Into a full queue of a port, the kernel repeats its SYN, and the request waits in the front. A Unix socket
        refuses, and the front answers with an error.
        """
        unix = [each for each in self.addresses if isinstance(each, UnixListenAddress)]
        spares = [self._kernel.accept_queue(each).spare for each in unix]
        return min((each for each in spares if each is not None), default=None)

    def seen(self, in_service: int, under_way: int) -> SeenFront:
        """All of it as it is now.

        Args:
            in_service, under_way: as of `is_clear`.
        """
        queues, is_clear = [], self.is_clear(in_service, under_way)
        # Workers that share a port have a socket each there (SO_REUSEPORT); the kernel's numbers are those of all.
        for address, listener in {_address(each): each for each in self._candidates}.items():
            if address in self.addresses:
                queue = self._kernel.accept_queue(address)
                taken = self._connections(address) if is_clear else None
                queues.append(QueueBetween(listener.address, listener.port, queue.depth, queue.limit, taken))
        return SeenFront(self._program, self._pids, self._server, tuple(queues))

    def _taken(self) -> int:
        return sum(map(self._connections, self.addresses))

    def _connections(self, address: ListenAddress) -> int:
        """That the server has accepted and not closed; of a port, but for those on which it has answered.

        A front keeps a connection whose request has been answered for the next one. Of Unix sockets the kernel does
        not show who sent last.
        """
        ends = self._kernel.server_sockets(address)
        held = [each for each in ends if each.accepted and each.state in {"ESTABLISHED", "CLOSE_WAIT"}]
        if isinstance(address, UnixListenAddress):
            return len(held)
        kept = {(each.peer_address, each.peer_port) for each in self._kernel.volumes() if each.sent_last}
        return sum((each.peer_address, each.peer_port) not in kept for each in held)


def behind_a_front(
    kernel: KernelView, accepting: tuple[int, ...], handler: int, listening: Iterable[Listener]
) -> Behind | None:
    """The front that these processes are, or None: then they are the server, or a part of it.

    Args:
        accepting: processes that listen where requests are sent.
        handler: a process that has run a handler.
        listening: every listening socket of the command.
    """
    if not accepting or not is_front(accepting, handler):
        return None
    others = [each for each in listening if not set(accepting) & set(each.pids)]
    return Behind(kernel, accepting, handler, others)


def _address(listener: Listener) -> ListenAddress:
    return listener.port or UnixListenAddress(listener.inode)
