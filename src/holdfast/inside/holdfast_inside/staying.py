"""Whether everything that ran for a watched request ran on the thread that began it, without waiting for another.

Then what bounds the application bounds the code that answers, too, also where it is not known which code that is.
"""

from __future__ import annotations

import dis
import functools
import inspect
import math
import os
import threading
import time
import types
from typing import FrozenSet, List, Optional

from . import installed_app, own_code, with_locks

_PLACES_TO_WAIT = frozenset({"asyncio.locks", "asyncio.queues", "asyncio.subprocess", "queue", "trio._sync"})
_WAITS: FrozenSet[types.CodeType] = frozenset(
    {threading.Condition.wait.__code__, threading.Semaphore.acquire.__code__, threading.Barrier.wait.__code__}
)
_WAITS_IN_C = frozenset({"epoll.poll", "lock.acquire", "poll.poll", "select", "SimpleQueue.get"})
_DEALS_IN_C = frozenset(
    {"SimpleQueue.put", "read", "socket.recv", "socket.recv_into", "start_joinable_thread", "start_new_thread"}
)
_AT_ONCE_S = 0.001
_EXECUTORS = frozenset({"concurrent.futures.process", "concurrent.futures.thread"})


def waits_in_c(function: object) -> bool:
    """Whether a thread waits in a function in C for what another one may do."""
    return getattr(function, "__qualname__", "") in _WAITS_IN_C


def takes_at_once(function: object) -> bool:
    """Whether it takes a lock that nothing holds."""
    lock = getattr(function, "__self__", None)
    return getattr(function, "__qualname__", "") == "lock.acquire" and not getattr(lock, "locked", lambda: True)()


def depends_on_others(frame: types.FrameType, event: str, argument: object, *, in_asyncio: bool) -> bool:
    """Whether what a thread does after this may depend on others: it waits for them, or gives them something to do.

    Args:
        frame, event, argument: what a profile function is told.
        in_asyncio: a loop of asyncio runs on the thread.
    """
    if event == "call":
        submits = frame.f_code.co_name == "submit" and frame.f_globals.get("__name__") in _EXECUTORS
        return submits or frame.f_code is threading.Condition.wait.__code__
    if event != "c_call":
        return False
    # A loop of asyncio that has more to run only looks (selectors.py, `select`).
    waits = waits_in_c(argument) and not (in_asyncio and frame.f_locals.get("timeout") == 0)
    return waits or _polls(frame, argument)


def sends_to_thread(frame: types.FrameType) -> bool:
    """Whether what was called gives a thread of one of Twisted's pools something to do."""
    return (
        frame.f_code.co_name == "callInThreadWithCallback"
        and frame.f_globals.get("__name__") == "twisted.python.threadpool"
    )


def only_looks(frame: types.FrameType) -> bool:
    """Whether a reactor of Twisted that waits has something to do at once (`doPoll` and its like)."""
    timeout = frame.f_locals.get("timeout")
    return isinstance(timeout, (int, float)) and 0 <= timeout < _AT_ONCE_S


def deals_with_others(frame: types.FrameType, function: object) -> bool:
    """Whether a function in C gives another thread something to do, or takes what it or another process has sent."""
    name = getattr(function, "__qualname__", "")
    return name in _DEALS_IN_C and not frame.f_code.co_filename.startswith(own_code.OURS)


def may_suspend(frame: types.FrameType) -> Optional[types.CodeType]:
    """The code of what was called, or resumed, if that may leave its thread to others and run on later; None if not.

    A coroutine may, and with Twisted a generator that is driven as one (defer.py, `inlineCallbacks`).
    """
    if frame.f_code.co_name == "_inlineCallbacks" and frame.f_globals.get("__name__") == "twisted.internet.defer":
        driven = frame.f_locals.get("gen")
        return getattr(driven, "gi_code", None) or getattr(driven, "cr_code", frame.f_code)
    return frame.f_code if frame.f_code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR) else None


def driven_around(frame: Optional[types.FrameType]) -> FrozenSet[types.CodeType]:
    """The codes of the generators and coroutines that Twisted drives around a frame, this one included."""
    found: List[types.CodeType] = []
    while frame is not None:
        if frame.f_code.co_name == "_inlineCallbacks" and frame.f_globals.get("__name__") == "twisted.internet.defer":
            found.extend(filter(None, (may_suspend(frame),)))
        frame = frame.f_back
    return frozenset(found)


def due(frame: types.FrameType) -> float:
    """When a reactor of Twisted is to call what it was just given (base.py, `callLater`), s (monotonic).

    Infinite for every other function, and for what is to be called at once.
    """
    delays = frame.f_code.co_name == "callLater" and frame.f_globals.get("__name__") == "twisted.internet.base"
    delay = frame.f_locals["delay"] if delays else 0
    return time.monotonic() + delay if delay >= _AT_ONCE_S else math.inf


def _polls(frame: Optional[types.FrameType], function: object) -> bool:
    """Whether it sleeps in a loop, of its own or of a function of the same file that calls it, and is not alone."""
    path = None if frame is None or function is not time.sleep else frame.f_code.co_filename
    while frame is not None and frame.f_code.co_filename == path:
        if _is_in_loop(frame.f_code, frame.f_lasti):
            return not _is_alone()
        frame = frame.f_back
    return False


@functools.lru_cache(maxsize=None)
def _is_in_loop(code: types.CodeType, at: int) -> bool:
    """Whether an instruction of a function runs again and again: one that sleeps there waits for something else."""
    jumps = [each for each in dis.get_instructions(code) if "JUMP" in each.opname and isinstance(each.argval, int)]
    return any(each.argval <= at < each.offset for each in jumps)


def _is_alone() -> bool:
    """Whether nothing but the calling thread runs that belongs to this process: no thread, no process of its own."""
    threads = os.listdir("/proc/self/task")
    if len(threads) > 1:
        return False
    with open(f"/proc/self/task/{threads[0]}/children") as children:
        return not children.read().strip()


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

    def built_in(self, frame: types.FrameType, function: object) -> None:
        """Notes the call of a function in C."""
        self.left = self.left or waits_in_c(function) or _polls(frame, function)

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
                # What the server's own code waits for there is its client.
                or (name in _PLACES_TO_WAIT and not installed_app.is_of_server(frame.f_back))
                # AnyIO's limiters and semaphores.
                or (frame.f_code.co_name.startswith("acquire") and name.partition(".")[0] in ("anyio", "trio"))
            )
