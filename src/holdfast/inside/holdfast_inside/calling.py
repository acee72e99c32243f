"""Runs the view's body after the hold (`--call`), and times for how long it blocks its event loop.

Between resuming a coroutine and its next yield, an event loop does nothing else. So an awaitable around the body
times its steps one by one: no thread, no timer, nothing that a busy loop would delay. Tasks that the body starts
take steps of their own. They are timed too, or a body that gathers blocking tasks would seem harmless; their
context identifies them, because each task gets a copy of its creator's. A body that is not a coroutine blocks the
loop of its thread for as long as it runs. On a thread without a loop it blocks nothing, except other greenlets (see
`greenlets`).

Times are wall-clock, as the loop experiences them: a step includes time spent waiting for a core or for the GIL.
Three things are not seen: callbacks (`call_soon`), children of a trio nursery, and Tornado's old generator
coroutines, which run in pieces as callbacks. If the body itself is one of those, the record says so.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import sys
import time
from typing import Any, Callable, Generator, Iterator, Optional, Set

from . import greenlets, layout, loops, recorder

Body = Callable[[], Any]
_STEPS, _WHOLE, _NO_LOOP, _UNSEEN, _SWITCHES = range(1, len(layout.TIMINGS))


def wait_until_called(id: int) -> bool:
    """Blocks until the body of the released request `id` may begin; False means it must not run."""
    while True:
        wait_s = recorder.body_starts_in_s(id)
        if wait_s is None or wait_s <= 0:
            return wait_s is not None
        time.sleep(wait_s)


async def await_called(id: int) -> bool:
    """Like `wait_until_called`, for a coroutine: awaits instead of blocking."""
    while True:
        wait_s = recorder.body_starts_in_s(id)
        if wait_s is None or wait_s <= 0:
            return wait_s is not None
        await loops.sleep_here()(wait_s)


class BodyRun:
    """One run of a request's body, written to the record. Results and exceptions pass through unchanged."""

    __slots__ = (
        "_at",
        "_begun_ns",
        "_depth",
        "_ended_ns",
        "_id",
        "_longest_ns",
        "_raised",
        "_running",
        "_runs",
        "_since_ns",
        "_stopped_ns",
        "_streams",
        "_timing",
    )

    def __init__(self, id: int) -> None:
        self._id = id
        self._at = recorder.call_offset(id)
        # Not 0 if the server repeats a request whose body has already run.
        self._runs = layout.CALL.unpack_from(recorder.record().data, self._at)[5]
        self._running = self._raised = self._streams = False
        self._begun_ns = self._ended_ns = self._longest_ns = self._stopped_ns = 0
        self._depth = self._since_ns = self._timing = 0

    def run(self, body: Body) -> Any:  # noqa: ANN401 - what the body returns
        """Runs the body and returns its result; an awaitable result is wrapped so that its steps are timed."""
        if self._running:
            return body()  # a recursive view
        loop = loops.loop_runs()
        turns = None if loop else greenlets.turns(self.resumes, self.yields)
        self._begin(_WHOLE if loop else _NO_LOOP if turns is None else _SWITCHES)
        try:
            with self._watching() if loop else turns or _nothing:
                result = body()
        except BaseException:
            self._end(raised=True)
            raise
        if inspect.isawaitable(result):
            return self._ending_later(result)
        self._end(result)
        return result

    def begin(self) -> None:
        """Notes that a body begins which runs without being called from here, on a thread without a loop."""
        self._begin(_NO_LOOP)

    def end(self, result: object) -> None:
        """Notes its end."""
        self._end(result)

    def resumes(self) -> None:
        """Notes that the body has the thread: from now on its loop can do nothing else."""
        global moved_ns  # noqa: PLW0603 - of the whole process
        self._depth += 1
        if self._depth == 1:
            self._since_ns = moved_ns = time.monotonic_ns()
            # If the body never yields again, this is the only trace of it.
            layout.WORD.pack_into(recorder.record().data, self._at + layout.CALL_SINCE_OFFSET, self._since_ns)

    def yields(self) -> None:
        """Notes that the loop is free again, unless this step was nested in another one (an eager task)."""
        global moved_ns  # noqa: PLW0603 - of the whole process
        self._depth -= 1
        if self._depth == 0:
            moved_ns = time.monotonic_ns()
            stopped_ns = moved_ns - self._since_ns
            self._stopped_ns += stopped_ns
            self._longest_ns = max(self._longest_ns, stopped_ns)
            self._write()

    async def _ending_later(self, promised: Any) -> object:  # noqa: ANN401 - any awaitable
        self._timing = _UNSEEN if _runs_by_callbacks(promised) else _STEPS
        token = _calling.set(self)
        try:
            result = await Steps(promised, self)
        except BaseException:
            self._end(raised=True)
            raise
        finally:
            _calling.reset(token)
        self._end(result)
        return result

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        """Counts everything that runs in this block as one step, and recognises tasks created in it."""
        _watch_tasks()
        token = _calling.set(self)
        self.resumes()
        try:
            yield
        finally:
            self.yields()
            _calling.reset(token)

    def _begin(self, timing: int) -> None:
        self._running, self._timing, self._ended_ns = True, timing, 0
        self._begun_ns = self._begun_ns or time.monotonic_ns()
        self._runs += 1
        self._write()
        _note(began=True, id=self._id)
        from . import showing

        showing.look_out()

    def _end(self, result: object = None, *, raised: bool = False) -> None:
        self._running = False
        _note(began=False, id=self._id)
        self._ended_ns = time.monotonic_ns()
        self._raised = self._raised or raised
        self._streams = self._streams or is_streamed(result)
        self._write()

    def _write(self) -> None:
        layout.CALL.pack_into(
            recorder.record().data,
            self._at,
            self._begun_ns,
            self._ended_ns,
            self._longest_ns,
            self._stopped_ns,
            self._since_ns if self._depth else 0,
            self._runs,
            self._timing,
            self._raised,
            self._streams,
        )


class Steps:
    """Wraps an awaitable and tells a BodyRun when each of its steps begins and ends."""

    __slots__ = ("_call", "awaited")

    def __init__(self, awaitable: Any, call: BodyRun) -> None:  # noqa: ANN401 - any awaitable
        self.awaited = awaitable
        self._call = call

    def __await__(self) -> Generator[Any, Any, Any]:
        """Yields what the wrapped awaitable yields, and forwards what is sent or thrown into it."""
        steps = self.awaited.__await__()
        # `__await__` may return any iterator (PEP 492); only generators have send().
        step = resume = getattr(steps, "send", lambda _: next(steps))
        value: Any = None
        while True:
            self._call.resumes()
            try:
                yielded = step(value)
            except StopIteration as end:
                return end.value
            finally:
                self._call.yields()
            try:
                value, step = (yield yielded), resume
            except GeneratorExit:
                getattr(steps, "close", lambda: None)()
                raise
            except BaseException as error:
                if not hasattr(steps, "throw"):
                    raise
                value, step = error, steps.throw


bodies: Set[int] = set()
"""The requests whose bodies run in this process."""
changed_ns = 0
"""When one of these began or ended last."""
moved_ns = 0
"""When the last step of one of these began or ended, for those whose steps are seen."""


def _note(*, began: bool, id: int) -> None:
    global changed_ns  # noqa: PLW0603 - of the whole process
    changed_ns = time.monotonic_ns()
    (bodies.add if began else bodies.discard)(id)


_nothing = contextlib.nullcontext()
_calling: contextvars.ContextVar[Optional[BodyRun]] = contextvars.ContextVar("holdfast calling", default=None)
_WATCHES = "_holdfast_watches"


def _watch_tasks() -> None:
    """Makes the running loop time the steps of tasks that a body starts; a second call changes nothing."""
    asyncio = sys.modules.get("asyncio")
    loop = None if asyncio is None else asyncio._get_running_loop()  # noqa: SLF001 - None where trio runs
    if asyncio is None or loop is None:
        return
    task_class = asyncio.Task
    try:
        make = loop.get_task_factory()
    except NotImplementedError:  # task factories are optional for a loop
        return
    if hasattr(make, _WATCHES):
        return

    def factory(loop: object, coroutine: Any, **keywords: Any) -> object:  # noqa: ANN401 - as asyncio's
        call = _calling.get()
        if call is not None and inspect.iscoroutine(coroutine):
            coroutine = _stepwise(coroutine, call)
        return task_class(coroutine, loop=loop, **keywords) if make is None else make(loop, coroutine, **keywords)

    setattr(factory, _WATCHES, True)
    loop.set_task_factory(factory)


async def _stepwise(coroutine: Any, call: BodyRun) -> object:  # noqa: ANN401 - a coroutine
    return await Steps(coroutine, call)


def _runs_by_callbacks(promised: object) -> bool:
    """Whether awaiting it only waits for callbacks. False for a task: `_watch_tasks` times its steps."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(promised, asyncio.Future) and not isinstance(promised, asyncio.Task)


def is_streamed(result: Any) -> bool:  # noqa: ANN401 - whatever a view returns
    """Whether a view's result produces more while it is sent: an iterator, or a streaming response."""
    kind = type(result)
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        return True
    # In this order: responses of Starlette, of Django, of Werkzeug.
    if "body_iterator" in getattr(result, "__dict__", ()) or getattr(kind, "streaming", None) is True:
        return True
    return hasattr(kind, "is_streamed") and getattr(result, "is_streamed", None) is True
