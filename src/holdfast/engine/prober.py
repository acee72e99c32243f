"""The load as a probe drives it: open some more connections now, then look at what became of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from holdfast.engine.columns import Columns, requests
from holdfast.engine.connecting import connections_to
from holdfast.engine.endpoint import Tls
from holdfast.engine.local_limits import raise_descriptor_limit, restore_descriptor_limit
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.timeline import Request


class Failure(NamedTuple):
    """What our own side ran out of.

    Attributes:
        number: errno.
        words: the same for a person to read.
    """

    number: int
    words: str


class Prober:
    """Requests that are opened a few at a time and held. A context manager: leaving it closes every socket.

    While it is open, the soft RLIMIT_NOFILE of this process is raised to the hard one.

    Attributes:
        columns: the rows of all requests; rows from `offered` up are empty.
        offered: requests opened so far; their ids are 0..offered-1.
    """

    def __init__(  # parameters: where to, what to send, how many, and in which protocol
        self,
        address: str,
        port: int,
        head_of: Callable[[int], bytes],
        capacity: int,
        sources: Sequence[str] = (),
        *,
        tls: Tls | None = None,
        http2: bool = False,
    ) -> None:
        """Prepares the requests; opens no connection yet.

        Args:
            address: where to connect: IPv4, IPv6, a host name or a Unix socket (`model.address`).
            head_of: id -> the request's bytes.
            capacity: the most requests that can be opened.
            sources: our own addresses, used in turn; with none the kernel chooses.
            tls: None speaks plain HTTP.
            http2: each request is a stream of HTTP/2, on a connection of its own.

        Raises:
            EnvironmentFailure: the name cannot be resolved, or the socket's path is too long.
        """
        self.columns = Columns(capacity)
        self.offered = 0
        self._soft_limit = raise_descriptor_limit()
        self._connections = connections_to(address, port, head_of, self.columns, sources, tls, http2=http2)

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
        """Requests whose SYN was sent and is unanswered, however often the kernel has repeated it."""
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
    def failure(self) -> Failure | None:
        """The first failure on our own side; None if there was none."""
        found = self._connections.failure
        return None if found is None else Failure(*found)

    @property
    def doubts(self) -> list[str]:
        """Doubts about replies that count nevertheless, in words."""
        excess = self._connections.replies[0].excess
        return [f"{excess} replies were followed by more bytes than they announced"] if excess else []

    @property
    def notes(self) -> list[str]:
        """Everything to keep in the record besides the requests: doubts, our own failure, a malformed reply."""
        failure, finding = self.failure, self.finding()
        return [*self.doubts, *([failure.words] if failure else []), *([finding] if finding else [])]

    def requests(self, phase_of: Callable[[int], Phase], ids: Iterable[int] | None = None) -> tuple[Request, ...]:
        """The requests as the timeline records them.

        Args:
            phase_of: id -> what it was sent for.
            ids: which ones, in this order; None is every one opened.
        """
        return requests(self.columns, range(self.offered) if ids is None else ids, phase_of, self.sources)

    def open(self, count: int, due_ns: int | None = None) -> list[int]:
        """Opens at most `count` more connections now; each sends its request as soon as it is connected.

        Stops at the first one that our own side has no means for: that one is FAILED, and `failure` says why. Stops
        at the capacity too.

        Args:
            due_ns: when they were due, CLOCK_MONOTONIC ns; None is now.

        Returns:
            The new ids, including one that FAILED.
        """
        opened: list[int] = []
        for id_ in range(self.offered, min(self.offered + count, self.columns.capacity)):
            opened.append(id_)
            self.offered += 1
            if not self._connections.open(id_, due_ns):
                break
        return opened

    def turn(self, timeout_ns: int) -> int:
        """Waits for events for at most this long, handles each of them, and returns how many there were."""
        return self._connections.turn(timeout_ns)

    def pending(self) -> list[int]:
        """Ids that have not ended, ascending."""
        return self._connections.pending()

    def give_up(self, ids: Iterable[int], *, reset: bool = False) -> None:
        """Closes our end of these requests with FIN, or with RST; those that have ended stay as they are."""
        self._connections.give_up(ids, reset=reset)

    def expire(self, ids: Iterable[int]) -> None:
        """Times these requests out; those that have ended stay as they are."""
        for id_ in ids:
            self._connections.expire(id_)

    def outcome_counts(self) -> dict[Outcome, int]:
        """How many requests have each outcome, PENDING included; outcomes without a request are left out."""
        counts = Counter(self.columns.outcome[: self.offered])
        return {Outcome(value): count for value, count in sorted(counts.items())}

    @property
    def location(self) -> str:
        """Where the last redirect leads; "" if there was none."""
        return self._connections.replies[0].location

    @property
    def turned_away(self) -> str:
        """Why a request over HTTP/2 had no answer, as the server's frames say it; "" where they do not."""
        return self._connections.turned_away

    def finding(self) -> str | None:
        """What the first reply that was not HTTP/1 looked like, in words; None if every reply was HTTP/1."""
        return self._connections.replies[0].malformed
