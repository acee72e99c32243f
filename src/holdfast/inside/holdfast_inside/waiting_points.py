"""Where a stack waits: the line of the person's own code, and the function of a library behind it.

A request waits for its turn if another one has to give something back first: a lock, a semaphore, a place in a pool, a
free thread of an executor. What merely takes time, such as a query or `sleep`, is not that. It shows in one of these:

- the innermost function is one that waits for others, as those of some modules do (`threading`, `asyncio.locks`,
  `queue`);
- the innermost function is entering or acquiring an object that can be acquired and released, or calls a queue: what is
  written in C has no frame of its own, so the instruction at which the function is tells;
- the future that is awaited, or whose result is asked for, is that of a function which an executor has accepted and not
  begun.
"""

from __future__ import annotations

import dis
import functools
import inspect
import types
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from . import executors, named_objects, own_code, stacks

_WAITING_MODULES = frozenset(
    {
        "threading",
        "queue",
        "asyncio.locks",
        "asyncio.queues",
        "multiprocessing.synchronize",
        "trio._sync",
        "trio._core._parking_lot",
        "eventlet.semaphore",
        "eventlet.queue",
        "eventlet.event",
    }
)
_WAITING_FUNCTIONS = frozenset(
    {("aiohttp.connector", f"BaseConnector.{each}") for each in ("_wait_for_available_connection", "connect")}
)
"""Those that await a future which others complete, in modules that wait for other things too."""
_FOR_AN_OWN_RESULT = frozenset(
    {"concurrent.futures._base", "concurrent.futures.thread", "asgiref.sync", "asgiref.current_thread_executor"}
)
"""A caller in one of these modules waits for what it has sent to another thread itself, and not for its turn."""
_OF_AN_OWN_THREAD = ("Thread.start", "Thread.join")
"""A caller of these waits for a thread that it has made itself."""
_FROM_ELSEWHERE = (
    "anyio._backends._asyncio",
    ("SocketStream.", "UDPSocket.", "ConnectedUDPSocket.", "Process."),
)
"""What waits for an event in these waits for bytes of a socket, for room to send some, or for the end of a process."""
_TO_THE_LOOP = "trio._core._traps"
"""Where each task of trio leaves off, whatever it waits for."""
_BY_CONDITIONS = frozenset({"threading", "queue"})
_FOR_A_THREAD = frozenset({"join", "_wait_for_tstate_lock"})
_SAYS_LITTLE = ("Condition.", "Event.", "ParkingLot.", "Queue.", "LifoQueue.", "PriorityQueue.", "SimpleQueue.")
"""Of what waits in one of these, the function around it says more: `QueuePool._do_get`, `CapacityLimiter.acquire`."""
_QUEUES_IN_C = {"_queue": "queue", "gevent._gevent_cqueue": "gevent.queue"}
"""Where these are defined that have no frames, and what they are known by."""
_OF_QUEUES = frozenset({"get", "join", "peek", "put"})
_NAMES = {"_thread.lock": "threading.Lock", "_thread.RLock": "threading.RLock"}
_LOADS = ("LOAD_FAST", "LOAD_DEREF", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_CLASSDEREF")
_ENDS = ("POP_TOP", "STORE_", "RETURN_", "POP_JUMP", "JUMP_", "RESUME", "END_FOR", "SETUP_FINALLY")


class Point(NamedTuple):
    """Where it waits.

    Attributes:
        file, line, function: of the innermost frame in the person's own code; "", 0 and "" where there is none.
        library: the function that waits, or the kind of a lock, by module and name; "" where it has no frame.
        waits: it waits for its turn.
    """

    file: str
    line: int
    function: str
    library: str
    waits: bool


def point_of(some: Sequence[stacks.Stack], queued: Mapping[int, str]) -> Point:
    """Where a request waits: of several stacks the one that waits for its turn, or is in the person's own code.

    Args:
        queued: the functions that executors have not begun, as of `executors.queued`.
    """
    found = [_point_of(each, queued) for each in some]
    return max(found, key=lambda each: (each.waits, bool(each.file), each.line))


def _point_of(stack: stacks.Stack, queued: Mapping[int, str]) -> Point:
    at, library, waits = _seen(tuple((each.f_code, each.f_lasti) for each in stack.frames), stack.frames)
    waits = waits and not has_its_turn(stack)
    innermost = stack.frames[at] if stack.frames else None
    lock = "" if waits or innermost is None else _lock_in(innermost)
    if lock:
        library, waits = lock, True
    elif not waits and (executor := _executor(stack, queued)):
        library, waits = executor, True
    if innermost is None or not own_code.is_own(innermost.f_code.co_filename):
        return Point("", 0, "", library, waits)
    name = _short(_qualname(innermost))
    return Point(innermost.f_code.co_filename, innermost.f_lineno or 0, name, library, waits)


def _executor(stack: stacks.Stack, queued: Mapping[int, str]) -> str:
    """The one that has not begun what the stack waits for; "" where there is none."""
    if id(stack.waiter) in queued:
        return queued[id(stack.waiter)]
    return executors.THREADS if executors.is_queued(stack.waiter) else executors.asked(stack.frames, queued)


def has_its_turn(stack: stacks.Stack) -> bool:
    """Whether it has been woken, or is about to wait: it runs as soon as its loop or a core comes to it."""
    if stack.task is not None:
        return hasattr(stack.waiter, "done") and bool(stack.waiter.done())
    innermost, module = stack.frames[-1], _module(stack.frames[-1])
    if module not in _BY_CONDITIONS or innermost.f_code.co_name in _FOR_A_THREAD:
        return False
    if innermost.f_code.co_name == "__enter__":
        # The lock of a condition; that of a semaphore or a queue is held for an instant.
        return len(stack.frames) > 1 and _module(stack.frames[-2]) in _BY_CONDITIONS
    # Whatever waits long in these modules does it in `Condition.wait`, for a lock of its own. `notify` releases that
    # and takes it from the list; it is locked again as soon as the thread that waits has it.
    waiter = innermost.f_locals.get("waiter")
    waiters = getattr(innermost.f_locals.get("self"), "_waiters", ())
    return waiter is None or not any(each is waiter for each in list(waiters))


def _module(frame: types.FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


_known: Dict[object, Tuple[int, str, bool]] = {}
"""What was seen of stacks that are at the same instructions: thousands of requests wait at few places."""


def _seen(instructions: object, frames: Sequence[types.FrameType]) -> Tuple[int, str, bool]:
    """Which frame is the innermost one of the person's own, or of all; what waits inside of it, and if for its turn."""
    known = _known.get(instructions)
    if known is None:
        theirs = [at for at, each in enumerate(frames) if not _is_ours(each.f_code.co_filename)]
        own = [at for at in theirs if own_code.is_own(frames[at].f_code.co_filename)]
        inner = [frames[at] for at in theirs if not own or at > own[-1]]
        function = _waiting_function(inner) if inner else ("", False)
        known = _known[instructions] = ((own or theirs or [-1])[-1], *function)
    return known


def _is_ours(path: str) -> bool:
    return path.startswith(own_code.OURS) and not own_code.is_own(path)


def _waiting_function(inner: Sequence[types.FrameType]) -> Tuple[str, bool]:
    """The function of a library that waits, and whether for its turn; `inner`: the frames inside of the own code."""
    names = [(_module(each), _qualname(each)) for each in inner]
    names = [each for each in names if each[0] != _TO_THE_LOOP] or names
    at = len(names) - 1
    while at > 0 and names[at][1].startswith(_SAYS_LITTLE):
        at -= 1
    module, function = names[at]
    own = any(each in _FOR_AN_OWN_RESULT or name.startswith(_OF_AN_OWN_THREAD) for each, name in names)
    elsewhere = module == _FROM_ELSEWHERE[0] and function.startswith(_FROM_ELSEWHERE[1])
    for_others = names[-1][0] in _WAITING_MODULES or names[-1] in _WAITING_FUNCTIONS
    waits = for_others and not own and not elsewhere
    return f"{module}.{_short(function)}", waits


def _qualname(frame: types.FrameType) -> str:
    code = frame.f_code
    known = getattr(code, "co_qualname", None)
    if known is not None:
        return str(known)
    # Before Python 3.11, a class of the first argument has it.
    first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    for cls in getattr(first if isinstance(first, type) else type(first), "__mro__", ()):
        if getattr(inspect.unwrap(vars(cls).get(code.co_name, _qualname)), "__code__", None) is code:
            return f"{cls.__qualname__}.{code.co_name}"
    return code.co_name


def _short(qualname: str) -> str:
    return qualname.rsplit("<locals>.", 1)[-1]


def _lock_in(frame: types.FrameType) -> str:
    """The kind of lock that a function is acquiring, or of queue that it calls, at its instruction; "" if it is not."""
    found: object = named_objects.MISSING
    value: object = named_objects.MISSING
    for name, argument in _before(frame.f_code, frame.f_lasti):
        if name.startswith(_ENDS):
            found = value = named_objects.MISSING
        elif name.startswith(_LOADS):
            value = named_objects.variable(frame, argument[-1] if isinstance(argument, tuple) else argument)
        elif name in ("LOAD_ATTR", "LOAD_METHOD"):
            locks = argument in ("acquire", "__enter__") and _is_lock(value)
            if locks or (argument in _OF_QUEUES and type(value).__module__ in _QUEUES_IN_C):
                found = value
            value = (
                named_objects.MISSING if value is named_objects.MISSING else named_objects.attribute(value, argument)
            )
            continue
        if name in ("BEFORE_WITH", "SETUP_WITH", "LOAD_SPECIAL") and _is_lock(value):
            found = value
    if found is named_objects.MISSING or (type(found).__name__ == "lock" and not found.locked()):  # type: ignore[attr-defined]
        return ""
    module = _QUEUES_IN_C.get(type(found).__module__, type(found).__module__)
    kind = f"{module}.{type(found).__qualname__}"
    return _NAMES.get(kind, kind)


@functools.lru_cache(maxsize=256)
def _before(code: types.CodeType, at: int) -> Tuple[Tuple[str, Any], ...]:
    """The instructions of a function up to the one at this offset."""
    found: List[Tuple[str, Any]] = []
    for each in dis.get_instructions(code):
        if each.offset > at:
            break
        found.append((each.opname, each.argval))
    return tuple(found[-40:])


def _is_lock(value: object) -> bool:
    kind = type(value)
    return value is not named_objects.MISSING and hasattr(kind, "acquire") and hasattr(kind, "release")
