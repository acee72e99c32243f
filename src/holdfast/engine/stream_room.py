"""Which connection of a load over HTTP/2 the next request goes to, and how many there is room for; pure."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.engine.stream_link import StreamLink
from holdfast.model.frozen import frozen


@frozen
class Streams:
    """How many there are.

    Attributes:
        most: at once on a connection.
        connections: how many there are; None is as many as are needed.
    """

    most: int
    connections: int | None


class LinksWithRoom:
    """The connections that take requests.

    Attributes:
        advertised: SETTINGS_MAX_CONCURRENT_STREAMS as it last came on any; None where it never did.
    """

    __slots__ = ("_in_all", "_taking", "_use", "_with_room", "advertised")

    def __init__(self, use: Streams) -> None:
        self._use = use
        self._taking: set[StreamLink] = set()
        self._with_room: dict[StreamLink, None] = {}
        self._in_all: int | None = None
        self.advertised: int | None = None

    def add(self, link: StreamLink) -> None:
        """A new connection."""
        self._taking.add(link)
        self.changed()

    def remove(self, link: StreamLink) -> None:
        """A connection that takes nothing further."""
        self._taking.discard(link)
        self._with_room.pop(link, None)
        self.changed()

    def next(self) -> StreamLink | None:
        """The connection that the next request goes to; None is a new one."""
        most = self._use.connections
        if most is not None and len(self._taking) < most:
            return None
        if not self._with_room:
            return None if most is None else min(self._taking, key=lambda each: each.in_flight)
        link = next(iter(self._with_room))
        if most is not None:
            # Each in its turn.
            del self._with_room[link]
            self._with_room[link] = None
        return link

    def look_at(self, link: StreamLink) -> None:
        """Notes whether a connection takes another request."""
        client = link.client
        capacity = client.capacity
        if capacity != link.capacity:
            link.capacity = capacity
            self.changed()
        if client.leaving:
            self._taking.discard(link)
        if client.settled:
            self.advertised = client.advertised
        else:
            # As many as the last one took, until its own settings come.
            capacity = self._use.most if self.advertised is None else min(self._use.most, self.advertised)
        if link in self._taking and link.in_flight < capacity:
            self._with_room.setdefault(link)
        else:
            self._with_room.pop(link, None)

    def changed(self) -> None:
        """How many there is room for is to be counted anew."""
        self._in_all = None

    def in_all(self, links: Iterable[StreamLink]) -> int | None:
        """How many requests may be in flight at once on these connections and new ones; None sets no bound."""
        if self._use.connections is None:
            return None
        if self._in_all is None:
            missing = max(0, self._use.connections - len(self._taking))
            leaving = sum(each.in_flight for each in links if each not in self._taking)
            # A server may take none for a while (RFC 9113, 6.5.2); what waits for it can time out.
            self._in_all = missing + leaving + sum(max(1, each.client.capacity) for each in self._taking)
        return self._in_all
