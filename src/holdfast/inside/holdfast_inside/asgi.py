"""Holds requests at the entry of an ASGI application whose views holdfast does not know."""

from __future__ import annotations

import functools
from typing import Any, Awaitable, Callable, Dict, Optional

from . import calling, gate, layout, request

Message = Dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
# Any: each framework declares a scope type of its own, with nothing in common.
Application = Callable[[Any, Any, Any], Awaitable[object]]

HELD_IN = "asgi entry"


def wrap_entry(application: Application) -> Application:
    """Wraps an application so that this run's requests are held instead of reaching it.

    All other requests, lifespan and websockets reach it with the very objects the server passed.
    """

    async def entry(scope: Any, receive: Receive, send: Send) -> object:  # noqa: ANN401 - see Application
        claim = request.asgi_claim(scope)
        if claim is None:
            return await application(scope, receive, send)
        held = gate.Held(claim, None, HELD_IN, gate.async_kind(), "entry")
        return await hold(held, send, functools.partial(application, scope, receive, send))

    return entry


async def hold(held: gate.Held, send: Send, body: Optional[calling.Body] = None) -> object:
    """Holds the request in the calling coroutine and answers it, unless the body runs and answers itself."""
    return await run(held, held.run_async(body), send)


async def run(held: gate.Held, dispatch: Awaitable[object], send: Send) -> object:
    """Lets the framework dispatch to the view that `held` names, and answers for it once it is released."""
    token = gate.current.set(held)
    try:
        return await dispatch
    except gate.Released:
        await answer(send)
        return None
    finally:
        gate.current.reset(token)


async def answer(send: Send) -> None:
    """Sends the response of a held request: 200, `layout.BODY`."""
    headers = [(name.lower().encode(), value.encode()) for name, value in layout.ANSWER_HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": layout.BODY})


def noting_entry(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    """For `gate.surround`: a framework's `__call__` that also notes the thread on which the server called it."""

    async def __call__(self: object, scope: Any, receive: Receive, send: Send) -> object:  # noqa: N807, ANN401
        request.asgi_claim(scope)
        return await original(self, scope, receive, send)

    return __call__


def unheld_claim(scope: Any) -> Optional[request.RequestClaim]:  # noqa: ANN401 - see Application
    """The claim of a request that has not been held yet; None for every other request."""
    claim = request.asgi_claim(scope)
    return None if claim is None or claim.held else claim
