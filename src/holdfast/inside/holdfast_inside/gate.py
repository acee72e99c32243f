"""Holds a claimed request inside the function that would answer it, whichever framework calls that function.

A framework's hook finds the function that will answer a claimed request, makes a `Held` for it and sets `current`
while the framework proceeds as usual. The gate in the function acts only on a `Held` that names it. For every other
request, and for other gated functions that the same request passes through, the original code runs. `current` is a
context variable, because frameworks that send a view to a thread copy the context for it.

A held view ends by raising the exception of its `Ending`, so that a decorator that caches, serialises or commits a
view's result gets none; or by returning, in a framework whose middleware may hear only of what returns. With `--call`
the body runs instead, in its place and with its arguments, and its result or exception passes on as usual.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import io
import os
import sys
import types
from typing import Any, Callable, Dict, Generator, List, NamedTuple, Optional, Set, Tuple

from . import calling, code_patch, layout, recorder, request, watch

Function = Callable[..., object]


class Released(BaseException):
    """Ends a held view in frameworks that have no exception of their own that carries a response.

    Derived from BaseException, so that decorators which log, retry or answer exceptions let it pass.
    """


def is_release(error: BaseException) -> bool:
    """Whether an exception is a held view's end, or a group of nothing else."""
    inner = getattr(error, "exceptions", ())
    return isinstance(error, Released) or (bool(inner) and all(is_release(each) for each in inner))


class Ending(NamedTuple):
    """How a held view ends.

    Attributes:
        raised: makes the exception that ends the hold.
        returned: makes the result for a decorator that calls the view again after that exception.
        returns: whether that result ends the hold instead.
    """

    raised: Callable[[], BaseException]
    returned: Callable[[], object]
    returns: bool = False


def _none() -> None:
    return None


PLAIN = Ending(Released, _none)
_DRIVES = "twisted.internet.defer"


class Held:
    """One claimed request on its way to the view: where and how it will be held, once."""

    __slots__ = ("_ended", "_raised", "_returned", "claim", "ending", "gate", "held_in", "kind", "others", "via")

    def __init__(
        self,
        claim: request.RequestClaim,
        gate: Optional[Gate],
        held_in: str,
        kind: str,
        via: str = "view",
        ending: Ending = PLAIN,
    ) -> None:
        self.claim = claim
        self.gate = gate
        self.held_in = held_in
        self.kind = kind
        self.via = via
        self.ending = ending
        # Further functions with the same code: only one of them is called.
        self.others: Tuple[Gate, ...] = ()
        self._raised: Optional[BaseException] = None
        self._ended = self._returned = False
        if gate is not None:
            request.note_led()

    def forget(self) -> None:
        """Frees what the exception that ended the view still keeps, once it has been handled.

        A future that has passed it on is kept by a frame of its traceback, and keeps the exception. asgiref has in that
        frame the executor with the thread of the view's event loop, and a view that returns leaves neither behind: the
        next requests would not find what this one has cost.
        """
        error, self._raised = self._raised, None
        if error is not None:
            error.__traceback__ = None

    def run(self, body: Optional[calling.Body] = None) -> object:
        """Blocks in place of the view's body until the request is released, then ends as `ending` says.

        Args:
            body: runs the view's body, which `--call` asks for; None if there is no body to run.
        """
        claim = self.claim
        if claim.held:
            return self._again(body)
        self._enter()
        try:
            recorder.hold_sync(claim.id)
            if body is not None and calling.wait_until_called(claim.id):
                claim.call = calling.BodyRun(claim.id)
                return claim.call.run(body)
        finally:
            recorder.leave(claim.id)
        return self._end()

    def run_in_place(self) -> Optional[calling.BodyRun]:
        """As `run`, once, for a body that runs when this has returned: its run, whose end is to be told."""
        self._enter()
        try:
            recorder.hold_sync(self.claim.id)
            if calling.wait_until_called(self.claim.id):
                self.claim.call = calling.BodyRun(self.claim.id)
                return self.claim.call
        finally:
            recorder.leave(self.claim.id)
        self._end()
        return None

    async def run_async(self, body: Optional[calling.Body] = None) -> object:
        """Like `run`, for a coroutine: awaits, or blocks the loop if the kind is "async-blocking"."""
        claim, blocking = self.claim, self.kind == "async-blocking"
        if claim.held:
            return await _result(self._again(body))
        self._enter()
        try:
            if blocking:
                recorder.hold_sync(claim.id)
            else:
                await recorder.hold_async(claim.id)
            if body is not None and await self._is_called(blocking=blocking):
                claim.call = calling.BodyRun(claim.id)
                return await _result(claim.call.run(body))
        finally:
            recorder.leave(claim.id)
        return self._end()

    def is_over(self) -> bool:
        """Whether the view has ended by returning, after the hold and without a body in its place."""
        return self._returned

    def has_ended(self) -> bool:
        """Whether the view has ended after the hold, without a body in its place."""
        return self._ended

    def _end(self) -> object:
        self._ended = True
        if self.ending.returns:
            self._returned = True
            return self.ending.returned()
        self._raised = self.ending.raised()
        raise self._raised

    async def _is_called(self, *, blocking: bool) -> bool:
        return calling.wait_until_called(self.claim.id) if blocking else await calling.await_called(self.claim.id)

    def _again(self, body: Optional[calling.Body]) -> object:
        call = self.claim.call
        return self.ending.returned() if call is None or body is None else call.run(body)

    def _enter(self) -> None:
        # Hold only once, or a decorator that retries a view after an exception would retry for ever.
        self.claim.held = True
        recorder.enter(self.claim.id, self.held_in, self.kind, self.via, self.claim.entry)


class Gate:
    """The new code of one function, shared by all its requests."""

    __slots__ = ("code", "original")

    def __init__(self, function: types.FunctionType) -> None:
        original = self.original = code_patch.copy_of(function)
        is_async = inspect.iscoroutinefunction(function)

        def gate(*args: object, **kwargs: object) -> object:
            held = on_its_way()
            if held is None or (held.gate is not self and self not in held.others):
                return original(*args, **kwargs)
            # A plain function may return an awaitable; then its kind is not "sync".
            body = functools.partial(original, *args, **kwargs)
            return held.run_async(body) if is_async or held.kind != "sync" else held.run(body)

        def driven_gate(*args: object, **kwargs: object) -> Generator[object, Any, object]:
            held = on_its_way()
            if held is None or (held.gate is not self and self not in held.others):
                return (yield from original(*args, **kwargs))
            defer: Any = sys.modules[_DRIVES]
            body = functools.partial(defer.inlineCallbacks(original), *args, **kwargs)
            return (yield defer.ensureDeferred(held.run_async(body)))

        made = driven_gate if inspect.isgeneratorfunction(function) else gate
        self.code = code_patch.gated_code(function.__code__, made)


async def _result(result: object) -> object:
    return await result if inspect.isawaitable(result) else result


current: contextvars.ContextVar[Optional[Held]] = contextvars.ContextVar("holdfast", default=None)
elsewhere: List[Callable[[], Optional[Held]]] = []
"""Of frameworks that know the request on a thread that has no copy of its context: they find what `current` lacks."""


def on_its_way() -> Optional[Held]:
    """The request for which the caller runs, if it is to be held."""
    found = current.get()
    return next(filter(None, (find() for find in elsewhere)), None) if found is None and elsewhere else found


_gates: Dict[types.FunctionType, Gate] = {}
_surrounded: Set[types.FunctionType] = set()


def put_in(function: Optional[types.FunctionType]) -> Optional[Gate]:
    """Puts a gate into the function, at the first call, and returns it; None if it cannot have one.

    A generator can where Twisted is loaded; it must be one that is driven as a coroutine (defer.py, `inlineCallbacks`).
    """
    if function is None:
        return None
    gate = _gates.get(function)
    if gate is None:
        is_driven = inspect.isgeneratorfunction(function) and _DRIVES in sys.modules
        if not (is_driven or code_patch.can_be_gated(function)):
            return None
        try:
            # setdefault: two requests that come first at the same time must get the same gate.
            gate = _gates.setdefault(function, Gate(function))
        except (ValueError, SyntaxError):
            return None
        # By now the application is loaded, and with it what sends its views to threads.
        keep_context_in_threads()
    # Outside the branch: another thread may have made the gate and not have put it in yet.
    if function.__code__ is not gate.code:
        function.__code__ = gate.code
    return gate


def surround(function: object, make: Callable[[Function], Function]) -> bool:
    """Replaces the code of one of a framework's own functions by `make(original)`; a second call changes nothing.

    The function object stays, so this also reaches references that exist already, such as bound methods in
    routing tables.

    Args:
        function: what the class or module holds; None if this version of the framework has none.
        make: gets a function with the original code and returns the new one, which must be a coroutine function if
            the original is. Named for what the new function does: `_noting_entry`, `_preparing_view`.

    Returns:
        whether the function is surrounded now.
    """
    found = code_patch.innermost_function(function)
    if found is None or not code_patch.can_be_gated(found):
        return False
    if found not in _surrounded:
        try:
            found.__code__ = code_patch.gated_code(found.__code__, make(code_patch.copy_of(found)))
        except (ValueError, SyntaxError):
            return False
        _surrounded.add(found)
    return True


def keep_context_in_threads() -> None:
    """Lets executors of threads run each task in a copy of its caller's context, if this process has loaded them."""
    executor = getattr(sys.modules.get("concurrent.futures.thread"), "ThreadPoolExecutor", None)
    if executor is not None:
        surround(executor.submit, keeping_context)
    pool = getattr(sys.modules.get("twisted.python.threadpool"), "ThreadPool", None)
    if pool is not None:
        surround(pool.callInThreadWithCallback, _keeping_both)


def keeping_context(submit: Function) -> Function:
    """For `surround`: an executor's `submit` that runs the task in a copy of the caller's context.

    Frameworks pass the context to their threads themselves. A user's decorator that sends a view to a thread may
    not; the gate would then miss the held request and run the view's body.
    """

    def submit_with_context(*args: object, **kwargs: object) -> object:
        executor, *rest = args
        if _runs_elsewhere(executor):
            return submit(*args, **kwargs)
        if watch.is_watched():
            task: Any = rest[0]
            if _is_of_file(task):
                return watch.unseen(submit, *args, **kwargs)
            return submit(executor, contextvars.copy_context().run, watch.watched(task), *rest[1:], **kwargs)
        if on_its_way() is None:
            return submit(*args, **kwargs)
        return submit(executor, contextvars.copy_context().run, *rest, **kwargs)

    return submit_with_context


def _keeping_both(submit: Function) -> Function:
    """As `keeping_context`, of Twisted's pools: what a thread runs, and then what it tells the result."""

    def submit_with_context(*args: Any, **kwargs: object) -> object:  # noqa: ANN401 - as Twisted's
        watches = watch.is_watched()
        if not (watches or on_its_way()) or len(args) < 3:
            return submit(*args, **kwargs)
        pool, tells, task, *rest = args
        run = contextvars.copy_context().run
        made = watch.watched(task) if watches else task
        tells = tells if tells is None else functools.partial(run, tells)
        return submit(pool, tells, run, made, *rest, **kwargs)

    return submit_with_context


def _is_of_file(task: object) -> bool:
    """Whether it only reads, writes or closes a file: a part of a reply, and no function that answers."""
    while isinstance(task, functools.partial):
        task = task.func
    return isinstance(task, types.BuiltinMethodType) and isinstance(task.__self__, io.IOBase)


def _runs_elsewhere(executor: object) -> bool:
    """Whether its functions run in other interpreters (Python 3.14): neither a context nor a gate gets there."""
    pool = getattr(sys.modules.get("concurrent.futures.interpreter"), "InterpreterPoolExecutor", None)
    return pool is not None and isinstance(executor, pool)


def kind_of(view: object) -> str:
    """The kind of a view, one of layout.KINDS: how it is written, and whether this run blocks the loop in it."""
    later = inspect.iscoroutinefunction(view) or inspect.isasyncgenfunction(view)
    return async_kind() if later else "sync"


def async_kind() -> str:
    """The kind of every async view in this run: "async", or "async-blocking" if the user asked for that."""
    return "async-blocking" if os.environ.get(layout.VIEW_VARIABLE) == "async-blocking" else "async"


def held_in_view(framework: str, view: object, kind: str, name: Optional[str] = None) -> str:
    """Says where a request is held in its view: `flask async view index()`."""
    if name is None:
        name = str(getattr(view, "__qualname__", None) or type(view).__qualname__)
    return "{} {}view {}()".format(framework, "" if kind == "sync" else "async ", name.rsplit("<locals>.", 1)[-1])


def held_without_view(framework: str, path: str, method: str = "") -> str:
    """Says where a request without a view is held; `method` is "" if its path has no view for any method."""
    return "{} entry (no view{} at {})".format(framework, method and f" for {method}", path)
