"""Holds this run's requests inside the route handlers of Litestar applications.

- `Litestar.__call__`: here the server hands a request over; the thread is noted.
- `HTTPRoute.handle` is what is inside all middleware: here the gate is put into the handler's function, and its
  end becomes an answer. Guards, dependencies and `before_request` run as always.
- `ASGIRoute.handle` holds a mounted application of no known framework.
- `ASGIRouter.__call__` learns that there is no handler for the path.

The held handler ends by raising an Exception: Litestar throws what a handler raises into the generators of its
dependencies one by one, and lets go of the rest of them where one passes on what is no Exception.
"""

from __future__ import annotations

from typing import Any, Tuple

from litestar import Litestar
from litestar._asgi import ASGIRouter
from litestar.concurrency import sync_to_thread
from litestar.exceptions import MethodNotAllowedException
from litestar.response import Response
from litestar.routes import ASGIRoute, HTTPRoute
from litestar.utils.scope.state import ScopeState
from litestar.utils.sync import AsyncCallable

from . import asgi, gate, innermost, layout, reach, request


class Released(Exception):  # noqa: N818 - it is no error
    """Ends a held handler."""


def _response() -> Response[bytes]:
    return Response(layout.BODY, media_type="text/plain")


_ANSWER = gate.Answer(Released, _response)


def install() -> None:
    """Surrounds the functions; calling it again changes nothing."""
    gate.surround(Litestar.__call__, asgi.noting_entry)
    gate.surround(ASGIRouter.__call__, _holding_without_handler)
    gate.surround(ASGIRoute.handle, _holding_what_is_mounted)
    gate.surround(HTTPRoute.handle, _preparing_handler)


# Any, in what follows: scopes, and functions whose parameters differ between versions.
def _preparing_handler(original: Any) -> gate.Function:  # noqa: ANN401
    async def handle(self: HTTPRoute, scope: Any, receive: object, send: asgi.Send) -> None:  # noqa: ANN401
        claim = asgi.claim_of(scope)
        if claim is None:
            await original(self, scope, receive, send)
            return
        held, in_thread = _held(claim, scope["route_handler"])
        token = gate.current.set(held)
        try:
            if held.gate is not None:
                await original(self, scope, receive, send)
            elif in_thread:
                await sync_to_thread(held.run)
            elif held.kind == "sync":
                held.run()
            else:
                await held.run_async()
        except Released:
            # Or the cache of the application's responses would keep it for others.
            ScopeState.from_scope(scope).is_cached = True
            await asgi.answer(send)
        finally:
            gate.current.reset(token)

    return handle


def _held(claim: request.Claim, handler: Any) -> Tuple[gate.Held, bool]:  # noqa: ANN401
    """Where the request is held, and whether that is on a thread of the executor."""
    view = handler.fn
    in_thread = isinstance(view, AsyncCallable)
    # One around the other where a handler has several paths.
    while isinstance(view, AsyncCallable):
        view = view.func
    function = innermost.unwrapped(view)
    kind = gate.kind_of(function or view)
    held_in = gate.place("litestar", function or view, kind)
    return gate.Held(claim, gate.gate_in(function), held_in, kind, answer=_ANSWER), in_thread


def _holding_what_is_mounted(original: Any) -> gate.Function:  # noqa: ANN401
    async def handle(self: ASGIRoute, scope: Any, receive: object, send: asgi.Send) -> None:  # noqa: ANN401
        claim = asgi.claim_of(scope)
        if claim is None or reach.leads_to_views(self.route_handler.fn):
            await original(self, scope, receive, send)
            return
        held_in = f"asgi entry of {self.route_handler.handler_name}, mounted at {self.path}"
        await asgi.hold(gate.Held(claim, None, held_in, gate.async_kind(), "entry"), send)

    return handle


def _holding_without_handler(original: Any) -> gate.Function:  # noqa: ANN401
    async def __call__(self: ASGIRouter, scope: Any, receive: object, send: asgi.Send) -> None:  # noqa: ANN401, N807
        try:
            await original(self, scope, receive, send)
        except Exception as error:
            claim = asgi.claim_of(scope)
            if claim is None or "route_handler" in scope:
                raise
            method = scope["method"] if isinstance(error, MethodNotAllowedException) else ""
            held_in = gate.no_view("litestar", scope["path"], method)
            await asgi.hold(gate.Held(claim, None, held_in, gate.async_kind(), "entry"), send)

    return __call__
