"""Holds this run's requests inside the view functions of Django projects.

The hook surrounds some of Django's own functions in place (`gate.surround`), because a handler that already exists
keeps references to them in its middleware chain:

- `WSGIHandler.__call__`, `ASGIHandler.__call__`: the server calls these with a request; the hook notes the thread.
- `BaseHandler._get_response`, `_get_response_async` run inside all middleware. Here the held view's end becomes a
  response, which then passes through the middleware like any other.
- `BaseHandler.resolve_request` finds the view. Here the gate is put into it, because `process_view` of a middleware
  may call the view itself and return its response.
- `BaseHandler.make_view_atomic` is the last call before the view, after `process_view`. Here the gate is put around a
  view that can have none inside.

A view that is a library's function (GraphQL, django-ninja) may call the person's own, behind its own authentication.
The first request is watched inside of it (see `watch`), and later ones are held in what was found there; if nothing
was, in the view.

Django still decides whether the view runs on the server's thread, on one of asgiref's, or on the event loop.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import sys
import types
from typing import Any, Callable, NamedTuple, Optional, Tuple

from django.conf import settings  # type: ignore[import-untyped]
from django.core.handlers.base import BaseHandler  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIHandler  # type: ignore[import-untyped]
from django.http import HttpResponse  # type: ignore[import-untyped]
from django.urls import Resolver404, is_valid_path  # type: ignore[import-untyped]
from django.views import View  # type: ignore[import-untyped]

from . import asgi, code_patch, entries, finding, gate, layout, own_code, reply, request

try:
    from django.core.handlers.asgi import ASGIHandler  # type: ignore[import-untyped]
except ImportError:  # before Django 3.0
    ASGIHandler = None


class DjangoClaim(NamedTuple):
    """A claim on its way to a view.

    Attributes:
        request: Django's request object.
        kind: how the request is held if it has no view, one of layout.KINDS.
    """

    claim: request.RequestClaim
    request: Any
    kind: str


_METHODS = ("get", "post", "put", "patch", "delete")
_REFUSALS = frozenset((401, 403))
_pending: contextvars.ContextVar[Optional[DjangoClaim]] = contextvars.ContextVar("holdfast django", default=None)


def install() -> None:
    """Surrounds the functions; calling it again changes nothing."""
    gate.surround(WSGIHandler.__call__, _noting_wsgi_entry)
    if ASGIHandler is not None:
        gate.surround(ASGIHandler.__call__, asgi.noting_entry)
    gate.surround(BaseHandler._get_response, _answering)  # noqa: SLF001 - see above
    gate.surround(getattr(BaseHandler, "_get_response_async", None), _answering_async)
    # Not there before Django 3.1.
    gate.surround(getattr(BaseHandler, "resolve_request", None), _resolving)
    gate.surround(BaseHandler.make_view_atomic, _preparing_view)


def _noting_wsgi_entry(original: gate.Function) -> gate.Function:
    def __call__(self: object, environ: Any, start_response: object) -> object:  # noqa: N807, ANN401 - PEP 3333's
        request.wsgi_claim(environ)
        return original(self, environ, start_response)

    return __call__


def _answering(original: gate.Function) -> gate.Function:
    def _get_response(self: object, http_request: Any) -> object:  # noqa: ANN401 - a request of Django's
        claim = _claim(http_request)
        if claim is None:
            return original(self, http_request)
        pending = DjangoClaim(claim, http_request, "sync")
        tokens = _pending.set(pending), gate.current.set(None)
        try:
            try:
                return original(self, http_request)
            except Resolver404:
                held = _without_path(pending)
                if held is None:
                    raise
                return held.run()
        except gate.Released:
            return _response()
        finally:
            _reset(tokens)

    return _get_response


def _answering_async(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def _get_response_async(self: object, http_request: Any) -> object:  # noqa: ANN401 - a request of Django's
        claim = _claim(http_request)
        if claim is None:
            return await original(self, http_request)
        pending = DjangoClaim(claim, http_request, gate.async_kind())
        tokens = _pending.set(pending), gate.current.set(None)
        try:
            try:
                return await original(self, http_request)
            except Resolver404:
                held = _without_path(pending)
                if held is None:
                    raise
                return await held.run_async()
        except gate.Released:
            return _response()
        finally:
            _reset(tokens)

    return _get_response_async


def _reset(tokens: Tuple[Any, Any]) -> None:
    held = gate.current.get()
    _pending.reset(tokens[0])
    gate.current.reset(tokens[1])
    if held is not None:
        held.forget()


def _resolving(original: gate.Function) -> gate.Function:
    def resolve_request(self: object, http_request: object) -> object:
        match: Any = original(self, http_request)
        pending = _pending.get()
        if pending is not None and gate.current.get() is None and _of_library(pending, match.func) is None:
            held = _prepare(pending, match.func)
            if held.gate is not None:
                gate.current.set(held)
        return match

    return resolve_request


def _preparing_view(original: gate.Function) -> gate.Function:
    def make_view_atomic(self: object, view: Callable[..., object]) -> object:
        pending = _pending.get()
        if pending is None or gate.current.get() is not None:
            return original(self, view)
        entry = _of_library(pending, view)
        if entry is not None:
            return original(self, _following_wrapper(view, pending, entry))
        held = _prepare(pending, view)
        gate.current.set(held)
        return original(self, _holding_wrapper(view, held) if held.gate is None else view)

    return make_view_atomic


def _of_library(pending: DjangoClaim, view: object) -> Optional[entries.Entry]:
    """The entry of a view that is a library's function, and may call the person's own; None of any other view.

    Of views that are not async, it is one only where it is no class's and not Django's own: those answer by methods
    that the person has from the library, or by themselves.
    """
    found, _ = _method(view, pending.request.method.lower())
    function = None if found is None else code_patch.innermost_function(found)
    if function is None or own_code.is_own(function.__code__.co_filename):
        return None
    of_class = found is not view or function.__module__.partition(".")[0] == "django"
    if gate.kind_of(function) == "sync" and of_class:
        return None
    return entries.of_library(function, function, "django")


def _following_wrapper(view: Any, pending: DjangoClaim, entry: entries.Entry) -> gate.Function:  # noqa: ANN401 - see above
    """Watches what a library's view calls, and later holds what answers there; if nothing does, the view."""

    @functools.wraps(view)
    def follow(*args: object, **kwargs: object) -> object:
        arrived = entry.arrive(pending.claim)
        if arrived == entries.WATCH:
            with entry.watching(pending.claim, sys._getframe()):  # noqa: SLF001 - what is around it does not count
                answer: Any = view(*args, **kwargs)
            if getattr(answer, "status_code", 0) in _REFUSALS:
                # The person's function that was called last has asked for a login, and has not answered.
                finding.publish(layout.AT_ENTRY, pending.claim.depth)
            return answer
        if arrived == entries.PASS:
            return view(*args, **kwargs)
        held = entry.held_in_view(pending.claim) if arrived == entries.LEAD else _prepare(pending, view)
        gate.current.set(held)
        if held.gate is None:
            return held.run(functools.partial(view, *args, **kwargs))
        result = view(*args, **kwargs)
        return _response() if held.is_over() else result

    @functools.wraps(view)
    async def follow_async(*args: object, **kwargs: object) -> object:
        arrived = entry.arrive(pending.claim)
        if arrived == entries.WATCH:
            with entry.watching(pending.claim, sys._getframe()):  # noqa: SLF001 - what is around it does not count
                return await view(*args, **kwargs)
        if arrived == entries.PASS:
            return await view(*args, **kwargs)
        held = entry.held_in_view(pending.claim) if arrived == entries.LEAD else _prepare(pending, view)
        gate.current.set(held)
        if held.gate is None:
            return await held.run_async(functools.partial(view, *args, **kwargs))
        result = await view(*args, **kwargs)
        return _response() if held.is_over() else result

    return follow if gate.kind_of(entry.endpoint) == "sync" else follow_async


def _prepare(pending: DjangoClaim, view: object) -> gate.Held:
    """Puts the gate into the view and says where the request will be held."""
    found, name = _method(view, pending.request.method.lower())
    if found is None:
        return _at_entry(pending, pending.request.method)
    function = code_patch.innermost_function(found)
    kind = gate.kind_of(function or found)
    held_in = gate.held_in_view("django", function or found, kind, name)
    ending = _RETURNING if hasattr(getattr(view, "cls", None), "finalize_response") else _ENDING
    return gate.Held(pending.claim, gate.put_in(function), held_in, kind, ending=ending)


def _method(view: object, http_method: str) -> Tuple[object, Optional[str]]:
    """The function that answers, and its name if it is a method; `as_view` returns a function that calls one."""
    cls = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if not isinstance(cls, type):
        return view, None
    # Django REST framework: the route of a view set names the method for each HTTP method.
    actions = getattr(view, "actions", None) or {}
    names = [http_method] + ["get"] * (http_method == "head")
    for name in [actions.get(each, each) for each in names]:
        method = getattr(cls, name, None)
        if callable(method):
            written = _behind_api_view(method)
            return (method, f"{cls.__name__}.{name}") if written is None else (written, None)
    # A class that answers every method alike (graphene, strawberry) has a `dispatch` of its own, and none of these.
    dispatch = getattr(cls, "dispatch", View.dispatch)
    if dispatch is View.dispatch or actions or any(hasattr(cls, each) for each in _METHODS):
        return None, None
    return dispatch, f"{cls.__name__}.dispatch"


def _behind_api_view(method: object) -> Optional[types.FunctionType]:
    # Django REST framework: @api_view makes a class whose methods call the decorated function. Only their
    # closure refers to it (rest_framework/decorators.py).
    if not isinstance(method, types.FunctionType) or method.__module__ != "rest_framework.decorators":
        return None
    function = inspect.getclosurevars(method).nonlocals.get("func")
    return function if isinstance(function, types.FunctionType) else None


def _holding_wrapper(view: Any, held: gate.Held) -> gate.Function:  # noqa: ANN401 - anything that can be called
    def body(*args: object, **kwargs: object) -> Optional[gate.Function]:
        return functools.partial(view, *args, **kwargs) if held.via == "view" else None

    if held.kind != "sync":

        @functools.wraps(view)
        async def hold_async(*args: object, **kwargs: object) -> object:
            return await held.run_async(body(*args, **kwargs))

        return hold_async

    @functools.wraps(view)
    def hold(*args: object, **kwargs: object) -> object:
        return held.run(body(*args, **kwargs))

    return hold


def _without_path(pending: DjangoClaim) -> Optional[gate.Held]:
    """Where a request without a view is held; None if a view raised Resolver404, or Django will redirect."""
    claim, http_request, _ = pending
    if claim.held or gate.current.get() is not None:
        return None
    if settings.APPEND_SLASH and is_valid_path(http_request.path_info + "/", getattr(http_request, "urlconf", None)):
        return None
    return _at_entry(pending)


def _at_entry(pending: DjangoClaim, method: str = "") -> gate.Held:
    held_in = gate.held_without_view("django", pending.request.path, method)
    return gate.Held(pending.claim, None, held_in, pending.kind, "entry", _ENDING)


def _claim(http_request: Any) -> Optional[request.RequestClaim]:  # noqa: ANN401 - a request of Django's
    environ = getattr(http_request, "environ", None)
    if environ is not None:
        return request.wsgi_claim(environ)
    scope = getattr(http_request, "scope", None)
    return None if scope is None else request.asgi_claim(scope)


def _response() -> HttpResponse:
    response = HttpResponse(reply.BODY)
    for name, value in reply.HEADERS:
        response[name] = value
    return response


_ENDING = gate.Ending(gate.Released, _response)
# Django REST framework: a view's finalize_response() hears only of what returns (rest_framework/views.py, dispatch()).
_RETURNING = gate.Ending(gate.Released, _response, returns=True)
