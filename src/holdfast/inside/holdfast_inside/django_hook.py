"""Holds this run's requests inside the view functions of Django projects.

Some of Django's own functions are surrounded (`gate.surround`), since a handler that exists already
keeps references to them in its chain of middleware:

- `WSGIHandler.__call__`, `ASGIHandler.__call__`: here the server hands a request over; the thread is noted.
- `BaseHandler._get_response`, `_get_response_async`: what is inside all middleware. Here the held view's end
  becomes a response, which then goes out through the middleware like any other.
- `BaseHandler.make_view_atomic`: the last thing before the view is called, after URL resolution and
  `process_view`. Here the gate is put into the view.

Whether the view then runs on the server's thread, on a thread of asgiref's or on the event loop is for
Django to decide, as always.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import types
from typing import Any, Callable, NamedTuple, Optional, Tuple

from django.conf import settings  # type: ignore[import-untyped]
from django.core.handlers.base import BaseHandler  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]
from django.http import HttpResponse  # type: ignore[import-untyped]
from django.urls import Resolver404, is_valid_path  # type: ignore[import-untyped]

from . import code_patch, gate, layout, request

try:
    from django.core.handlers.asgi import ASGIHandler  # type: ignore[import-untyped]
except ImportError:  # before Django 3.0
    ASGIHandler = None


class Asked(NamedTuple):
    """A claim on its way to a view, Django's request for it, and how it is held where there is no view."""

    claim: request.Claim
    request: Any
    kind: str


_asked: contextvars.ContextVar[Optional[Asked]] = contextvars.ContextVar("holdfast django", default=None)


def install() -> None:
    """Surrounds the functions; calling it again changes nothing."""
    gate.surround(WSGIHandler.__call__, _noting_wsgi_entry)
    if ASGIHandler is not None:
        gate.surround(ASGIHandler.__call__, _noting_asgi_entry)
    gate.surround(BaseHandler._get_response, _answering)  # noqa: SLF001 - see above
    gate.surround(getattr(BaseHandler, "_get_response_async", None), _answering_async)
    gate.surround(BaseHandler.make_view_atomic, _preparing_view)


def _noting_wsgi_entry(original: gate.Function) -> gate.Function:
    def __call__(self: object, environ: Any, start_response: object) -> object:  # noqa: N807, ANN401 - PEP 3333's
        request.wsgi_claim(environ)
        return original(self, environ, start_response)

    return __call__


def _noting_asgi_entry(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def __call__(self: object, scope: Any, receive: object, send: object) -> object:  # noqa: N807, ANN401
        request.asgi_claim(scope)
        return await original(self, scope, receive, send)

    return __call__


def _answering(original: gate.Function) -> gate.Function:
    def _get_response(self: object, asking: Any) -> object:  # noqa: ANN401 - a request of Django's
        claim = _claim(asking)
        if claim is None:
            return original(self, asking)
        asked = Asked(claim, asking, "sync")
        tokens = _asked.set(asked), gate.current.set(None)
        try:
            try:
                return original(self, asking)
            except Resolver404:
                held = _without_path(asked)
                if held is None:
                    raise
                return held.run()
        except gate.Released:
            return _response()
        finally:
            _reset(tokens)

    return _get_response


def _answering_async(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def _get_response_async(self: object, asking: Any) -> object:  # noqa: ANN401 - a request of Django's
        claim = _claim(asking)
        if claim is None:
            return await original(self, asking)
        asked = Asked(claim, asking, gate.async_kind())
        tokens = _asked.set(asked), gate.current.set(None)
        try:
            try:
                return await original(self, asking)
            except Resolver404:
                held = _without_path(asked)
                if held is None:
                    raise
                return await held.run_async()
        except gate.Released:
            return _response()
        finally:
            _reset(tokens)

    return _get_response_async


def _reset(tokens: Tuple[Any, Any]) -> None:
    _asked.reset(tokens[0])
    gate.current.reset(tokens[1])


def _preparing_view(original: gate.Function) -> gate.Function:
    def make_view_atomic(self: object, view: Callable[..., object]) -> object:
        asked = _asked.get()
        if asked is not None and gate.current.get() is None:
            held = _prepared(asked, view)
            gate.current.set(held)
            if held.gate is None:
                view = _instead_of(view, held)
        return original(self, view)

    return make_view_atomic


def _prepared(asked: Asked, view: object) -> gate.Held:
    found, name = _method(view, asked.request.method.lower())
    if found is None:
        return _at_entry(asked, f" for {asked.request.method}")
    function = code_patch.unwrapped(found)
    kind = gate.kind_of(function or found)
    place = gate.place("django", function or found, kind, name)
    return gate.Held(asked.claim, gate.gate_in(function), place, kind, answer=ANSWER)


def _method(view: object, http_method: str) -> Tuple[object, Optional[str]]:
    """What answers, and its name if that is a method of a class: `as_view` returns a function that calls it."""
    cls = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if not isinstance(cls, type):
        return view, None
    # The REST framework's view sets name the method for each HTTP method where they are routed.
    actions = getattr(view, "actions", None) or {}
    names = [http_method] + ["get"] * (http_method == "head")
    for name in [actions.get(each, each) for each in names]:
        method = getattr(cls, name, None)
        if callable(method):
            written = _behind_api_view(method)
            return (method, f"{cls.__name__}.{name}") if written is None else (written, None)
    return None, None


def _behind_api_view(method: object) -> Optional[types.FunctionType]:
    # The REST framework's @api_view makes a class whose methods call the decorated function, which
    # nothing but their closure names (rest_framework/decorators.py).
    if not isinstance(method, types.FunctionType) or method.__module__ != "rest_framework.decorators":
        return None
    function = inspect.getclosurevars(method).nonlocals.get("func")
    return function if isinstance(function, types.FunctionType) else None


def _instead_of(view: Any, held: gate.Held) -> gate.Function:  # noqa: ANN401 - anything that can be called
    def body(*args: object, **kwargs: object) -> Optional[gate.Function]:
        return functools.partial(view, *args, **kwargs) if held.via == "view" else None

    if held.kind != "sync":

        @functools.wraps(view)
        async def instead_async(*args: object, **kwargs: object) -> object:
            return await held.run_async(body(*args, **kwargs))

        return instead_async

    @functools.wraps(view)
    def instead(*args: object, **kwargs: object) -> object:
        return held.run(body(*args, **kwargs))

    return instead


def _without_path(asked: Asked) -> Optional[gate.Held]:
    """Where a path without a view is held; None where it is a view that raised, or a redirect will be the answer."""
    claim, asking, _ = asked
    if claim.held or gate.current.get() is not None:
        return None
    if settings.APPEND_SLASH and is_valid_path(asking.path_info + "/", getattr(asking, "urlconf", None)):
        return None
    return _at_entry(asked, "")


def _at_entry(asked: Asked, other_method: str) -> gate.Held:
    place = f"django entry (no view{other_method} at {asked.request.path})"
    return gate.Held(asked.claim, None, place, asked.kind, "entry", ANSWER)


def _claim(asking: Any) -> Optional[request.Claim]:  # noqa: ANN401 - a request of Django's
    environ = getattr(asking, "environ", None)
    if environ is not None:
        return request.wsgi_claim(environ)
    scope = getattr(asking, "scope", None)
    return None if scope is None else request.asgi_claim(scope)


def _response() -> HttpResponse:
    response = HttpResponse(layout.BODY)
    for name, value in layout.ANSWER_HEADERS:
        response[name] = value
    return response


ANSWER = gate.Answer(gate.Released, _response)
