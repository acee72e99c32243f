"""A program of the person's own in front of the server: what accepts the requests hands them to another program.

nginx or Apache in front of gunicorn, say. A router of the server's own is not one.
"""

from __future__ import annotations

from holdfast.model.frozen import frozen


@frozen
class QueueBetween:
    """The accept queue of a socket on which the server takes what the front hands it, at one moment.

    Attributes:
        address, port: as of `model.address`.
        depth, limit: as of `Listener`.
        connections: that the server has accepted from it and holds; None where the kernel does not show them.
    """

    address: str
    port: int
    depth: int | None
    limit: int | None
    connections: int | None


@frozen
class SeenFront:
    """A front at one moment.

    Attributes:
        program: that accepts the requests.
        pids: of its processes that listen.
        server: the program that runs the handlers.
        queues: between the two; () where they were not found.
    """

    program: str
    pids: tuple[int, ...]
    server: str
    queues: tuple[QueueBetween, ...]

    def some_wait_behind(self, in_service: int) -> bool:
        """Whether requests wait between the two or in the server, and a queue between has room; False if not known."""
        depths = [each.depth for each in self.queues if each.depth is not None and each.limit is not None]
        taken = [each.connections for each in self.queues if each.connections is not None]
        if not self.queues or len(depths) < len(self.queues) or len(taken) < len(self.queues):
            return False
        has_room = any((each.depth or 0) <= (each.limit or 0) for each in self.queues)
        return has_room and sum(depths) + sum(taken) > in_service


@frozen
class Front:
    """Where requests are that the front has accepted and no handler has entered; None where that was not seen.

    `in_front`, `accept_queue` and `in_server` add up to `places.userspace_queue`.

    Attributes:
        program: that accepts the requests.
        pids: of its processes that listen.
        server: the program that runs the handlers.
        through: the sockets between the two, as a person writes them.
        in_front: requests that the front has not handed on.
        accept_queue: in the accept queue between the two.
        accept_queue_limit: its backlog in force.
        in_server: accepted by the server.
    """

    program: str
    pids: tuple[int, ...]
    server: str
    through: tuple[str, ...]
    in_front: int | None
    accept_queue: int | None
    accept_queue_limit: int | None
    in_server: int | None
