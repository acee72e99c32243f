"""Holds this run's requests inside the handlers of Sanic applications.

- The server calls `Sanic.handle_request` with each request: the hook notes the thread there.
- `Router.get` names the handler. A claimed request gets a wrapper of it, which turns the held handler's end into a
  response that then passes through the middleware.
- `Sanic.handle_exception` is called if there is no handler for the path; the request is then held there.

When a worker starts, Sanic recompiles some of its own methods without the signals that have no listener
(sanic/touchup/service.py). So the hook surrounds them again after that.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
from typing import Any, Optional, Tuple

from sanic import Sanic, exceptions
from sanic.response import HTTPResponse
from sanic.router import Router
from sanic.touchup import TouchUp

from . import code_patch, gate, layout, reply, request

_pending: contextvars.ContextVar[Optional[request.PendingClaim]] = contextvars.ContextVar(
    "holdfast sanic", default=None
)
_INSTALLED = "_holdfast_installed"
# Before Sanic 22.12, MethodNotAllowed was called MethodNotSupported.
_NO_VIEW = tuple(
    getattr(exceptions, name)
    for name in ("NotFound", "MethodNotAllowed", "MethodNotSupported")
    if hasattr(exceptions, name)
)


def install() -> None:
    """Surrounds the methods; calling it again changes nothing."""
    _surround()
    gate.surround(TouchUp.run, _surrounding_after)
    if not getattr(Router.get, _INSTALLED, False):
        # Not gate.surround: the function inside is behind a cache.
        Router.get = _naming_handler(Router.get)  # type: ignore[method-assign, assignment]


def _surround() -> None:
    gate.surround(Sanic.handle_request, _noting_entry)
    gate.surround(Sanic.handle_exception, _holding_without_view)


def _surrounding_after(original: gate.Function) -> gate.Function:
    def run(cls: type, app: object) -> object:
        result = original(cls, app)
        _surround()
        return result

    return run


def _noting_entry(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def handle_request(self: object, http_request: Any) -> object:  # noqa: ANN401 - a request of Sanic's
        target = http_request.raw_url.decode("latin-1")
        claim = request.target_claim(http_request.headers.get(layout.HEADER_FIELD), target)
        if claim is None:
            return await original(self, http_request)
        with request.on_its_way(claim, _pending):
            return await original(self, http_request)

    return handle_request


def _naming_handler(original: Any) -> gate.Function:  # noqa: ANN401 - has a cache of its own
    @functools.wraps(original)
    def get(self: Router, path: str, method: str, host: Optional[str]) -> object:
        route, handler, arguments = original(self, path, method, host)
        pending = _pending.get()
        if pending is None or pending.routed or handler is None:
            return route, handler, arguments
        pending.routed = True
        return route, _wrapper(handler, _prepare(pending.claim, handler, method)), arguments

    setattr(get, _INSTALLED, True)
    return get


def _wrapper(handler: Any, held: Optional[gate.Held]) -> Any:  # noqa: ANN401 - anything that can be called
    if held is None:
        return handler

    @functools.wraps(handler)
    async def wrapper(*args: object, **kwargs: object) -> object:
        token = gate.current.set(held)
        try:
            if held.gate is None:
                body = functools.partial(handler, *args, **kwargs)
                result = held.run(body) if held.kind == "sync" else held.run_async(body)
            else:
                result = handler(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result
        except gate.Released:
            return _response()
        finally:
            gate.current.reset(token)

    return wrapper


def _holding_without_view(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def handle_exception(
        self: object,
        http_request: Any,  # noqa: ANN401 - a request of Sanic's
        exception: BaseException,
        *args: object,
        **kwargs: object,
    ) -> object:
        pending = _pending.get()
        if pending is None or pending.routed or pending.claim.held or not isinstance(exception, _NO_VIEW):
            return await original(self, http_request, exception, *args, **kwargs)
        method = "" if isinstance(exception, exceptions.NotFound) else http_request.method
        held_in = gate.held_without_view("sanic", http_request.path, method)
        try:
            await gate.Held(pending.claim, None, held_in, gate.async_kind(), "entry").run_async()
        except gate.Released:
            response = await http_request.respond(_response())
            await response.send(end_stream=True)
        return None

    return handle_exception


def _prepare(claim: request.RequestClaim, handler: object, http_method: str) -> Optional[gate.Held]:
    """Puts the gate into the handler and says where it will be held; None if a class of views lacks the method."""
    found, name = _method(handler, http_method.lower())
    if found is None:
        return None
    function = code_patch.innermost_function(found)
    kind = gate.kind_of(function or found)
    held_in = gate.held_in_view("sanic", function or found, kind, name)
    return gate.Held(claim, gate.put_in(function), held_in, kind, ending=_ENDING)


def _method(handler: object, http_method: str) -> Tuple[object, Optional[str]]:
    """The function that answers, and its name if it is a method; `as_view` returns a function that calls one."""
    cls = getattr(handler, "view_class", None)
    if not isinstance(cls, type):
        return handler, None
    for name in [http_method] + ["get"] * (http_method == "head"):
        method = getattr(cls, name, None)
        if callable(method):
            return method, f"{cls.__name__}.{name}"
    return None, None


def _response() -> HTTPResponse:
    return HTTPResponse(reply.BODY, headers=dict(reply.HEADERS))


_ENDING = gate.Ending(gate.Released, _response)
