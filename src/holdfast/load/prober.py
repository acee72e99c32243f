"""The load as the probe drives it: so many connections more now, then a look at what became of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

from holdfast.load.columns import Columns
from holdfast.load.connecting import connections_to
from holdfast.load.endpoint import Tls
from holdfast.load.local_limits import raise_descriptor_limit, restore_descriptor_limit
from holdfast.model.places import Outcome


class Prober:
    """Requests that are opened a few at a time and held; a context manager that closes its sockets.

    While it is open, the soft RLIMIT_NOFILE of this process is the hard one.

    Attributes:
        columns: the rows of all requests; rows from `offered` up are empty.
        offered: requests opened so far; ids are 0..offered-1.
    """

    def __init__(
        self,
        address: str,
        port: int,
        head_of: Callable[[int], bytes],
        capacity: int,
        sources: Sequence[str] = (),
        *,
        tls: Tls | None = None,
    ) -> None:
        """Opens no connection yet.

        Args:
            address: where to connect to, IPv4, IPv6, a name or a Unix socket (`model.address`).
            head_of: id -> the request's bytes.
            capacity: most requests that can be opened.
            sources: our own addresses, used in turn; none leaves the choice to the kernel.
            tls: None speaks plain HTTP.

        Raises:
            EnvironmentFailure: the name cannot be looked up, or the path of the socket is too long.
        """
        self.columns = Columns(capacity)
        self.offered = 0
        self._soft_limit = raise_descriptor_limit()
        self._connections = connections_to(address, port, head_of, self.columns, sources, tls)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every socket; requests that have not ended stay PENDING."""
        self._connections.close()
        restore_descriptor_limit(self._soft_limit)

    @property
    def sources(self) -> tuple[str, ...]:
        """Our addresses, as `columns.source` counts them."""
        return tuple(self._connections.sources) or ("",)

    @property
    def connecting(self) -> int:
        """Requests whose SYN is sent and not answered, however often the kernel has repeated it."""
        return self._connections.connecting

    @property
    def established(self) -> int:
        """Requests that are connected and have not ended."""
        return self._connections.established

    @property
    def ended(self) -> int:
        """Requests with an outcome other than PENDING."""
        return self._connections.ended

    @property
    def failure(self) -> tuple[int, str] | None:
        """Number and words of the first failure on our own side; None if there was none."""
        return self._connections.failure

    @property
    def notes(self) -> list[str]:
        """Doubts about replies that count all the same."""
        excess = self._connections.replies[0].excess
        return [f"{excess} replies were followed by more bytes than they announced"] if excess else []

    def open(self, count: int) -> list[int]:
        """Opens at most `count` connections more now; each sends its request once it is connected.

        Stops at the first that our own side has no means for: that one is FAILED and `failure`
        says why. Stops at the capacity too.

        Returns:
            The new ids, one that FAILED included.
        """
        opened: list[int] = []
        for id_ in range(self.offered, min(self.offered + count, self.columns.capacity)):
            opened.append(id_)
            self.offered += 1
            if not self._connections.open(id_):
                break
        return opened

    def turn(self, timeout_ns: int) -> int:
        """Waits at most that long for events, carries out every one, and returns how many there were."""
        return self._connections.turn(timeout_ns)

    def pending(self) -> list[int]:
        """Ids that have not ended, ascending."""
        return self._connections.pending()

    def give_up(self, ids: Iterable[int], *, reset: bool = False) -> None:
        """Closes our end of these requests by FIN, or by RST; ended ones are left as they are."""
        self._connections.give_up(ids, reset=reset)

    def expire(self, ids: Iterable[int]) -> None:
        """The time of these requests is over; ended ones are left as they are."""
        for id_ in ids:
            self._connections.expire(id_)

    def outcome_counts(self) -> dict[Outcome, int]:
        """How many requests have each outcome, PENDING included; outcomes that none has are left out."""
        counts = Counter(self.columns.outcome[: self.offered])
        return {Outcome(value): count for value, count in sorted(counts.items())}

    @property
    def location(self) -> str:
        """Where the last redirect leads; "" where there was none."""
        return self._connections.replies[0].location

    def finding(self) -> str | None:
        """What the first reply was that is not HTTP/1, in words; None if there was none."""
        return self._connections.replies[0].malformed
