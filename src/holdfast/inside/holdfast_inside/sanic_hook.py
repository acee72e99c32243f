"""Holds this run's requests inside the handlers of Sanic applications.

- `Sanic.handle_request` is what the server calls with a request; the thread is noted there.
- `Router.get` names the handler. A claimed request gets it with something around it that lays the gate
  and turns the held handler's end into a response, which then goes out through the middleware.
- `Sanic.handle_exception` learns that there is no handler for the path.

When a worker starts, Sanic writes some of its own methods anew, from their source, to leave out signals that
nobody waits for (sanic/touchup/service.py). So they are surrounded once more after that.
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

from . import code_patch, gate, layout, request


class Asked:
    """A claim on its way to a handler."""

    __slots__ = ("claim", "routed")

    def __init__(self, claim: request.Claim) -> None:
        self.claim = claim
        self.routed = False


_asked: contextvars.ContextVar[Optional[Asked]] = contextvars.ContextVar("holdfast sanic", default=None)
_INSTALLED = "_holdfast_installed"
# The last one is what the second was called before Sanic 22.12.
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
        # Not gate.surround: inside of it is what remembers results.
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
    async def handle_request(self: object, asking: Any) -> object:  # noqa: ANN401 - a request of Sanic's
        target = asking.raw_url.decode("latin-1")
        claim = request.target_claim(asking.headers.get(layout.HEADER_FIELD), target)
        if claim is None:
            return await original(self, asking)
        token = _asked.set(Asked(claim))
        try:
            return await original(self, asking)
        finally:
            _asked.reset(token)

    return handle_request


def _naming_handler(original: Any) -> gate.Function:  # noqa: ANN401 - has a cache of its own
    @functools.wraps(original)
    def get(self: Router, path: str, method: str, host: Optional[str]) -> object:
        route, handler, arguments = original(self, path, method, host)
        asked = _asked.get()
        if asked is None or asked.routed or handler is None:
            return route, handler, arguments
        asked.routed = True
        return route, _around(handler, _prepared(asked.claim, handler, method)), arguments

    setattr(get, _INSTALLED, True)
    return get


def _around(handler: Any, held: Optional[gate.Held]) -> Any:  # noqa: ANN401 - anything that can be called
    if held is None:
        return handler

    @functools.wraps(handler)
    async def around(*args: object, **kwargs: object) -> object:
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

    return around


def _holding_without_view(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def handle_exception(
        self: object,
        asking: Any,  # noqa: ANN401 - a request of Sanic's
        exception: BaseException,
        *args: object,
        **kwargs: object,
    ) -> object:
        asked = _asked.get()
        if asked is None or asked.routed or asked.claim.held or not isinstance(exception, _NO_VIEW):
            return await original(self, asking, exception, *args, **kwargs)
        other_method = "" if isinstance(exception, exceptions.NotFound) else f" for {asking.method}"
        place = f"sanic entry (no view{other_method} at {asking.path})"
        try:
            await gate.Held(asked.claim, None, place, gate.async_kind(), "entry").run_async()
        except gate.Released:
            response = await asking.respond(_response())
            await response.send(end_stream=True)
        return None

    return handle_exception


def _prepared(claim: request.Claim, handler: object, http_method: str) -> Optional[gate.Held]:
    """Where the request will be held; None where the class of views has no such method."""
    found, name = _method(handler, http_method.lower())
    if found is None:
        return None
    function = code_patch.unwrapped(found)
    kind = gate.kind_of(function or found)
    laid = gate.gate_in(function)
    return gate.Held(claim, laid, gate.place("sanic", function or found, kind, name), kind, answer=ANSWER)


def _method(handler: object, http_method: str) -> Tuple[object, Optional[str]]:
    """What answers, and its name if that is a method of a class: `as_view` returns a function that calls it."""
    cls = getattr(handler, "view_class", None)
    if not isinstance(cls, type):
        return handler, None
    for name in [http_method] + ["get"] * (http_method == "head"):
        method = getattr(cls, name, None)
        if callable(method):
            return method, f"{cls.__name__}.{name}"
    return None, None


def _response() -> HTTPResponse:
    return HTTPResponse(layout.BODY, headers=dict(layout.ANSWER_HEADERS))


ANSWER = gate.Answer(gate.Released, _response)
