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
from typing import Any, Callable, Dict, NoReturn, Optional

import flask
import flask.views
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from . import innermost, layout, recorder, request, trouble

_INSTALLED = "_holdfast_installed"


class Held:
    """One claimed request on its way to the view: where and how it is to be held."""

    __slots__ = ("claim", "gate", "held_in", "kind", "via")

    def __init__(
        self, claim: request.Claim, gate: Optional[Gate], held_in: str, kind: str, via: str
    ) -> None:
        self.claim = claim
        self.gate = gate
        self.held_in = held_in
        self.kind = kind
        self.via = via

    def run(self) -> Any:
        claim = self.claim
        if not claim.held:
            claim.held = True
            recorder.enter(claim.id, self.held_in, self.kind, self.via, claim.entry)
            try:
                recorder.hold_sync(claim.id)
            finally:
                recorder.leave(claim.id)
            _answer()
        # A decorator that calls the view again after an exception would do so for ever.
        return _response()

    async def run_async(self) -> Any:
        claim = self.claim
        if self.kind == "async-blocking" or claim.held:
            return self.run()
        claim.held = True
        recorder.enter(claim.id, self.held_in, self.kind, self.via, claim.entry)
        try:
            await recorder.hold_async(claim.id)
        finally:
            recorder.leave(claim.id)
        return _answer()


class Gate:
    """The exchange of one function's code; exists once for each function."""

    __slots__ = ("code",)

    def __init__(self, function: types.FunctionType) -> None:
        original = innermost.copy_of(function)

        def gate(*args: Any, **kwargs: Any) -> Any:
            held = _current.get()
            if held is None or held.gate is not self:
                return original(*args, **kwargs)
            return held.run_async() if is_async else held.run()

        is_async = inspect.iscoroutinefunction(function)
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


def _wrap(cls: type, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    original = cls.__dict__[name]
    setattr(cls, name, functools.wraps(original)(wrapper(original)))


def _noting_entry(original: Callable[..., Any]) -> Callable[..., Any]:
    def __call__(self: Any, environ: Any, start_response: Any) -> Any:  # noqa: N807 - shown in tracebacks
        request.wsgi_claim(environ)
        return original(self, environ, start_response)

    return __call__


def _preparing_view(original: Callable[..., Any]) -> Callable[..., Any]:
    def full_dispatch_request(self: flask.Flask, *args: Any, **kwargs: Any) -> Any:
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


def _holding_without_gate(original: Callable[..., Any]) -> Callable[..., Any]:
    def dispatch_request(self: flask.Flask, *args: Any, **kwargs: Any) -> Any:
        held = _current.get()
        if held is None or held.gate is not None:
            return original(self, *args, **kwargs)
        if held.kind == "sync":
            return held.run()
        return self.ensure_sync(held.run_async)()

    setattr(dispatch_request, _INSTALLED, True)
    return dispatch_request


def _prepared(app: flask.Flask, claim: request.Claim) -> Optional[Held]:
    """Where the request will be held; None where the application redirects it to another path."""
    wrong = flask.request.routing_exception
    if isinstance(wrong, RequestRedirect):
        return None
    if wrong is not None or flask.request.url_rule is None:
        _cover_dispatch(type(app))
        held_in = "flask entry (no view at {})".format(flask.request.path)
        return Held(claim, None, held_in, "sync", "entry")
    view = app.view_functions[flask.request.url_rule.endpoint]
    method = _class_view(view, flask.request.method)
    name = "{}.{}".format(method[0].__name__, method[1]) if method else ""
    function = innermost.unwrapped(getattr(*method) if method else view)
    gate = None if function is None else _gate(function)
    kind = _kind(view if function is None else function)
    if gate is None:
        _cover_dispatch(type(app))
    held_in = "flask {}view {}()".format("" if kind == "sync" else "async ", name or _name(function or view))
    return Held(claim, gate, held_in, kind, "view")


def _class_view(view: Any, http_method: str) -> "Optional[tuple[type, str]]":
    cls = getattr(view, "view_class", None)
    if not isinstance(cls, type):
        return None
    if issubclass(cls, flask.views.MethodView):
        names = (http_method.lower(), "get") if http_method == "HEAD" else (http_method.lower(),)
        for name in names:
            if callable(getattr(cls, name, None)):
                return cls, name
    return cls, "dispatch_request"


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
        function.__code__ = gate.code
    return gate


def _kind(view: Any) -> str:
    if not inspect.iscoroutinefunction(view):
        return "sync"
    trouble.check_async()
    return "async-blocking" if os.environ.get(layout.VIEW_VARIABLE) == "async-blocking" else "async"


def _name(view: Any) -> str:
    name = getattr(view, "__qualname__", None) or type(view).__qualname__
    return str(name).rsplit("<locals>.", 1)[-1]


def _cover_dispatch(cls: type) -> None:
    # A subclass may have a dispatch_request of its own, which need not call Flask's.
    definer = next(base for base in cls.__mro__ if "dispatch_request" in base.__dict__)
    if not getattr(definer.__dict__["dispatch_request"], _INSTALLED, False):
        _wrap(definer, "dispatch_request", _holding_without_gate)


def _response() -> flask.Response:
    return flask.Response(layout.BODY, mimetype="text/plain")


def _answer() -> NoReturn:
    raise HTTPException(response=_response())
