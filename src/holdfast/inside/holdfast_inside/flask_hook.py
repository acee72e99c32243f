"""Holds this run's requests inside the view functions of Flask applications.

The hook surrounds three methods of `flask.Flask` in place, so it reaches applications that already exist:

- `__call__`: the server calls it with a request; the hook notes the thread.
- `full_dispatch_request` runs in the request's context, before any code of the application. Here the hook finds
  the view and puts the gate into it. Then Flask continues as usual: `before_request`, decorators and the running of
  `async def` views all happen, and if one of them answers instead of the view, that answer goes out.
- `dispatch_request` holds if there is no view function that can have a gate.

A view that a decorator sends to a thread of its own with `copy_current_request_context` is found by that context.

The held view ends by raising `HTTPException(response)`, Flask's own way to answer from anywhere.
"""

from __future__ import annotations

import functools
from typing import Any, Dict, Optional

import flask
import flask.views
from werkzeug.exceptions import HTTPException

from . import gate, load_error, reply, request, werkzeug_rules

_HELD = "holdfast.held"


def _response() -> flask.Response:
    return flask.Response(reply.BODY, headers=reply.HEADERS)


def _raised() -> HTTPException:
    return HTTPException(response=_response())


_FLASK = werkzeug_rules.Framework("flask", flask.views.MethodView, gate.Ending(_raised, _response), "sync")


def install() -> None:
    """Surrounds the methods; calling it again changes nothing."""
    gate.surround(flask.Flask.__call__, _noting_entry)
    gate.surround(flask.Flask.full_dispatch_request, _preparing_view)
    if _in_request_context not in gate.elsewhere:
        gate.elsewhere.append(_in_request_context)


def _in_request_context() -> Optional[gate.Held]:
    return flask.request.environ.get(_HELD) if flask.has_request_context() else None


def _noting_entry(original: gate.Function) -> gate.Function:
    def __call__(self: flask.Flask, environ: Dict[str, Any], start_response: object) -> object:  # noqa: N807
        if request.wsgi_claim(environ) is not None:
            # A subclass may have one of its own, without calling Flask's.
            gate.surround(type(self).full_dispatch_request, _preparing_view)
        return original(self, environ, start_response)

    return __call__


def _preparing_view(original: gate.Function) -> gate.Function:
    def full_dispatch_request(self: flask.Flask, *args: object, **kwargs: object) -> object:
        claim = request.wsgi_claim(flask.request.environ)
        held = None if claim is None else werkzeug_rules.held_for(_FLASK, self, flask.request, claim)
        if held is None:
            return original(self, *args, **kwargs)
        if held.kind != "sync":
            load_error.check_async(flask.Flask)
        if held.gate is None:
            _cover_dispatch(type(self))
        reset, environ = gate.current.set(held), flask.request.environ
        environ[_HELD] = held
        try:
            return original(self, *args, **kwargs)
        finally:
            environ.pop(_HELD, None)
            gate.current.reset(reset)
            held.forget()

    return full_dispatch_request


def _cover_dispatch(cls: type) -> None:
    # A subclass may override dispatch_request without calling Flask's.
    gate.surround(getattr(cls, "dispatch_request", None), _holding_without_gate)


def _holding_without_gate(original: gate.Function) -> gate.Function:
    def dispatch_request(self: flask.Flask, *args: object, **kwargs: object) -> object:
        held = gate.current.get()
        if held is None or held.gate is not None:
            return original(self, *args, **kwargs)
        if held.kind != "sync":
            return self.ensure_sync(held.run_async)()
        return held.run(functools.partial(original, self, *args, **kwargs) if held.via == "view" else None)

    return dispatch_request
