"""Holds a claimed request inside the function for which it was meant, whatever framework calls it.

A hook of a framework finds out which function will answer a claimed request, makes a `Held` of it and
sets `current` while the framework goes its ordinary way. The gate in that function acts on nothing but
the `Held` that names it; for all other requests, and for other functions that the same request runs
through, the original code runs. `current` is a context variable, because frameworks that hand a view to a
thread copy the context for it.

A held view ends by raising, as its `Answer` says: a decorator that caches, serialises or commits what a
view returns gets nothing to keep. Unless its body is asked for (`--call`): that then runs in its own place, with
its own arguments, and what it returns or raises goes its ordinary way.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import os
import types
from typing import Callable, Dict, NamedTuple, Optional, Set

from . import calling, code_patch, layout, recorder, request

Function = Callable[..., object]


class Released(BaseException):
    """Ends a held view where the framework has no exception of its own for an answer.

    No Exception: a decorator that turns those into replies, logs them or tries again has no part in this.
    """


class Answer(NamedTuple):
    """How a held view ends: what it raises, and what it returns if it is run once more all the same."""

    raised: Callable[[], BaseException]
    returned: Callable[[], object]


def nothing() -> None:
    """What is returned where there is nobody to read it."""


PLAIN = Answer(Released, nothing)


class Held:
    """One claimed request on its way to the view: where and how it is to be held, once."""

    __slots__ = ("answer", "claim", "gate", "held_in", "kind", "via")

    def __init__(
        self,
        claim: request.Claim,
        gate: Optional[Gate],
        held_in: str,
        kind: str,
        via: str = "view",
        answer: Answer = PLAIN,
    ) -> None:
        self.claim = claim
        self.gate = gate
        self.held_in = held_in
        self.kind = kind
        self.via = via
        self.answer = answer

    def run(self, body: Optional[calling.Body] = None) -> object:
        """Holds where the view's body would run, blocking; ends as the answer says.

        Args:
            body: runs it; None where there is none, or nothing that can be run.
        """
        claim = self.claim
        if claim.held:
            return self._again(body)
        self._enter()
        try:
            recorder.hold_sync(claim.id)
            if body is not None and calling.starts(claim.id):
                claim.call = calling.Call(claim.id)
                return claim.call.run(body)
        finally:
            recorder.leave(claim.id)
        raise self.answer.raised()

    async def run_async(self, body: Optional[calling.Body] = None) -> object:
        """The same in a coroutine, awaiting unless the blocking of the loop is what is asked about."""
        claim, blocking = self.claim, self.kind == "async-blocking"
        if claim.held:
            return await _come(self._again(body))
        self._enter()
        try:
            if blocking:
                recorder.hold_sync(claim.id)
            else:
                await recorder.hold_async(claim.id)
            if body is not None and (calling.starts(claim.id) if blocking else await calling.starts_later(claim.id)):
                claim.call = calling.Call(claim.id)
                return await _come(claim.call.run(body))
        finally:
            recorder.leave(claim.id)
        raise self.answer.raised()

    def _again(self, body: Optional[calling.Body]) -> object:
        call = self.claim.call
        return self.answer.returned() if call is None or body is None else call.run(body)

    def _enter(self) -> None:
        # A decorator that repeats a view after an exception would do so for ever: the second time there is none.
        self.claim.held = True
        recorder.enter(self.claim.id, self.held_in, self.kind, self.via, self.claim.entry)


class Gate:
    """The new code of one function; there is one for each function, whatever the number of its requests."""

    __slots__ = ("code",)

    def __init__(self, function: types.FunctionType) -> None:
        original = code_patch.copy_of(function)
        is_async = inspect.iscoroutinefunction(function)

        def gate(*args: object, **kwargs: object) -> object:
            held = current.get()
            if held is None or held.gate is not self:
                return original(*args, **kwargs)
            # A function that is no coroutine function may still promise an awaitable: then its kind is no sync one.
            body = functools.partial(original, *args, **kwargs)
            return held.run_async(body) if is_async or held.kind != "sync" else held.run(body)

        self.code = code_patch.gated_code(function.__code__, gate)


async def _come(result: object) -> object:
    return await result if inspect.isawaitable(result) else result


current: contextvars.ContextVar[Optional[Held]] = contextvars.ContextVar("holdfast", default=None)
_gates: Dict[types.FunctionType, Gate] = {}
_surrounded: Set[types.FunctionType] = set()


def gate_in(function: Optional[types.FunctionType]) -> Optional[Gate]:
    """The gate of this function, put into it at the first call; None where it cannot have one."""
    if function is None:
        return None
    gate = _gates.get(function)
    if gate is None:
        if not code_patch.can_be_gated(function):
            return None
        try:
            # setdefault: two first requests at once must agree on one gate.
            gate = _gates.setdefault(function, Gate(function))
        except (ValueError, SyntaxError):
            return None
    # Outside the branch: another thread may have made the gate and not yet put it in.
    if function.__code__ is not gate.code:
        function.__code__ = gate.code
    return gate


def surround(function: object, make: Callable[[Function], Function]) -> bool:
    """Lets `make(original)` run in the stead of one of a framework's own functions; a second call changes nothing.

    The function object stays, so this reaches those who keep a reference to it, such as bound methods in
    routing tables that were built before.

    Args:
        function: what the class or module holds; None where this version of the framework has none.
        make: gets a function with the original code; for a coroutine function it must return one.

    Returns:
        Whether it is surrounded now.
    """
    found = code_patch.unwrapped(function)
    if found is None or not code_patch.can_be_gated(found):
        return False
    if found not in _surrounded:
        try:
            found.__code__ = code_patch.gated_code(found.__code__, make(code_patch.copy_of(found)))
        except (ValueError, SyntaxError):
            return False
        _surrounded.add(found)
    return True


def keeping_context(submit: Function) -> Function:
    """Makes of an executor's `submit` one by which a held request stays known on the executor's thread.

    Frameworks hand over a copy of the context; a decorator of the person's own that sends a view to a
    thread may not, and its gate would let the view's body run.
    """

    def submit_with_context(*args: object, **kwargs: object) -> object:
        if current.get() is None:
            return submit(*args, **kwargs)
        executor, *rest = args
        return submit(executor, contextvars.copy_context().run, *rest, **kwargs)

    return submit_with_context


def kind_of(view: object) -> str:
    """One of layout.KINDS: how `view` was written, and whether a coroutine shall block its loop."""
    later = inspect.iscoroutinefunction(view) or inspect.isasyncgenfunction(view)
    return async_kind() if later else "sync"


def async_kind() -> str:
    """The kind of an async view in this run."""
    return "async-blocking" if os.environ.get(layout.VIEW_VARIABLE) == "async-blocking" else "async"


def place(framework: str, view: object, kind: str, name: Optional[str] = None) -> str:
    """In words, where a view is held: `flask async view index()`."""
    if name is None:
        name = str(getattr(view, "__qualname__", None) or type(view).__qualname__)
    return "{} {}view {}()".format(framework, "" if kind == "sync" else "async ", name.rsplit("<locals>.", 1)[-1])


def no_view(framework: str, path: str, method: str = "") -> str:
    """In words, where a request is held whose path has no view, or none for its method."""
    return "{} entry (no view{} at {})".format(framework, method and f" for {method}", path)
