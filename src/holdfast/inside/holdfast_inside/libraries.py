"""Limits that libraries set inside this process, and that no option of a server changes.

Here they are set, and said back as they are in force:

| name | what it is | default |
| --- | --- | --- |
| AnyIO tokens | the tokens of the loop's default limiter, one for each function on a thread of AnyIO | 40 |
| default executor | threads of the loop's own executor, `run_in_executor(None, ...)` | min(32, cores + 4) |
| asgiref thread | the one thread of all `sync_to_async(thread_sensitive=True)`; can only be reported | 1 |

They are set when a loop gets its first request, after the application's own start (lifespan): what is asked for wins
over what the application has set there. Nothing is imported for it: a library that is not loaded sets no limit. An
executor that the application has made itself is another one, and stays as it is, unless it was made the loop's default.
"""

from __future__ import annotations

import gc
import math
import os
import sys
import weakref
from typing import Any, Dict, Iterator, NamedTuple, Optional

from . import layout, stacks


class Limit(NamedTuple):
    """One limit that is in force in this process, of all its loops together.

    Attributes:
        limit: None is without one.
        in_use: how much of it is taken.
    """

    name: str
    limit: Optional[int]
    in_use: int


_anyio: Any = weakref.WeakKeyDictionary()
"""Event loop -> the default limiter of AnyIO's threads on it."""
_with_executor: Any = weakref.WeakSet()
"""Event loops whose default executor was made here."""
_wanted: Optional[Dict[str, int]] = None


def wanted() -> Dict[str, int]:
    """The limits that are to be set, by name."""
    global _wanted  # noqa: PLW0603 - read once
    if _wanted is None:
        pairs = (each.partition("=") for each in os.environ.get(layout.LIMITS_VARIABLE, "").split(";"))
        _wanted = {name: int(number) for name, _, number in pairs if number.isdigit()}
    return _wanted


def note_request(loop: Any) -> None:  # noqa: ANN401 - any event loop
    """Sets the limits of the running loop, if a request comes to it for the first time."""
    stacks.note_loop(loop)
    _note_anyio(loop)
    number = wanted().get(layout.DEFAULT_EXECUTOR)
    if number is not None and loop not in _with_executor:
        loop.set_default_executor(_executor(number))
        _with_executor.add(loop)


def _note_anyio(loop: Any) -> None:  # noqa: ANN401 - any event loop
    anyio = sys.modules.get("anyio.to_thread")
    if anyio is None or loop in _anyio:
        return
    try:
        limiter = anyio.current_default_thread_limiter()
        number = wanted().get(layout.ANYIO_TOKENS)
        if number is not None:
            limiter.total_tokens = number
    except Exception:
        return  # not called from a task, or another AnyIO than those of today
    _anyio[loop] = limiter


def _executor(number: int) -> Any:  # noqa: ANN401 - an executor
    # asyncio imports it with the first function that it sends to a thread, and calls its threads so.
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(max_workers=number, thread_name_prefix="asyncio")


def in_force() -> Iterator[Limit]:
    """The limits of the libraries that this process has loaded and that a loop with requests uses."""
    limiters = list(_anyio.values())
    if limiters:
        totals = [each.total_tokens for each in limiters]
        total = None if any(math.isinf(each) for each in totals) else int(sum(totals))
        yield Limit(layout.ANYIO_TOKENS, total, sum(each.borrowed_tokens for each in limiters))
    used = [each for each in map(_default_executor, stacks.loops()) if hasattr(each, "_max_workers")]
    if used:
        limit = sum(each._max_workers for each in used)  # noqa: SLF001 - there is no other way
        yield Limit(layout.DEFAULT_EXECUTOR, limit, sum(map(_busy, used)))
    asgiref = getattr(sys.modules.get("asgiref.sync"), "SyncToAsync", None)
    thread = getattr(asgiref, "single_thread_executor", None)
    if thread is not None and thread._threads:  # noqa: SLF001 - there is no other way
        yield Limit(layout.ASGIREF_THREAD, thread._max_workers, _busy(thread))  # noqa: SLF001


def _default_executor(loop: Any) -> Any:  # noqa: ANN401 - any event loop
    """The executor of a loop; None as long as it has none."""
    pool = getattr(sys.modules.get("concurrent.futures.thread"), "ThreadPoolExecutor", None)
    if hasattr(loop, "_default_executor") or pool is None:
        return getattr(loop, "_default_executor", None)
    # A loop that is written in C (uvloop) does not show it, but the collector knows to what it refers.
    return next((each for each in gc.get_referents(loop) if issubclass(type(each), pool)), None)


def _busy(executor: Any) -> int:  # noqa: ANN401 - an executor
    """How many of its threads run a function: an idle one has released the semaphore of the idle (CPython)."""
    idle = getattr(getattr(executor, "_idle_semaphore", None), "_value", 0)
    return max(0, len(executor._threads) - idle)  # noqa: SLF001 - there is no other way
