"""Waiting for events on many sockets, to the microsecond.

Facts
-----
* epoll_wait and poll count milliseconds and round up: median pacing lag 0.5 ms. select(2) counts
  microseconds, and an epoll descriptor is itself selectable: median 0.11-0.24 ms.
* select(2) takes no descriptor from 1024 up.

Decisions
---------
* The wait is select on the epoll descriptor; if that says that a socket is ready, epoll is asked without waiting. Of a
  wait longer than LONG_NS all but the last millisecond is epoll's own, which is one call instead of two.
* A busy load asks epoll first, and waits only if no socket is ready: one call instead of two, and the time spent
  waiting is the time without work. It is busy as long as its waits are shorter than BUSY_NS. Otherwise that first
  question would be in vain.

Costs
-----
* A turn with more than MAX_EVENTS ready sockets takes several waits.
* Where the epoll descriptor is 1024 or higher the wait falls back to milliseconds.
"""

from __future__ import annotations

from select import EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, epoll, select
from time import monotonic_ns
from typing import Protocol

from holdfast.model.units import MS, NS_PER_S

WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET
"""What is waited for of a connection, where each change is told once."""
END_SIGNS = EPOLLRDHUP | EPOLLHUP | EPOLLERR
"""What says that the peer has ended a connection, or a direction of it."""

MAX_EVENTS = 512
FIRST_UNSELECTABLE = 1024
BUSY_NS = 50_000
LONG_NS = 3_000_000


class HasFileno(Protocol):
    """Something with a descriptor."""

    def fileno(self) -> int:
        """The descriptor."""
        ...


class Waiting:
    """An epoll instance.

    Attributes:
        idle_ns: time spent waiting, with nothing else to do.
    """

    __slots__ = ("_asks_first", "_epoll", "_selectable", "idle_ns")

    def __init__(self) -> None:
        self._epoll = epoll()
        fd = self._epoll.fileno()
        self._selectable = (fd,) if fd < FIRST_UNSELECTABLE else ()
        self._asks_first = True
        self.idle_ns = 0

    def fileno(self) -> int:
        """Its descriptor, which is readable as long as a socket is ready."""
        return self._epoll.fileno()

    def register(self, sock: HasFileno, events: int) -> None:
        """Watches a socket, or whatever else has such a descriptor, until it is closed."""
        self._epoll.register(sock, events)

    def watch_again(self, sock: HasFileno, events: int) -> None:
        """Tells once more what is there on a watched socket, also of a kind that is told once (EPOLLET)."""
        self._epoll.modify(sock, events)

    def wait(self, timeout_ns: int) -> list[tuple[int, int]]:
        """(descriptor, events) of each socket that is ready; waits for one at most `timeout_ns`."""
        if self._asks_first or timeout_ns <= 0:
            events = self._epoll.poll(0, MAX_EVENTS)
            if events or timeout_ns <= 0:
                return events
        began_ns = monotonic_ns()
        if not self._selectable:
            events = self._epoll.poll(timeout_ns / NS_PER_S, MAX_EVENTS)
        elif timeout_ns <= LONG_NS:
            events = self._wait_exactly(timeout_ns)
        elif not (events := self._epoll.poll((timeout_ns - MS) / NS_PER_S, MAX_EVENTS)):
            events = self._wait_exactly(max(0, began_ns + timeout_ns - monotonic_ns()))
        waited_ns = monotonic_ns() - began_ns
        self.idle_ns += waited_ns
        self._asks_first = waited_ns < BUSY_NS
        return events

    def _wait_exactly(self, timeout_ns: int) -> list[tuple[int, int]]:
        if select(self._selectable, (), (), timeout_ns / NS_PER_S)[0]:
            return self._epoll.poll(0, MAX_EVENTS)
        return []

    def close(self) -> None:
        """Watches nothing any more."""
        self._epoll.close()
