"""Holds this run's requests inside the view functions of Flask applications.

Three methods of `flask.Flask` are wrapped, all of them looked up on the class at each request, so
this works for applications that exist already:

- `__call__` is where the server hands a request over; the thread is noted there.
- `full_dispatch_request` runs with the request's context, before any function of the application. It
  finds the view and puts the gate into it; then everything goes its ordinary way, so `before_request`,
  decorators and the way an `async def` view is run all take place, and an answer that they give
  instead of the view is given.
- `dispatch_request` holds where there is no view function to put a gate into.

A gate acts on nothing but the request for which it was meant, known by a context variable; for all
others the view's own code runs.

The held view ends by raising `HTTPException(response)`, Flask's way of answering from anywhere: a
decorator that caches, serialises or commits what a view returns gets nothing to keep.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import os
import types
from typing import Any, Awaitable, Callable, Dict, Optional, Tuple

import flask
import flask.views
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from . import innermost, layout, recorder, request, trouble

_INSTALLED = "_holdfast_installed"

Method = Callable[..., object]


class Held:
    """One claimed request on its way to the view: where and how it is to be held, once."""

    __slots__ = ("claim", "gate", "held_in", "kind", "via")

    def __init__(self, claim: request.Claim, gate: Optional[Gate], held_in: str, kind: str, via: str) -> None:
        self.claim = claim
        self.gate = gate
        self.held_in = held_in
        self.kind = kind
        self.via = via

    def run(self) -> flask.Response:
        """Holds where the view's body would run, blocking."""
        if self.claim.held:
            return _response()
        self._enter()
        try:
            recorder.hold_sync(self.claim.id)
        finally:
            recorder.leave(self.claim.id)
        raise _answer()

    async def run_async(self) -> flask.Response:
        """The same in a coroutine, awaiting unless the blocking of the loop is what is asked about."""
        if self.kind == "async-blocking" or self.claim.held:
            return self.run()
        self._enter()
        try:
            await recorder.hold_async(self.claim.id)
        finally:
            recorder.leave(self.claim.id)
        raise _answer()

    def _enter(self) -> None:
        # A decorator that repeats a view after an exception would do so for ever: the second time there is none.
        self.claim.held = True
        recorder.enter(self.claim.id, self.held_in, self.kind, self.via, self.claim.entry)


class Gate:
    """The new code of one function; there is one for each function, whatever the number of its requests."""

    __slots__ = ("code",)

    def __init__(self, function: types.FunctionType) -> None:
        original = innermost.copy_of(function)
        is_async = inspect.iscoroutinefunction(function)

        def gate(*args: object, **kwargs: object) -> object:
            held = _current.get()
            if held is None or held.gate is not self:
                return original(*args, **kwargs)
            return held.run_async() if is_async else held.run()

        self.code = innermost.gated_code(function.__code__, gate)


_current: contextvars.ContextVar[Optional[Held]] = contextvars.ContextVar("holdfast", default=None)
_gates: Dict[types.FunctionType, Gate] = {}


def install() -> None:
    """Wraps the methods; calling it again changes nothing."""
    if getattr(flask.Flask, _INSTALLED, False):
        return
    setattr(flask.Flask, _INSTALLED, True)
    _wrap(flask.Flask, "__call__", _noting_entry)
    _wrap(flask.Flask, "full_dispatch_request", _preparing_view)


def _wrap(cls: type, name: str, wrapper: Callable[[Method], Method]) -> None:
    original = cls.__dict__[name]
    setattr(cls, name, functools.wraps(original)(wrapper(original)))


def _noting_entry(original: Method) -> Method:
    def __call__(self: flask.Flask, environ: Dict[str, Any], start_response: object) -> object:  # noqa: N807
        request.wsgi_claim(environ)
        return original(self, environ, start_response)

    return __call__


def _preparing_view(original: Method) -> Method:
    def full_dispatch_request(self: flask.Flask, *args: object, **kwargs: object) -> object:
        claim = request.wsgi_claim(flask.request.environ)
        held = None if claim is None else _prepared(self, claim)
        if held is None:
            return original(self, *args, **kwargs)
        reset = _current.set(held)
        try:
            return original(self, *args, **kwargs)
        finally:
            _current.reset(reset)

    return full_dispatch_request


def _holding_without_gate(original: Method) -> Method:
    def dispatch_request(self: flask.Flask, *args: object, **kwargs: object) -> object:
        held = _current.get()
        if held is None or held.gate is not None:
            return original(self, *args, **kwargs)
        run: Callable[[], flask.Response | Awaitable[flask.Response]]
        run = held.run if held.kind == "sync" else self.ensure_sync(held.run_async)
        return run()

    setattr(dispatch_request, _INSTALLED, True)
    return dispatch_request


def _prepared(app: flask.Flask, claim: request.Claim) -> Optional[Held]:
    """Where the request will be held; None where the application redirects it to another path."""
    wrong = flask.request.routing_exception
    if isinstance(wrong, RequestRedirect):
        return None
    if wrong is not None or flask.request.url_rule is None:
        _cover_dispatch(type(app))
        held_in = f"flask entry (no view at {flask.request.path})"
        return Held(claim, None, held_in, "sync", "entry")
    view, name = _view(app.view_functions[flask.request.url_rule.endpoint], flask.request.method)
    function = innermost.unwrapped(view)
    kind = _kind(function or view)
    gate = None if function is None else _gate(function)
    if gate is None:
        _cover_dispatch(type(app))
    held_in = "flask {}view {}()".format("" if kind == "sync" else "async ", name or _name(function or view))
    return Held(claim, gate, held_in, kind, "view")


def _view(registered: object, http_method: str) -> Tuple[object, Optional[str]]:
    """What answers, and its name if that is a method of a class: `as_view` registers a function that calls it."""
    cls = getattr(registered, "view_class", None)
    if not isinstance(cls, type):
        return registered, None
    name = "dispatch_request"
    if issubclass(cls, flask.views.MethodView):
        candidates = [http_method.lower()] + ["get"] * (http_method == "HEAD")
        name = next((each for each in candidates if callable(getattr(cls, each, None))), name)
    return getattr(cls, name), f"{cls.__name__}.{name}"


def _gate(function: types.FunctionType) -> Optional[Gate]:
    gate = _gates.get(function)
    if gate is None:
        if not innermost.can_be_gated(function):
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


def _kind(view: object) -> str:
    if not inspect.iscoroutinefunction(view):
        return "sync"
    trouble.check_async(flask.Flask)
    return "async-blocking" if os.environ.get(layout.VIEW_VARIABLE) == "async-blocking" else "async"


def _name(view: object) -> str:
    name = getattr(view, "__qualname__", None) or type(view).__qualname__
    return str(name).rsplit("<locals>.", 1)[-1]


def _cover_dispatch(cls: type) -> None:
    # A subclass may have a dispatch_request of its own, which need not call Flask's.
    definer = next(each for each in cls.__mro__ if "dispatch_request" in each.__dict__)
    if not getattr(definer.__dict__["dispatch_request"], _INSTALLED, False):
        _wrap(definer, "dispatch_request", _holding_without_gate)


def _response() -> flask.Response:
    return flask.Response(layout.BODY, mimetype="text/plain")


def _answer() -> HTTPException:
    return HTTPException(response=_response())
