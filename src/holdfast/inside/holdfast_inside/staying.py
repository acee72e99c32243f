"""Whether everything that ran for a watched request ran on the thread that began it, without waiting for another.

Then what bounds the application bounds the code that answers, too, also where it is not known which code that is.
"""

from __future__ import annotations

import threading
import types
from typing import FrozenSet

from . import own_code, with_locks

_PLACES_TO_WAIT = frozenset({"asyncio.locks", "asyncio.queues", "asyncio.subprocess", "queue", "trio._sync"})
_WAITS: FrozenSet[types.CodeType] = frozenset(
    {threading.Condition.wait.__code__, threading.Semaphore.acquire.__code__, threading.Barrier.wait.__code__}
)
_WAITS_IN_C = frozenset({"epoll.poll", "lock.acquire", "poll.poll", "select", "SimpleQueue.get"})
_EXECUTORS = frozenset({"concurrent.futures.process", "concurrent.futures.thread"})


def waits_in_c(function: object) -> bool:
    """Whether a thread waits in a function in C for what another one may do."""
    return getattr(function, "__qualname__", "") in _WAITS_IN_C


def depends_on_others(frame: types.FrameType, event: str, argument: object, *, in_asyncio: bool) -> bool:
    """Whether what a thread does after this may depend on others: it waits for them, or gives them something to do.

    Args:
        frame, event, argument: what a profile function is told.
        in_asyncio: a loop of asyncio runs on the thread.
    """
    if event == "call":
        submits = frame.f_code.co_name == "submit" and frame.f_globals.get("__name__") in _EXECUTORS
        return submits or frame.f_code is threading.Condition.wait.__code__
    if event != "c_call" or not waits_in_c(argument):
        return False
    # A loop of asyncio that has more to run only looks (selectors.py, `select`).
    return not in_asyncio or frame.f_locals.get("timeout") != 0


class Way:
    """The way of one request.

    Attributes:
        seen: whether any function was seen to run.
        left: whether it has left its thread, or may wait.
        locked: whether a function took a lock by `with`; those of the standard library are held for a moment.
    """

    __slots__ = ("_thread", "left", "locked", "seen")

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self.seen = self.left = self.locked = False

    def built_in(self, function: object) -> None:
        """Notes the call of a function in C."""
        self.left |= waits_in_c(function)

    def called(self, frame: types.FrameType) -> None:
        """Notes the call of a function."""
        self.seen = True
        if not self.locked and not own_code.is_standard(frame.f_code.co_filename):
            self.locked = with_locks.takes_lock(frame)
        if not self.left:
            name = frame.f_globals.get("__name__", "")
            self.left = (
                threading.get_ident() != self._thread
                or frame.f_code in _WAITS
                or name in _PLACES_TO_WAIT
                # AnyIO's limiters and semaphores.
                or (frame.f_code.co_name.startswith("acquire") and name.partition(".")[0] in ("anyio", "trio"))
            )
