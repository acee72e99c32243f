"""Runs the body of a released request after all, and times for how long it stops its event loop.

From the moment at which a loop resumes a coroutine until that yields, the loop does nothing else. So the steps
of the body are timed one by one, by an awaitable around it: no thread, no timer, nothing that a busy loop would
delay. Tasks that the body starts take steps of their own, without which a body that gathers blocking ones would
look innocent; they are known by their context, since each task has a copy of its maker's, and timed too. A body
that is no coroutine stops the loop of its thread for as long as it runs; on a thread without a loop there is
nothing to stop, but for greenlets (see `greenlets`).

Times are of the wall clock, as the loop feels them: a step in which the thread had no core or no GIL is as long as
it was. Not seen are callbacks (`call_soon`), children of a trio nursery, and coroutines of Tornado's older kind,
which it runs in pieces by callbacks; where such a one is the body itself, the record says so.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import sys
import time
from typing import Any, Callable, Generator, Iterator, Optional

from . import greenlets, layout, recorder

Body = Callable[[], Any]
_STEPS, _WHOLE, _NO_LOOP, _UNSEEN, _SWITCHES = range(1, len(layout.TIMINGS))


def starts(id: int) -> bool:
    """Returns when the body of the released request `id` shall begin; False if it shall not. Blocks until then."""
    while True:
        wait_s = recorder.called_in_s(id)
        if wait_s is None or wait_s <= 0:
            return wait_s is not None
        time.sleep(wait_s)


async def starts_later(id: int) -> bool:
    """The same in a coroutine, awaiting."""
    while True:
        wait_s = recorder.called_in_s(id)
        if wait_s is None or wait_s <= 0:
            return wait_s is not None
        await recorder.sleep_async(wait_s)


class Call:
    """What the record says of one request's body. Its result and its exceptions go their ordinary way."""

    __slots__ = (
        "_at",
        "_begun_ns",
        "_depth",
        "_ended_ns",
        "_goes_on",
        "_longest_ns",
        "_raised",
        "_running",
        "_runs",
        "_since_ns",
        "_stopped_ns",
        "_timing",
    )

    def __init__(self, id: int) -> None:
        self._at = recorder.call_offset(id)
        # A server that repeats a request has run its body before.
        self._runs = layout.CALL.unpack_from(recorder.record().data, self._at)[5]
        self._running = self._raised = self._goes_on = False
        self._begun_ns = self._ended_ns = self._longest_ns = self._stopped_ns = 0
        self._depth = self._since_ns = self._timing = 0

    def run(self, body: Body) -> Any:  # noqa: ANN401 - what the body returns
        """Runs it here; of a result that is promised for later, gives an awaitable that is timed."""
        if self._running:
            return body()  # it calls itself
        loop = recorder.loop_runs()
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

    def resumes(self) -> None:
        """From now on the loop can do nothing else."""
        self._depth += 1
        if self._depth == 1:
            self._since_ns = time.monotonic_ns()
            # A body that never yields again is seen by this alone.
            layout.WORD.pack_into(recorder.record().data, self._at + layout.CALL_SINCE_OFFSET, self._since_ns)

    def yields(self) -> None:
        """From now on it can; unless what resumed was a task that ran at once, inside a step of the body's."""
        self._depth -= 1
        if self._depth == 0:
            stopped_ns = time.monotonic_ns() - self._since_ns
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
        """Takes what runs meanwhile for one step, and knows the tasks that it makes."""
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

    def _end(self, result: object = None, *, raised: bool = False) -> None:
        self._running = False
        self._ended_ns = time.monotonic_ns()
        self._raised = self._raised or raised
        self._goes_on = self._goes_on or goes_on(result)
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
            self._goes_on,
        )


class Steps:
    """An awaitable that does what another one does, and tells a call of each of its steps."""

    __slots__ = ("_awaitable", "_call")

    def __init__(self, awaitable: Any, call: Call) -> None:  # noqa: ANN401 - any awaitable
        self._awaitable = awaitable
        self._call = call

    def __await__(self) -> Generator[Any, Any, Any]:
        """Yields what the other one yields, and passes on what is sent and thrown into it."""
        steps = self._awaitable.__await__()
        # An iterator will do for an awaitable (PEP 492); only generators can be told something.
        step = go_on = getattr(steps, "send", lambda _: next(steps))
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
                value, step = (yield yielded), go_on
            except GeneratorExit:
                getattr(steps, "close", lambda: None)()
                raise
            except BaseException as error:
                if not hasattr(steps, "throw"):
                    raise
                value, step = error, steps.throw


_nothing = contextlib.nullcontext()
_calling: contextvars.ContextVar[Optional[Call]] = contextvars.ContextVar("holdfast calling", default=None)
_WATCHES = "_holdfast_watches"


def _watch_tasks() -> None:
    """Lets the running loop time the steps of tasks that a body starts, from now on."""
    asyncio = sys.modules.get("asyncio")
    loop = None if asyncio is None else asyncio._get_running_loop()  # noqa: SLF001 - None where trio runs
    if asyncio is None or loop is None:
        return
    task_class = asyncio.Task
    try:
        make = loop.get_task_factory()
    except NotImplementedError:  # which loops need not have
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


async def _stepwise(coroutine: Any, call: Call) -> object:  # noqa: ANN401 - a coroutine
    return await Steps(coroutine, call)


def _runs_by_callbacks(promised: object) -> bool:
    """Whether awaiting it only waits for what others do; a task is no such thing, since it is timed itself."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(promised, asyncio.Future) and not isinstance(promised, asyncio.Task)


def goes_on(result: Any) -> bool:  # noqa: ANN401 - whatever a view returns
    """Whether what a view returned will be asked for more when it is sent: an iterator, or a response with one."""
    kind = type(result)
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        return True
    # Starlette's, Werkzeug's and Django's responses, in this order.
    if "body_iterator" in getattr(result, "__dict__", ()) or getattr(kind, "streaming", None) is True:
        return True
    return hasattr(kind, "is_streamed") and getattr(result, "is_streamed", None) is True
