"""The servers that journeys lead to: connections to each of them, and one wait for all.

An epoll descriptor is readable as long as one of its sockets is ready (epoll(7)), so those of all servers are waited
for with another one. Where there is one server only, its own is waited for, which saves two calls a turn.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Sequence

from holdfast.engine.columns import Columns
from holdfast.engine.kept_replies import KeepingConnections, keeping_connections
from holdfast.engine.target import Target
from holdfast.engine.waiting import Waiting
from holdfast.errors import HoldfastError
from holdfast.model.units import NS_PER_S


class Origin:
    """A server, and our connections to it.

    Attributes:
        host_field: value of the Host field.
    """

    __slots__ = ("connections", "host_field")

    def __init__(self, connections: KeepingConnections, host_field: str) -> None:
        self.connections = connections
        self.host_field = host_field


class Origins:
    """All servers that were asked for so far."""

    def __init__(
        self,
        columns: Columns,
        target_of: Callable[[str], Target],
        request_of: Callable[[int], bytes],
        sources: Sequence[str],
    ) -> None:
        """Connects to none yet.

        Args:
            target_of: origin -> where it is; raises HoldfastError if nothing may be sent there.
            request_of: row -> its request's bytes.
            sources: our own addresses; none leaves the choice to the kernel.
        """
        self._columns = columns
        self._target_of = target_of
        self._request_of = request_of
        self._sources = sources
        self._known: dict[str, Origin | HoldfastError] = {}
        self._by_descriptor: dict[int, KeepingConnections] = {}
        self._by_target: dict[object, Origin] = {}
        self._waiting: Waiting | None = None

    def at(self, origin: str) -> Origin:
        """The server of an origin, which is looked up once.

        Raises:
            HoldfastError: there is no such host, or nothing may be sent there.
        """
        found = self._known.get(origin)
        if found is None:
            try:
                found = self._made(self._target_of(origin))
            except HoldfastError as error:
                found = error
            self._known[origin] = found
        if isinstance(found, HoldfastError):
            raise found
        return found

    def may(self, origin: str) -> bool:
        """Whether something may be sent there."""
        try:
            self.at(origin)
        except HoldfastError:
            return False
        return True

    def all(self) -> Iterator[KeepingConnections]:
        """The connections to each server."""
        yield from self._by_descriptor.values()

    def turn(self, wait_ns: int) -> None:
        """Waits at most `wait_ns` for events, and carries out all that are there."""
        if self._waiting is None:
            for connections in self._by_descriptor.values():
                connections.turn(wait_ns)
                return
            select.select((), (), (), max(0, wait_ns) / NS_PER_S)
            return
        for descriptor, _ in self._waiting.wait(wait_ns):
            self._by_descriptor[descriptor].turn(0)

    @property
    def idle_ns(self) -> int:
        """How long there was nothing to do but to wait."""
        own = 0 if self._waiting is None else self._waiting.idle_ns
        return own + sum(each.idle_ns for each in self._by_descriptor.values())

    def forget(self, client: int) -> None:
        """Closes the connections that a client has kept."""
        for connections in self._by_descriptor.values():
            connections.forget(client)

    def close(self) -> None:
        """Closes every connection."""
        for connections in self._by_descriptor.values():
            connections.close()
        if self._waiting is not None:
            self._waiting.close()

    def _made(self, target: Target) -> Origin:
        # Two names of one place (its default port written or not) are one origin.
        key = (target.addresses[0], target.url.port, target.tls, target.url.host_field)
        if (known := self._by_target.get(key)) is not None:
            return known
        connections = keeping_connections(
            target.addresses[0], target.url.port, self._request_of, self._columns, self._sources, tls=target.tls
        )
        made = self._by_target[key] = Origin(connections, target.url.host_field)
        if self._by_descriptor and self._waiting is None:
            self._waiting = Waiting()
            for each in self._by_descriptor.values():
                self._waiting.register(each, select.EPOLLIN)
        self._by_descriptor[connections.fileno()] = connections
        if self._waiting is not None:
            self._waiting.register(connections, select.EPOLLIN)
        return made
