"""What wakes up by itself in this process while requests wait, and may then add a place to what they wait for.

A timer, a task or a thread of the application can raise a semaphore, a limiter or the size of a pool, and so can a
request that has waited for as long as it may; then what is in service at one instant is not all that will be. Whether
it does cannot be told from its stack, only that it is there. So it is looked for where requests wait inside the
application, and the places are watched for longer then.

The person's own code counts, and packages through which no request goes and which do not run the main thread: a
scheduler, the keeper of a pool. Of a stack, the innermost function decides that is neither Python's own nor one of a
library that only lets others wait. Lifespans of ASGI wait for the server's end.
"""

from __future__ import annotations

import functools
import gc
import math
import sys
import threading
import types
from typing import Any, Collection, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from . import executors, own_code, stacks

_LETS_WAIT = frozenset({"gevent", "eventlet", "greenlet", "anyio", "trio", "sniffio", "outcome", "uvloop", "asgiref"})
_LENGTHS = ("delay", "seconds", "timeout", "interval")
"""Arguments of functions that wait for a time (asyncio, trio, gevent, threading)."""
_SLEEPS = frozenset({"sleep", "wait", "select", "poll"})
_LONGEST_S = 10.0
"""What a request waits for longer than that ends it, as a rule."""
_TIMER = threading.Timer.run.__code__
_LOOPS = frozenset(
    {
        "asyncio.base_events",
        "asyncio.runners",
        "eventlet.wsgi",
        "gevent.baseserver",
        "socketserver",
        "trio._core._run",
        "uvloop",
    }
)
"""Modules that run a loop for others: who called it does nothing of its own."""
_TOLD_NO_TIME = frozenset({"asyncio.locks", "asyncio.queues"})
"""Modules whose functions wait until something else wakes them; only a timer of the task ends that earlier."""
_GIVE_BACK = frozenset({"asyncio.locks", "asyncio.queues", "multiprocessing.synchronize", "queue", "threading"})
"""Modules of what requests wait for: a timer that calls a method of one (`Semaphore.release`) lets one in."""
_MOST = 8
_MOST_TIMERS = 1000


class Background(NamedTuple):
    """One thing that wakes up by itself.

    Attributes:
        file, line, function: of the person's own code; of a package its name in place of the file.
        wakes_s: after how long it wakes up; 0 where that is not known.
    """

    file: str
    function: str
    line: int
    wakes_s: float


def running(waiting: Iterable[Sequence[stacks.Stack]]) -> List[Background]:
    """What wakes up by itself, each kind once, at most _MOST of them.

    Args:
        waiting: the stacks of each request that waits before its view.
    """
    of_requests: List[stacks.Stack] = []
    others: List[stacks.Stack] = []
    for stack, is_request in stacks.of_each_kind():
        (of_requests if is_request else others).append(stack)
    main = threading.main_thread().ident
    known = {_package(frame) for stack in of_requests for frame in stack.frames}
    known |= {_package(frame) for stack in others if stack.thread == main for frame in stack.frames}
    known.discard("")
    # A task that a request waits for has the same innermost frame.
    theirs = {id(stack.frames[-1]) for stack in of_requests if stack.frames}
    of_waiting = [each for some in waiting for each in some]
    timers, ways = list(_timers()), [each.frames for each in of_waiting]
    timed = {id(task) for function, _ in timers for task in _tasks_of(getattr(function, "__self__", None))}
    beside = (
        _beside(each.frames, known)
        for each in others
        if each.frames and id(each.frames[-1]) not in theirs and not _is_woken_by_others(each, timed)
    )
    # A limiter of a library lets the next one in by a timer of its own.
    limiters = {_innermost(frames)[1] for frames in ways} - {""}
    by_timers = (_of_function(*each, limiters) for each in timers)
    patient = (*map(_patient, ways), *_ended_by(timers, ways), *map(_cancelled_later, of_waiting))
    found = [each for some in (beside, by_timers, patient) for each in some if each is not None]
    # Those that wait since different instants have different times left: the last one's counts.
    return list({each[:3]: each for each in sorted(found, key=lambda each: each.wakes_s)}.values())[:_MOST]


def initializers() -> List[Background]:
    """What makes threads of executors ready for the functions that wait for one."""
    ways = [stacks.outwards(frame) for frame in executors.made_ready()]
    found = ((frames, *_innermost(frames)) for frames in ways)
    named = (_seen(frames[at], package or frames[at].f_code.co_filename, ()) for frames, at, package in found)
    return list({each[:3]: each for each in named}.values())


def _beside(frames: Sequence[types.FrameType], known: Set[str]) -> Optional[Background]:
    """What runs on a thread or in a task of no request; None where that is the server's, or waits for nothing."""
    if any(map(_is_lifespan, frames)):
        return None
    timer = next((frame.f_locals.get("self") for frame in frames if frame.f_code is _TIMER), None)
    if timer is not None and not timer.finished.is_set():
        return _of_function(timer.function, timer.interval)
    at, package = _innermost(frames)
    inner = frames[at + 1 :]
    if at < 0 or package in known or any(each.f_globals.get("__name__") in _LOOPS for each in inner):
        return None
    seen = _seen(frames[at], package or frames[at].f_code.co_filename, inner)
    if not seen.wakes_s and (_waits_for_good(inner) or (package and (inner or not _may_sleep(frames[at])))):
        return None
    return seen


def _is_woken_by_others(stack: stacks.Stack, timed: Collection[int]) -> bool:
    """Whether it is a task that waits until another one wakes it (`await asyncio.Event().wait()`, as many servers do).

    Args:
        timed: tasks that a timer will end, by id.
    """
    loop = stack.task.get_loop() if hasattr(stack.task, "get_loop") else None
    told_no_time = stack.frames[-1].f_globals.get("__name__") in _TOLD_NO_TIME
    # The timers of another loop are not seen.
    return told_no_time and id(stack.task) not in timed and loop in stacks.loops()


def _patient(frames: Sequence[types.FrameType], left_s: float = 0) -> Optional[Background]:
    """The code through which a request waits for a time; None where it waits until it has its turn.

    Args:
        left_s: how much of that time a timer has left; 0 where only the functions that wait may have been told a time.
    """
    at, package = _innermost(frames)
    if at < 0:
        return None
    seen = _seen(frames[at], package or frames[at].f_code.co_filename, frames[at + 1 :])
    seen = seen._replace(wakes_s=left_s) if left_s else seen
    return seen if 0 < seen.wakes_s <= _LONGEST_S else None


def _ended_by(
    timers: Iterable[Tuple[object, float]], waiting: Iterable[Sequence[types.FrameType]]
) -> Iterator[Optional[Background]]:
    """The same where a timer will end the waiting (`asyncio.timeout`, scopes of AnyIO): its object knows the task."""
    by_frame = {id(frame): frames for frames in waiting for frame in frames}
    of_tasks = (
        (getattr(task.get_coro(), "cr_frame", None), left_s)
        for function, left_s in timers
        for task in _tasks_of(getattr(function, "__self__", None))
    )
    for frame, left_s in (*of_tasks, *_of_greenlets()):
        frames = by_frame.get(id(frame))
        if frames is not None:
            yield _patient(frames, left_s)


def _cancelled_later(stack: stacks.Stack) -> Optional[Background]:
    """The same where trio will cancel the waiting (`move_on_after`)."""
    deadline = getattr(getattr(stack.task, "_cancel_status", None), "effective_deadline", None)
    if deadline is None:
        return None
    return _patient(stack.frames, min(max(0.0, deadline() - sys.modules["trio"].current_time()), 2 * _LONGEST_S))


def _of_greenlets() -> Iterator[Tuple[object, float]]:
    """The innermost frame of each greenlet that gevent will interrupt, and after how long at most."""
    timeout = getattr(sys.modules.get("gevent.timeout"), "Timeout", None)
    if timeout is None:
        return
    for each in [each for each in gc.get_objects() if issubclass(type(each), timeout)]:
        interrupted = next(iter(getattr(each.timer, "args", None) or ()), None)
        if interrupted is not None and each.pending:
            yield getattr(interrupted, "gr_frame", None), float(each.seconds or 0)


def _tasks_of(owner: object) -> Iterator[Any]:
    """The tasks to which an object refers itself; a server's connection may refer to the set of all tasks."""
    if owner is not None:
        refers_to = {id(each): each for each in (*gc.get_referents(owner), *getattr(owner, "__dict__", {}).values())}
        yield from (each for each in refers_to.values() if hasattr(type(each), "get_coro"))


def _innermost(frames: Sequence[types.FrameType]) -> Tuple[int, str]:
    """The innermost frame that decides, and the package that it belongs to, "" of the person's own; -1 for none."""
    for at in range(len(frames) - 1, -1, -1):
        if own_code.is_own(frames[at].f_code.co_filename):
            return at, ""
        package = _package(frames[at])
        if package and package not in _LETS_WAIT:
            return at, package
    return -1, ""


def _seen(frame: types.FrameType, where: str, inner: Sequence[types.FrameType]) -> Background:
    lengths = (each.f_locals.get(name) for each in inner for name in _LENGTHS)
    wakes_s = next((each for each in lengths if isinstance(each, (int, float)) and math.isfinite(each)), 0)
    return Background(where, frame.f_code.co_name, frame.f_lineno or 0, float(wakes_s))


def _waits_for_good(inner: Sequence[types.FrameType]) -> bool:
    """Whether a function of Python's own that waits was told no time, so that something else wakes it."""
    return any(each.f_locals.get(name, 0) is None for each in inner for name in _LENGTHS)


def _may_sleep(frame: types.FrameType) -> bool:
    """Whether the function of a package calls one that waits for a time; a queue's `get` waits for another thread."""
    return not _SLEEPS.isdisjoint(frame.f_code.co_names)


def _of_function(function: object, wakes_s: float, limiters: Collection[str] = ()) -> Optional[Background]:
    """The same of a function that a timer will call; None where it is neither the person's own nor lets a request in.

    Args:
        limiters: packages in which requests wait.
    """
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None)
    package = str(getattr(function, "__module__", "")).partition(".")[0]
    gives_back = type(getattr(function, "__self__", None)).__module__ in _GIVE_BACK
    if code is None or not (package in limiters or gives_back or own_code.is_own(code.co_filename)):
        return None
    return Background(package if package in limiters else code.co_filename, code.co_name, code.co_firstlineno, wakes_s)


def _timers() -> Iterator[Tuple[object, float]]:
    """What loops will call later, with the seconds until then; 0 where that is not known."""
    for loop in stacks.loops():
        for handle in list(getattr(loop, "_scheduled", ())):
            if not handle.cancelled():
                yield getattr(handle, "_callback", None), max(0.0, handle.when() - loop.time())
        # A loop that is written in C (uvloop) does not show them, but the collector knows to what it refers.
        for some in gc.get_referents(loop):
            for handle in list(some) if isinstance(some, (set, dict)) and len(some) <= _MOST_TIMERS else ():
                if type(handle).__name__ == "TimerHandle":
                    left_s = max(0.0, handle.when() - loop.time()) if hasattr(handle, "when") else 0.0
                    for function in filter(callable, gc.get_referents(handle)):
                        yield function, left_s


def _package(frame: types.FrameType) -> str:
    """The top-level package of a function; "" of one that is Python's own or holdfast's."""
    if own_code.is_standard(frame.f_code.co_filename):
        return ""
    top = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return "" if top == (__package__ or "").partition(".")[0] else top


def _is_lifespan(frame: types.FrameType) -> bool:
    scope = frame.f_locals.get("scope") if "scope" in frame.f_code.co_varnames else None
    return type(scope) is dict and scope.get("type") == "lifespan"
