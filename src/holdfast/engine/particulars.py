"""What is known of the rows of journeys besides what `columns` tells: whose they are, their labels, why they failed.

Of a load that is fixed beforehand, the number of a row says all of this. Rows of journeys are given out as clients come
to need them, so it is written down beside them. All of it is in memory that is shared before the fork: the process that
watches the load sees it, and a load process that is lost leaves it behind.

A row has one writer. Texts and results of several requests together are written by one process at a time; a new text is
rare, and the lock is two system calls.
"""

from __future__ import annotations

import mmap
from array import array
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from typing import Literal

from holdfast.engine.one_at_a_time import OneAtATime
from holdfast.errors import EnvironmentFailure

MOST_TEXTS = 1 << 20
_TEXT_BYTES = 1 << 6
MOST_LABELS = 100
"""Different labels of one request of a journey that are told apart; further ones share one."""
MOST_URLS = 1 << 16
"""Different URLs that are kept whole; of further ones, the path without its query, and then the server alone."""
MOST_ADDRESSES = 1 << 10
_ENTRY = 8
_ENDS = 2
"""Ways in which a load is ended: `Stop`, without NOT."""


class Kind(IntEnum):
    """What made a client send a request: its journey, a redirect, or a page that embeds it."""

    ASKED = 0
    REDIRECTED = 1
    EMBEDDED = 2


class Texts:
    """Texts by number, each once, the same in all processes that write; the text 0 is empty.

    Once there is no room left, a new text has the number 0.
    """

    __slots__ = ("_bytes", "_edges", "_known", "_learned", "_most", "_number_of", "_writing")

    def __init__(self, writing: AbstractContextManager[object], most: int = MOST_TEXTS) -> None:
        """Has the empty text.

        Args:
            writing: only one process is in it at a time.
            most: texts, of 64 bytes on average.
        """
        self._writing = writing
        self._most = most
        self._learned = 0
        # Entry 0 is how many there are; entry n is where text n begins. A page takes memory once it is written.
        self._edges = _shared((most + 2) * _ENTRY).cast("Q")
        self._bytes = _shared(most * _TEXT_BYTES)
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
        with self._writing:
            # Those that other processes have written.
            while self._learned < self._edges[0]:
                self._number_of.setdefault(self[self._learned], self._learned)
                self._learned += 1
            found = self._number_of.get(text)
            return self._added(text) if found is None else found

    def _added(self, text: str) -> int:
        number, coded = self._edges[0], text.encode("utf-8", "replace")
        begin = self._edges[number + 1]
        if number >= self._most or begin + len(coded) > len(self._bytes):
            return 0
        self._bytes[begin : begin + len(coded)] = coded
        self._edges[number + 2] = begin + len(coded)
        self._edges[0] = number + 1  # last, so that who reads it finds the text
        self._number_of[text] = number
        self._learned = number + 1
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
        "_writing",
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

    def __init__(self, capacity: int, writing: AbstractContextManager[object]) -> None:
        """Has none, and room for `capacity`; `writing` as of `Texts`."""
        self._writing = writing
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
        with self._writing:
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
        addresses: our own, as `Columns.source` counts them where none were given.
        grouped: results of several requests together.
    """

    __slots__ = (
        "_ending",
        "addresses",
        "capacity",
        "client",
        "crew",
        "grouped",
        "kind",
        "label",
        "sent_bytes",
        "texts",
        "url",
        "why",
    )

    def __init__(self, capacity: int, *, one_writer: bool = True) -> None:
        """Has room for `capacity` rows.

        Args:
            one_writer: no two processes write at once.

        Raises:
            EnvironmentFailure: there is not enough memory.
        """
        self.capacity = capacity
        many = max(1, capacity)
        places = _Places(_shared(many * 23), 0)
        self.label, self.url, self.why = (places.next("I", many) for _ in range(3))
        self.client, self.sent_bytes = (places.next("I", many) for _ in range(2))
        self.crew, self.kind = places.next("H", many), places.next("B", many)
        writing = nullcontext() if one_writer else OneAtATime()
        self.texts, self.addresses = Texts(writing), Texts(writing, MOST_ADDRESSES)
        self.grouped = Grouped(capacity, writing)
        self._ending = _shared(_ENDS)

    @property
    def ending(self) -> int:
        """How a client of one of the processes has ended the load, as `Stop`; 0: none has."""
        return 2 if self._ending[1] else self._ending[0]

    @ending.setter
    def ending(self, how: int) -> None:
        # A byte for each: two processes that write at once do not write into one.
        if how:
            self._ending[how - 1] = 1


PLAIN = ("label", "url", "why", "client", "sent_bytes", "crew", "kind")
"""The columns of `Particulars`, in the order in which they are packed."""
OF_TEXTS = frozenset({"label", "url", "why"})
"""Those of them that are numbers of texts."""
OF_GROUPED = ("label", "client", "crew", "answered", "ended_ns", "took_ns", "requests", "failed", "pauses_ns")
"""The columns of `Grouped`, in the order in which they are packed."""


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
