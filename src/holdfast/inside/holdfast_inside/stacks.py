"""The stacks of requests that are under way in this process: on threads, in tasks of event loops, in greenlets.

Nothing is kept for this while requests run. When it is asked for, the interpreter's own lists are read: the frame of
each thread (`thread_frames`), the tasks of each loop (`asyncio.all_tasks`), the greenlets among the objects that
the collector knows. Which request a stack belongs to shows in its frames: the ASGI scope or WSGI environ that carries
the claim, or one of holdfast's own functions. A thread to which a request sent a function shows it in the context that
went along.

A suspended coroutine has one frame; those that it awaits are reached through `cr_await`, `gi_yieldfrom`, `ag_await`.
Where an object in between hides what it awaits (`__aenter__` of an asynchronous context manager made from a generator),
the collector knows to what it refers.
"""

from __future__ import annotations

import collections
import contextvars
import functools
import gc
import sys
import types
import weakref
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

from . import calling, gate, greenlets, request, thread_frames

_OF_A_KIND = 3
_DEEPEST = 300
_OUTERMOST = 15
"""A thread that runs a function for a request has its context in one of the frames around that function."""
_CARRIERS = frozenset({"scope", "environ", "claim", "pending", "held", "request"})
_HOLDS = frozenset({gate.Held.run.__code__, gate.Held.run_async.__code__})
_STEPS = calling.Steps.__await__.__code__
_LOOKERS = frozenset({__name__, *(f"{__package__}.{each}" for each in ("showing", "background", "thread_frames"))})
_CLAIMED, _LED, _AT_VIEW, _SENT = range(1, 5)


class Stack(NamedTuple):
    """One way from the outside in.

    Attributes:
        frames: outermost first.
        waiter: the future that the innermost frame awaits; None where there is none.
        task: that it is of; None on a thread or in a greenlet.
        thread: the identifier of the thread that it is of; None in a task or in a greenlet.
    """

    frames: Tuple[types.FrameType, ...]
    waiter: Any = None
    task: object = None
    thread: Optional[int] = None


_loops: Any = weakref.WeakSet()
"""The event loops on which requests came."""


def note_loop(loop: object) -> None:
    """Remembers a loop, whose tasks may be asked for."""
    _loops.add(loop)


def loops() -> List[Any]:
    """The loops on which requests came and that are still there."""
    return list(_loops)


def has_work(loop: object) -> bool:
    """Whether a loop of asyncio has callbacks that it has not come to yet, such as a step of a task or a result."""
    ready = getattr(loop, "_ready", None)
    if ready is None:
        # A loop that is written in C (uvloop) does not show them, but the collector knows to what it refers.
        ready = next((each for each in gc.get_referents(loop) if type(each) is collections.deque), None)
    return bool(ready)


def of_requests(wanted: Callable[[int], bool]) -> Dict[int, List[Stack]]:
    """The stacks of each request of this run that is under way: of several those that are nearest to its view.

    Several are as near where a task waits for another one, or listens for the client to leave.

    Args:
        wanted: whether the stacks of the request with this id are asked for.
    """
    found: Dict[int, List[Stack]] = {}
    for stack in _all():
        id = _request_of(stack)
        if id is not None and wanted(id):
            found.setdefault(id, []).append(stack)
    return {id: _nearest(some) for id, some in found.items()}


def of_each_kind() -> Iterator[Tuple[Stack, bool]]:
    """The stacks of this process, each with whether it is a request's; of tasks that run the same coroutine, a few."""
    seen: Dict[object, int] = {}
    for stack in _all(lambda task: _is_one_of_many(task, seen)):
        yield stack, _request_of(stack) is not None


def _is_one_of_many(task: Any, seen: Dict[object, int]) -> bool:  # noqa: ANN401 - of any task class
    coroutine = _coroutine_of(task)
    kind = getattr(coroutine, "cr_code", None) or type(coroutine)
    seen[kind] = seen.get(kind, 0) + 1
    return seen[kind] > _OF_A_KIND


def _nearest(some: List[Stack]) -> List[Stack]:
    if len(some) == 1:
        return some
    near = [_nearness(each) for each in some]
    return _without_parents([each for each, number in zip(some, near) if number == max(near)])


def _without_parents(some: List[Stack]) -> List[Stack]:
    """Those whose task has not started the task of another one in a group of AnyIO's; what remains is further in."""
    states = getattr(sys.modules.get("anyio._backends._asyncio"), "_task_states", None)
    if states is None:
        return some
    parents = {getattr(states.get(each.task), "parent_id", None) for each in some if each.task is not None}
    return [each for each in some if id(each.task) not in parents] or some


def _all(leaves_out: Callable[[Any], bool] = lambda _task: False) -> Iterator[Stack]:
    """All stacks but those of tasks that are left out, and of those that run: they are on the stack of their thread.

    A coroutine that runs does not tell what it awaits, so of such a task only the outermost frame would be seen, as if
    nothing of a request were in it.
    """
    frames_now = thread_frames.innermost()
    threads = {thread: outwards(_around_the_look(frame)) for thread, frame in frames_now.items()}
    del frames_now
    for thread, frames in threads.items():
        yield Stack(frames, thread=thread)
    for frames in _greenlets():
        yield Stack(frames)
    for task in (*_tasks(list(threads.values())), *_trio_tasks()):
        if not getattr(_coroutine_of(task), "cr_running", False) and not leaves_out(task):
            yield _of_task(task)


def _around_the_look(frame: Optional[types.FrameType]) -> Optional[types.FrameType]:
    """The innermost frame that does not belong to the look itself.

    One that did would have all the others among its locals and be among them: a cycle, with which the frames of
    requests would live, and what these refer to (an executor and its thread), until the collector comes round.
    """
    while frame is not None and frame.f_globals.get("__name__") in _LOOKERS:
        frame = frame.f_back
    return frame


def outwards(frame: Optional[types.FrameType]) -> Tuple[types.FrameType, ...]:
    """A frame and those around it, the innermost one last."""
    found: List[types.FrameType] = []
    while frame is not None and len(found) < _DEEPEST:
        found.append(frame)
        frame = frame.f_back
    return tuple(reversed(found))


def _greenlets() -> List[Tuple[types.FrameType, ...]]:
    greenlet = sys.modules.get("greenlet")
    if greenlet is None:
        return []
    # While bodies run, those that run one are known. Going through all objects takes as long as a short body does.
    among = list(greenlets.with_bodies) if calling.bodies else gc.get_objects()
    # type(), not isinstance: the application's objects may be proxies, which would load what they lead to, or raise.
    each_one = [each for each in among if issubclass(type(each), greenlet.greenlet)]
    return [outwards(each.gr_frame) for each in each_one if each.gr_frame is not None]


def _tasks(threads: List[Tuple[types.FrameType, ...]]) -> Iterator[Any]:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return
    found = {id(loop): loop for loop in loops()}
    for frames in threads:
        for frame in frames:
            # A loop that was made for one request alone runs on a thread of its own.
            if frame.f_code.co_name == "run_forever":
                loop = frame.f_locals.get("self")
                if isinstance(loop, asyncio.AbstractEventLoop):
                    found[id(loop)] = loop
    for loop in found.values():
        try:
            yield from asyncio.all_tasks(loop)
        except RuntimeError:
            continue  # its tasks changed all the time while they were listed


def _trio_tasks() -> List[Any]:
    """The tasks of the trio that runs on this thread."""
    lowlevel = sys.modules.get("trio.lowlevel")
    if lowlevel is None:
        return []
    try:
        found = [lowlevel.current_root_task()]
    except RuntimeError:
        return []  # none does
    for task in found:
        found += [each for nursery in task.child_nurseries for each in nursery.child_tasks]
    return found


def _coroutine_of(task: Any) -> Any:  # noqa: ANN401 - of any task class
    return task.get_coro() if hasattr(task, "get_coro") else task.coro


def _of_task(task: Any) -> Stack:  # noqa: ANN401 - of any task class
    frames: List[types.FrameType] = []
    seen: List[int] = []
    waiter: object = None
    inner = task
    while inner is not None and id(inner) not in seen and len(frames) < _DEEPEST:
        seen.append(id(inner))
        waiter = _follow(_coroutine_of(inner), frames)
        inner = _inner_task(waiter, frames[-1] if frames else None)
    return Stack(tuple(frames), waiter, task)


def _follow(thing: Any, frames: List[types.FrameType]) -> object:  # noqa: ANN401 - any awaitable
    """Adds the frames of a suspended coroutine and of what it awaits; returns the future at the end, if any."""
    for _ in range(_DEEPEST):
        if thing is None or hasattr(thing, "_asyncio_future_blocking"):
            return thing
        frame, awaited = _step(thing)
        if frame is not None:
            frames.append(frame)
        thing = awaited
    return None


def _step(thing: Any) -> Tuple[Optional[types.FrameType], object]:  # noqa: ANN401 - any awaitable
    for prefix, inner in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
        if hasattr(thing, inner):
            frame = getattr(thing, prefix + "_frame", None)
            if frame is not None and frame.f_code is _STEPS:
                return None, frame.f_locals["self"].awaited
            return frame, getattr(thing, inner)
    inner_ones = ("cr_await", "gi_yieldfrom", "ag_await", "_asyncio_future_blocking")
    refers_to = gc.get_referents(thing)
    return None, next((each for each in refers_to if any(hasattr(type(each), name) for name in inner_ones)), None)


def _inner_task(waiter: Any, frame: Optional[types.FrameType]) -> Optional[Any]:  # noqa: ANN401 - any future
    """A task whose end is awaited: itself, through `gather`, or as a local of what waits for it (`wait_for`)."""
    candidates = [waiter, *getattr(waiter, "_children", ())]
    if frame is not None and frame.f_globals.get("__name__", "").startswith("asyncio."):
        for value in frame.f_locals.values():
            several = value if type(value) in {set, list, tuple} else ()
            is_group = hasattr(type(value), "create_task")
            candidates += [value, *(getattr(value, "_tasks", ()) if is_group else several)]
    return next((each for each in candidates if hasattr(type(each), "get_coro") and not each.done()), None)


def _request_of(stack: Stack) -> Optional[int]:
    """The id of the request whose stack it is; None where it is of none."""
    claim = _sent_claim(stack)
    # The outermost one does: what is further in belongs to the same request.
    claim = claim or next((near[0] for near in map(_claim_in, stack.frames) if near is not None), None)
    return None if claim is None else claim.id


def _nearness(stack: Stack) -> int:
    """How near to the view a stack is."""
    if _sent_claim(stack) is not None:
        return _SENT
    return max((near[1] for near in map(_claim_in, stack.frames) if near is not None), default=0)


@functools.lru_cache(maxsize=None)
def _carriers(code: types.CodeType) -> FrozenSet[str]:
    return _CARRIERS.intersection((*code.co_varnames, *code.co_cellvars, *code.co_freevars))


def _claim_in(frame: types.FrameType) -> Optional[Tuple[request.RequestClaim, int]]:
    if frame.f_code in _HOLDS:
        held = frame.f_locals.get("self")
        return (held.claim, _AT_VIEW) if isinstance(held, gate.Held) else None
    names = _carriers(frame.f_code)
    if not names:
        return None
    values = frame.f_locals
    best: Optional[Tuple[request.RequestClaim, int]] = None
    for name in names:
        value = values.get(name)
        near = _LED if type(value) is gate.Held else _CLAIMED
        claim = value if type(value) is request.RequestClaim else _carried(value)
        if claim is not None and (best is None or best[1] < near):
            best = claim, near
    return best


def _carried(value: Any) -> Optional[request.RequestClaim]:  # noqa: ANN401 - any local
    """The claim in a scope or an environ, in a framework's request made of one, or in an object of our own."""
    if type(value) in {gate.Held, request.PendingClaim}:
        value = value.claim
    elif type(value) is not dict:
        # Not by getattr: an attribute of a request may be a function of the application's.
        attributes = getattr(value, "__dict__", {})
        value = attributes.get("scope") or attributes.get("environ") or attributes.get("claim")
    claim = value.get(request.KEY) if type(value) is dict else value
    return claim if type(claim) is request.RequestClaim else None


def _sent_claim(stack: Stack) -> Optional[request.RequestClaim]:
    """The claim of the request for which a thread runs a function, if its context went along."""
    if stack.task is not None:
        return None
    for frame, inner in zip(stack.frames[:_OUTERMOST], stack.frames[1:]):
        # A thread that waits for the next function may still know the last one.
        if frame.f_code.co_name not in _RUNNERS or inner.f_globals.get("__name__") == "queue":
            continue
        for value in list(frame.f_locals.values()):
            context = _context_of(value)
            held = None if context is None else context.get(gate.current)
            if held is not None:
                return held.claim
    return None


_RUNNERS = frozenset({"run", "_worker", "thread_handler"})
"""Functions that run one for others: AnyIO's `WorkerThread.run`, `concurrent.futures`' `_worker` and `_WorkItem.run`,
asgiref's `thread_handler`."""


def _context_of(value: Any) -> Optional[contextvars.Context]:  # noqa: ANN401 - any local
    for _ in range(3):
        if isinstance(value, contextvars.Context):
            return value
        if type(value).__name__ == "_WorkItem":
            value = getattr(value, "fn", None) or getattr(value, "task", (None,))[0]
        elif isinstance(value, functools.partial):
            value = value.func
        else:
            value = getattr(value, "__self__", None) if isinstance(value, types.BuiltinMethodType) else None
    return None
