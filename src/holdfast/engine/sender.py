"""What a load process asks of whatever carries its requests: connections of HTTP/1.1, or streams of HTTP/2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from holdfast.engine.replies import Replies


class Sender(Protocol):
    """The attributes and methods are those of `epoll.Connections`.

    Attributes:
        room: how many requests may be in flight at once now; None sets no bound.
        hopeless: no further request can fare better, so that the load ends.
        counts, advertised: as `streams` and `advertised` of a `WorkerReport`.
    """

    begun: int
    ended: int
    taken: int
    unanswered: int
    peak: int
    highest_row: int
    refused: int
    reached: bool
    failure: tuple[int, str] | None
    replies: tuple[Replies, ...]
    remembers_finished: bool
    remembers_sent: bool
    hopeless: bool

    @property
    def advertised(self) -> int | None: ...  # noqa: D102 - see above, as of those below
    @property
    def counts(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def room(self) -> int | None: ...  # noqa: D102
    @property
    def sent_rows(self) -> Sequence[int]: ...  # noqa: D102
    @property
    def resent_rows(self) -> Sequence[int]: ...  # noqa: D102
    @property
    def idle_ns(self) -> int: ...  # noqa: D102
    @property
    def sources(self) -> list[str]: ...  # noqa: D102
    def open(self, row: int, due_ns: int | None = None, client: int | None = None, *, last: bool = False) -> bool: ...  # noqa: D102
    def refill(self, rows: range) -> None: ...  # noqa: D102
    def turn(self, timeout_ns: int) -> int: ...  # noqa: D102
    def expire(self, row: int) -> None: ...  # noqa: D102
    def pending(self) -> list[int]: ...  # noqa: D102
    def give_up(self, rows: Iterable[int], *, reset: bool = False) -> None: ...  # noqa: D102
    def finished(self) -> Sequence[int]: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class WithoutStreams:
    """What `Sender` asks of streams alone, as it is where there are none."""

    room: int | None = None
    hopeless = False
    advertised: int | None = None
    counts: Mapping[str, int] = MappingProxyType({})
    turned_away = ""
