"""Holds this run's requests inside the route handlers of Litestar applications.

- `Litestar.__call__`: the server calls it with a request; the hook notes the thread.
- `HTTPRoute.handle` runs inside all middleware. Here the gate is put into the handler's function. Guards,
  dependencies and `before_request` run as usual.
- `HTTPRouteHandler.fn` names the function to call. For a held request it is wrapped, so that the end of the hold
  becomes a marker that the handler returns, and `to_response` turns the marker into the answer. So dependencies are
  cleaned up and `after_request` runs as after any handler, and nothing tries to serialise a missing result.
- `ASGIRoute.handle` holds a mounted application of no known framework.
- `ASGIRouter.__call__` raises if there is no handler for the path; the request is then held there.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Tuple

from litestar import Litestar
from litestar._asgi import ASGIRouter
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response
from litestar.routes import ASGIRoute, HTTPRoute
from litestar.utils.scope.state import ScopeState
from litestar.utils.sync import AsyncCallable

from . import asgi, code_patch, entries, find_views, gate, reply, request

_ENDED = object()


def _response() -> Response[bytes]:
    return Response(reply.BODY, media_type="text/plain", headers=dict(reply.HEADERS))


_ENDING = gate.Ending(gate.Released, _response)


def install() -> None:
    """Surrounds the functions; calling it again changes nothing."""
    gate.surround(Litestar.__call__, asgi.noting_entry)
    gate.surround(ASGIRouter.__call__, _holding_without_handler)
    gate.surround(ASGIRoute.handle, _holding_what_is_mounted)
    gate.surround(HTTPRoute.handle, _preparing_handler)
    gate.surround(getattr(inspect.getattr_static(HTTPRouteHandler, "fn", None), "fget", None), _marking_end)
    gate.surround(HTTPRouteHandler.to_response, _answering)


# Any, in what follows: scopes, and functions whose parameters differ between versions.
def _preparing_handler(original: Any) -> gate.Function:  # noqa: ANN401
    async def handle(self: HTTPRoute, scope: Any, receive: object, send: asgi.Send) -> None:  # noqa: ANN401
        claim = asgi.unheld_claim(scope)
        if claim is None:
            await original(self, scope, receive, send)
            return
        held, in_thread = _held(claim, scope["route_handler"])
        token = gate.current.set(held)
        try:
            if held.gate is not None:
                await original(self, scope, receive, send)
            elif in_thread:
                await AsyncCallable(held.run)()
            elif held.kind == "sync":
                held.run()
            else:
                await held.run_async(functools.partial(original, self, scope, receive, send))
        except gate.Released:
            await _answer(scope, send)
        finally:
            gate.current.reset(token)

    return handle


def _held(claim: request.RequestClaim, handler: Any) -> Tuple[gate.Held, bool]:  # noqa: ANN401
    """Puts the gate into the handler; says where the request is held, and whether on a thread of the executor."""
    view = handler.fn
    in_thread = isinstance(view, AsyncCallable)
    # Nested if a handler has several paths.
    while isinstance(view, AsyncCallable):
        view = view.func
    function = code_patch.innermost_function(view)
    kind = gate.kind_of(function or view)
    held_in = gate.held_in_view("litestar", function or view, kind)
    return gate.Held(claim, gate.put_in(function), held_in, kind, ending=_ENDING), in_thread


def _marking_end(original: gate.Function) -> gate.Function:
    def fn(self: HTTPRouteHandler) -> object:
        found: Any = original(self)
        held = gate.current.get()
        # The body ran (`--call`): Litestar needs the function itself to know how to make its result a response.
        if held is None or held.claim.call is not None:
            return found
        if getattr(self, "has_sync_callable", False):

            @functools.wraps(found)
            def ending(*args: object, **kwargs: object) -> object:
                try:
                    return found(*args, **kwargs)
                except gate.Released:
                    return _ENDED

            return ending

        async def ending_later(*args: object, **kwargs: object) -> object:
            try:
                return await found(*args, **kwargs)
            except gate.Released:
                return _ENDED

        return ending_later

    return fn


def _answering(original: Any) -> gate.Function:  # noqa: ANN401
    async def to_response(self: HTTPRouteHandler, app: object, data: object, request: Any) -> object:  # noqa: ANN401
        if data is not _ENDED:
            return await original(self, app=app, data=data, request=request)
        _not_cached(request.scope)
        # Past a DTO, which would look for the result's own fields.
        handler: Any = self.get_response_handler(is_response_type_data=True)
        return await handler(app=app, data=_response(), request=request)

    return to_response


async def _answer(scope: Any, send: asgi.Send) -> None:  # noqa: ANN401
    _not_cached(scope)
    await asgi.answer(send)


def _not_cached(scope: Any) -> None:  # noqa: ANN401
    # Otherwise the application's response cache would serve it to others.
    ScopeState.from_scope(scope).is_cached = True


def _holding_what_is_mounted(original: Any) -> gate.Function:  # noqa: ANN401
    async def handle(self: ASGIRoute, scope: Any, receive: object, send: asgi.Send) -> None:  # noqa: ANN401
        claim = asgi.unheld_claim(scope)
        if claim is None or find_views.leads_to_views(self.route_handler.fn):
            await original(self, scope, receive, send)
            return
        held_in = f"asgi entry of {self.route_handler.handler_name}, mounted at {self.path}"
        entry = entries.mounted(self.route_handler.fn, "asgi", held_in)
        await asgi.arrive(entry, claim, (scope, receive, send), functools.partial(original, self))

    return handle


def _holding_without_handler(original: Any) -> gate.Function:  # noqa: ANN401
    async def __call__(self: ASGIRouter, scope: Any, receive: object, send: asgi.Send) -> None:  # noqa: ANN401, N807
        try:
            await original(self, scope, receive, send)
        except Exception as error:
            claim = asgi.unheld_claim(scope)
            if claim is None or "route_handler" in scope:
                raise
            method = scope["method"] if isinstance(error, MethodNotAllowedException) else ""
            held_in = gate.held_without_view("litestar", scope["path"], method)
            await asgi.hold(gate.Held(claim, None, held_in, gate.async_kind(), "entry"), send)

    return __call__
