"""Functions that a request has given to an executor, and that none of its threads or processes has begun."""

from __future__ import annotations

import gc
import sys
import types
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from . import thread_frames

_FUTURES = "concurrent.futures._base"
_POOL = "concurrent.futures.thread"
_NOT_OVER = ("PENDING", "RUNNING")


THREADS = "concurrent.futures.thread.ThreadPoolExecutor.submit"
PROCESSES = "concurrent.futures.process.ProcessPoolExecutor.submit"


def queued() -> Dict[int, str]:
    """The ids of the futures of all functions that wait in an executor for a free thread or process, and which it is.

    And those of the futures of asyncio that get their results from there.

    That a future is pending does not tell: one that no executor made stays so until it has its result, as that of
    `asyncio.run_coroutine_threadsafe`. A queue in C shows what is in it to the collector alone.
    """
    found: Dict[int, str] = {}
    for kind, futures in ((THREADS, _for_threads()), (PROCESSES, _for_processes())):
        for each in futures:
            told = [other for callback in list(each._done_callbacks) for other in _told_by(callback)]  # noqa: SLF001
            found.update((id(one), kind) for one in (each, *told))
    return found


def _for_threads() -> Iterator[Any]:
    thread = sys.modules.get("concurrent.futures.thread")
    queues = {id(each): each for each in list(getattr(thread, "_threads_queues", {}).values())}
    items = [each for queue in queues.values() for part in gc.get_referents(queue) for each in _parts(part)]
    return (each.future for each in items if type(each).__name__ == "_WorkItem")


def _for_processes() -> Iterator[Any]:
    """Those that no process has begun: each begins one, in the order in which they came.

    They have run for their executor as soon as they are in the queue to its processes, which has one place more than
    there are processes (process.py, EXTRA_QUEUED_CALLS).
    """
    process = sys.modules.get("concurrent.futures.process")
    for manager in list(getattr(process, "_threads_wakeups", {})):
        items = dict(getattr(manager, "pending_work_items", {}))
        begun = len(getattr(manager, "processes", None) or ())
        yield from (items[each].future for each in sorted(items)[begun:])


def made_ready() -> List[types.FrameType]:
    """The innermost frames of threads that have functions to begin, and still run their executor's initializer.

    Threads are started with the first functions. Until one is through with its initializer, or has made the interpreter
    that it runs functions in (`InterpreterPoolExecutor`), fewer functions run than the executor lets run.
    """
    # No variable keeps them all: the frame of this function is one of them, and a cycle would keep requests alive.
    return [each for each in thread_frames.innermost().values() if _is_made_ready(each)]


def _is_made_ready(frame: Optional[types.FrameType]) -> bool:
    inner = None
    while frame is not None:
        if frame.f_code.co_name == "_worker" and frame.f_globals.get("__name__") == _POOL:
            return _initializes(frame, inner) and not frame.f_locals["work_queue"].empty()
        inner, frame = frame, frame.f_back
    return False


def _initializes(worker: types.FrameType, inner: Optional[types.FrameType]) -> bool:
    """Whether a thread of an executor is in its initializer. One in C is not seen before Python 3.14."""
    if inner is None:
        return False
    if "ctx" in worker.f_locals:
        return inner.f_code.co_name == "initialize"
    # Else a thread is in a function (`_WorkItem.run`), waits for one, or tells that it is idle.
    within = inner.f_globals.get("__name__")
    return worker.f_locals.get("initializer") is not None and within not in (_POOL, "queue", "threading")


def _told_by(callback: Any, deepest: int = 3) -> Iterator[object]:  # noqa: ANN401 - anything that can be called
    """The futures of asyncio in a callback's closure, and in those of what it calls (as Tornado chains futures)."""
    for cell in getattr(callback, "__closure__", None) or ():
        try:
            kept = cell.cell_contents
        except ValueError:
            continue
        if _is_of_asyncio(kept):
            yield kept
        elif deepest and isinstance(kept, types.FunctionType):
            yield from _told_by(kept, deepest - 1)


def _is_of_asyncio(thing: object) -> bool:
    # The type is asked: an object of the person's may do something when it is asked for an attribute, as proxies do.
    return hasattr(type(thing), "_asyncio_future_blocking")


def _parts(part: Any) -> Sequence[Any]:  # noqa: ANN401 - whatever the queue refers to
    # Before Python 3.13, the queue has one list of what is in it.
    return part if type(part) is list else (part,)


def is_queued(waiter: Any, deepest: int = 3) -> bool:  # noqa: ANN401 - any future
    """Whether a future of asyncio waits for a function that an executor has not begun.

    What ends it is among the callbacks of the future that it waits for (`asyncio.futures._chain_future`, `shield`).
    """
    for callback in getattr(waiter, "_callbacks", None) or ():
        function = callback[0] if isinstance(callback, tuple) else callback
        for cell in getattr(function, "__closure__", None) or ():
            try:
                source = cell.cell_contents
            except ValueError:
                continue
            if type(source).__module__ == _FUTURES:
                return bool(source._state == "PENDING")  # noqa: SLF001 - there is no other way
            if deepest and source is not waiter and _is_of_asyncio(source):
                return is_queued(source, deepest - 1)
    return False


def asked(frames: Sequence[types.FrameType], queued: Mapping[int, str]) -> str:
    """The executor that has begun none of the functions for whose results a thread waits; "" where there is none."""
    if not queued:
        return ""
    inner = next((each for each in reversed(frames) if each.f_globals.get("__name__") == _FUTURES), None)
    kinds = [] if inner is None else [queued.get(id(each), "") for each in _awaited(inner)]
    return kinds[0] if kinds and all(kinds) else ""


def _awaited(frame: types.FrameType) -> Iterator[Any]:
    """The futures that are not over yet: of `Future.result()`, or of `wait()` and `as_completed()`."""
    own = frame.f_locals.get("self")
    some = frame.f_locals.get("fs", ()) if own is None else (own,)
    for each in list(some):
        if getattr(each, "_state", "") in _NOT_OVER:
            yield each
