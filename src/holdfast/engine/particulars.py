"""What is known of the rows of journeys besides what `columns` tells: whose they are, their labels, why they failed.

Of a load that is fixed beforehand, the number of a row says all of this. Rows of journeys are given out as clients come
to need them, so it is written down beside them. All of it is in memory that is shared before the fork: the process that
watches the load sees it, and a load process that is lost leaves it behind.
"""

from __future__ import annotations

import mmap
from array import array
from enum import IntEnum
from typing import Literal

from holdfast.errors import EnvironmentFailure

MOST_TEXTS = 1 << 20
_TEXT_BYTES = 1 << 26
MOST_LABELS = 100
"""Different labels of one request of a journey that are told apart; further ones share one."""
MOST_URLS = 1 << 16
"""Different URLs that are kept whole; of further ones, the path without its query, and then the server alone."""
_ENTRY = 8


class Kind(IntEnum):
    """What made a client send a request: its journey, a redirect, or a page that embeds it."""

    ASKED = 0
    REDIRECTED = 1
    EMBEDDED = 2


class Texts:
    """Texts by number, each once; the text 0 is empty. One process writes, others read.

    Once there is no room left, a new text has the number 0.
    """

    __slots__ = ("_bytes", "_edges", "_known", "_number_of")

    def __init__(self) -> None:
        """Has the empty text."""
        # Entry 0 is how many there are; entry n is where text n begins. A page takes memory once it is written.
        self._edges = _shared((MOST_TEXTS + 2) * _ENTRY).cast("Q")
        self._bytes = _shared(_TEXT_BYTES)
        self._known: list[str] = []
        self._number_of: dict[str, int] = {}
        self.number_of("")

    def __len__(self) -> int:
        return self._edges[0]

    def __getitem__(self, number: int) -> str:
        known, edges = self._known, self._edges
        while len(known) <= number:
            if number >= edges[0]:
                raise IndexError(number)
            at = len(known)
            known.append(bytes(self._bytes[edges[at + 1] : edges[at + 2]]).decode("utf-8", "replace"))
        return known[number]

    def number_of(self, text: str) -> int:
        """The number of a text, which is a new one if it has not been here before."""
        found = self._number_of.get(text)
        if found is not None:
            return found
        number, coded = self._edges[0], text.encode("utf-8", "replace")
        begin = self._edges[number + 1]
        if number >= MOST_TEXTS or begin + len(coded) > _TEXT_BYTES:
            return 0
        self._bytes[begin : begin + len(coded)] = coded
        self._edges[number + 2] = begin + len(coded)
        self._edges[0] = number + 1  # last, so that who reads it finds the text
        self._number_of[text] = number
        return number


class Grouped:
    """Results of several requests together, in the order in which they ended.

    Attributes:
        label: number of a text.
        crew, client: whose; as of `Particulars`.
        answered: 1 where all of its requests were.
        ended_ns: CLOCK_MONOTONIC.
        took_ns: how long it took; `pauses_ns` went by beside it.
        requests, failed: how many there were, and those that were not answered; 0 of runs of earlier versions.
    """

    __slots__ = (
        "_count",
        "answered",
        "capacity",
        "client",
        "crew",
        "ended_ns",
        "failed",
        "label",
        "pauses_ns",
        "requests",
        "took_ns",
    )

    def __init__(self, capacity: int) -> None:
        """Has none, and room for `capacity`."""
        self.capacity = capacity
        many = max(1, capacity)
        whole = _shared(_ENTRY + many * 43)
        self._count = whole[:_ENTRY].cast("Q")
        places = _Places(whole, _ENTRY)
        self.ended_ns, self.took_ns, self.pauses_ns = (places.next("q", many) for _ in range(3))
        self.label, self.client, self.requests, self.failed = (places.next("I", many) for _ in range(4))
        self.crew, self.answered = places.next("H", many), places.next("B", many)

    def __len__(self) -> int:
        return self._count[0]

    def add(self, values: tuple[int, ...]) -> None:
        """Adds one, if there is room: values of the columns in the order of `OF_GROUPED`."""
        at = self._count[0]
        if at >= self.capacity:
            return
        for name, value in zip(OF_GROUPED, values, strict=True):
            getattr(self, name)[at] = value
        self._count[0] = at + 1


class Particulars:
    """Columns beside `Columns`: row r of both is the same request.

    Attributes:
        label, url, why: numbers of texts; why is 0 where there is nothing to say.
        crew: its number among the crews. `client`: its number in the crew, from 1.
        sent_bytes: length of the request, head and body.
        kind: of `Kind`.
        texts: that the numbers mean.
        grouped: results of several requests together.
    """

    __slots__ = ("capacity", "client", "crew", "grouped", "kind", "label", "sent_bytes", "texts", "url", "why")

    def __init__(self, capacity: int) -> None:
        """Has room for `capacity` rows.

        Raises:
            EnvironmentFailure: there is not enough memory.
        """
        self.capacity = capacity
        many = max(1, capacity)
        places = _Places(_shared(many * 23), 0)
        self.label, self.url, self.why = (places.next("I", many) for _ in range(3))
        self.client, self.sent_bytes = (places.next("I", many) for _ in range(2))
        self.crew, self.kind = places.next("H", many), places.next("B", many)
        self.texts = Texts()
        self.grouped = Grouped(capacity)


PLAIN = ("label", "url", "why", "client", "sent_bytes", "crew", "kind")
"""The columns of `Particulars`, in the order in which they are packed."""
OF_GROUPED = ("label", "client", "crew", "answered", "ended_ns", "took_ns", "requests", "failed", "pauses_ns")
"""The columns of `Grouped`, likewise."""


class _Places:
    """Takes columns from memory, one after the other, each at a multiple of its items' size."""

    def __init__(self, whole: memoryview, first: int) -> None:
        self._whole, self._next = whole, first

    def next(self, kind: Literal["B", "H", "I", "q"], many: int) -> memoryview:
        size = many * array(kind).itemsize
        column = self._whole[self._next : self._next + size].cast(kind)
        self._next += size
        return column


def _shared(size: int) -> memoryview:
    """Raises EnvironmentFailure: there is not enough memory."""
    try:
        return memoryview(mmap.mmap(-1, size, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
    except OSError as error:
        raise EnvironmentFailure(
            "There is not enough memory for what is known of each request.",
            f"It may take {size / 1e9:.1f} GB: {error.strerror}.",
            "Raise the limit (`ulimit -v`, vm.overcommit_memory), or ask for a shorter time.",
        ) from error
