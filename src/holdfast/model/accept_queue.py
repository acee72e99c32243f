"""How full an accept queue is: the one place that says when it is full, and how many more SYNs fit."""

from __future__ import annotations

from holdfast.model.frozen import frozen


@frozen
class AcceptQueue:
    """A listener's accept queue at one instant, or several queues counted as one.

    Linux lets a queue hold one connection more than its backlog: it is full when its depth exceeds the limit. A SYN
    that meets a full queue is dropped, and the client sends it again after about a second.

    Attributes:
        depth: connections that wait to be accepted; None where nothing listens or the kernel does not say.
        limit: one less than the queue holds: the backlog in force. None where it is not known.

    Source: sk_acceptq_is_full(), include/net/sock.h; unix_recvq_full(), net/unix/af_unix.c.
    """

    depth: int | None = None
    limit: int | None = None

    @property
    def full(self) -> bool:
        """Whether the next SYN would be dropped; False where that is not known."""
        return self.room == 0

    @property
    def room(self) -> int | None:
        """How many more SYNs fit before it is full; None where that is not known."""
        if self.depth is None or self.limit is None:
            return None
        return max(0, self.limit + 1 - self.depth)

    @property
    def spare(self) -> int | None:
        """How many more SYNs may be sent with half of the queue left to other clients; None where it is not known.

        A queue that holds one or two has room for one like this while it is empty.
        """
        if self.depth is None or self.limit is None:
            return None
        return max(0, self.limit // 2 + 1 - self.depth)
