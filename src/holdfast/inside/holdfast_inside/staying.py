"""Whether everything that ran for a watched request ran on the thread that began it, without waiting for another.

Then what bounds the application bounds the code that answers, too, also where it is not known which code that is.
"""

from __future__ import annotations

import threading
import types
from typing import FrozenSet

_PLACES_TO_WAIT = frozenset({"asyncio.locks", "asyncio.queues", "asyncio.subprocess", "queue", "trio._sync"})
_WAITS: FrozenSet[types.CodeType] = frozenset(
    {threading.Condition.wait.__code__, threading.Semaphore.acquire.__code__, threading.Barrier.wait.__code__}
)


class Way:
    """The way of one request.

    Attributes:
        seen: whether any function was seen to run.
        left: whether it has left its thread, or may wait.
    """

    __slots__ = ("_thread", "left", "seen")

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self.seen = self.left = False

    def called(self, frame: types.FrameType) -> None:
        """Notes the call of a function."""
        self.seen = True
        if not self.left:
            name = frame.f_globals.get("__name__", "")
            self.left = (
                threading.get_ident() != self._thread
                or frame.f_code in _WAITS
                or name in _PLACES_TO_WAIT
                # AnyIO's limiters and semaphores.
                or (frame.f_code.co_name.startswith("acquire") and name.partition(".")[0] in ("anyio", "trio"))
            )
