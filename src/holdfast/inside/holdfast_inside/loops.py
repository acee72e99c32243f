"""Which event loop runs on a thread, and how what it runs sleeps."""

from __future__ import annotations

import inspect
import sys
import threading
from typing import Any

_IN_STEPS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


def loop_runs() -> bool:
    """Whether an event loop runs on this thread."""
    return asyncio_runs() or _running_trio() is not None or reactor_runs()


def asyncio_runs() -> bool:
    """Whether one of asyncio's runs on this thread."""
    # Another thread may be importing it.
    running = getattr(sys.modules.get("asyncio.events"), "_get_running_loop", None)
    return running is not None and running() is not None


def reactor_runs() -> bool:
    """Whether Twisted's reactor runs on this thread, with a loop of its own, which asyncio cannot see."""
    reactor = _running_reactor()
    return reactor is not None and not hasattr(reactor, "_asyncioEventloop")


def sleep_here() -> Any:  # noqa: ANN401 - makes what can be awaited, of seconds
    """The sleep of what drives the coroutine that calls this: asyncio, trio or Twisted.

    Twisted drives its own also where its reactor leaves the loop to asyncio; what sleeps by asyncio ends there with an
    error.
    """
    reactor = _running_reactor()
    if reactor is not None and (reactor_runs() or _is_driven_by_twisted()):
        later = sys.modules["twisted.internet.task"].deferLater
        return lambda seconds: later(reactor, seconds)
    import asyncio  # not at the top: a server that does without asyncio must not load it

    return (_running_trio() or asyncio).sleep


def _is_driven_by_twisted() -> bool:
    """Whether Twisted runs the coroutine that asks for a sleep (defer.py, `_inlineCallbacks`)."""
    frame = sys._getframe(2)  # noqa: SLF001 - the coroutine's
    while frame.f_back is not None and frame.f_code.co_flags & _IN_STEPS:
        frame = frame.f_back
    return bool(frame.f_globals.get("__name__") == "twisted.internet.defer")


def _running_reactor() -> Any:  # noqa: ANN401 - a reactor
    """Twisted's reactor if it runs on this thread; otherwise None."""
    threads = sys.modules.get("twisted.python.threadable")
    runs = getattr(threads, "ioThread", None) == threading.get_ident()
    return sys.modules.get("twisted.internet.reactor") if runs else None


def _running_trio() -> Any:  # noqa: ANN401 - a module
    """The trio module if its loop runs on this thread, which asyncio cannot see; otherwise None."""
    trio = sys.modules.get("trio")
    if trio is None:
        return None
    try:
        trio.lowlevel.current_task()
    except (AttributeError, RuntimeError):
        return None
    return trio
