"""Holds this run's requests inside the view functions of Quart applications.

Works like `flask_hook`: Quart has methods of the same names, as coroutines. A `def` view runs on a thread of the
loop's default executor in a copy of the context, where its gate finds the request.
"""

from __future__ import annotations

import functools
from typing import Any

import quart
import quart.views
from werkzeug.exceptions import HTTPException

from . import asgi, gate, reply, request, werkzeug_rules


def _response() -> quart.Response:
    return quart.Response(reply.BODY, headers=dict(reply.HEADERS))


def _raised() -> HTTPException:
    return HTTPException(response=_response())


_ENDING = gate.Ending(_raised, _response)


def install() -> None:
    """Surrounds the methods; calling it again changes nothing."""
    gate.surround(quart.Quart.__call__, _noting_entry)
    gate.surround(quart.Quart.full_dispatch_request, _preparing_view)


def _noting_entry(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def __call__(self: quart.Quart, scope: Any, receive: Any, send: Any) -> object:  # noqa: N807, ANN401
        if asgi.unheld_claim(scope) is not None:
            # A subclass may have one of its own, without calling Quart's (quart-trio).
            gate.surround(type(self).full_dispatch_request, _preparing_view)
        return await original(self, scope, receive, send)

    return __call__


def _preparing_view(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def full_dispatch_request(self: quart.Quart, *args: object, **kwargs: object) -> object:
        claim = request.asgi_claim(quart.request.scope)
        framework = werkzeug_rules.Framework("quart", quart.views.MethodView, _ENDING, gate.async_kind())
        held = None if claim is None else werkzeug_rules.held_for(framework, self, quart.request, claim)
        if held is None:
            return await original(self, *args, **kwargs)
        if held.gate is None:
            gate.surround(type(self).dispatch_request, _holding_without_gate)
        token = gate.current.set(held)
        try:
            return await original(self, *args, **kwargs)
        finally:
            gate.current.reset(token)

    return full_dispatch_request


def _holding_without_gate(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def dispatch_request(self: quart.Quart, *args: object, **kwargs: object) -> object:
        held = gate.current.get()
        if held is None or held.gate is not None:
            return await original(self, *args, **kwargs)
        if held.kind == "sync":
            return await self.ensure_async(held.run)()
        return await held.run_async(functools.partial(original, self, *args, **kwargs) if held.via == "view" else None)

    return dispatch_request
