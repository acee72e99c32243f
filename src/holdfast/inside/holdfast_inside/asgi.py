"""Holds requests at the entry of an ASGI application in which no framework's view is known."""

from __future__ import annotations

import functools
from typing import Any, Awaitable, Callable, Dict, Optional

from . import calling, gate, layout, request

Message = Dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
# Any: frameworks declare their scope as types that have nothing in common.
Application = Callable[[Any, Any, Any], Awaitable[object]]

HELD_IN = "asgi entry"


def held_at_entry(application: Application) -> Application:
    """`application`, except that this run's requests are held instead of reaching it.

    All others go through with the very objects that the server gave, and so do lifespan and websockets.
    """

    async def entry(scope: Any, receive: Receive, send: Send) -> object:  # noqa: ANN401 - see Application
        claim = request.asgi_claim(scope)
        if claim is None:
            return await application(scope, receive, send)
        held = gate.Held(claim, None, HELD_IN, gate.async_kind(), "entry")
        return await hold(held, send, functools.partial(application, scope, receive, send))

    return entry


async def hold(held: gate.Held, send: Send, body: Optional[calling.Body] = None) -> object:
    """Holds right here, in the coroutine, and answers, unless it runs the body, which does that itself."""
    return await run(held, held.run_async(body), send)


async def run(held: gate.Held, way: Awaitable[object], send: Send) -> object:
    """Lets a framework go its way to the view that `held` names, and answers in its stead once that is released."""
    token = gate.current.set(held)
    try:
        return await way
    except gate.Released:
        await answer(send)
        return None
    finally:
        gate.current.reset(token)


async def answer(send: Send) -> None:
    """Answers a request that was held."""
    headers = [(name.lower().encode(), value.encode()) for name, value in layout.ANSWER_HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": layout.BODY})


def noting_entry(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    """Makes of a framework's `__call__` one that notes the thread on which the server hands a request over."""

    async def __call__(self: object, scope: Any, receive: Receive, send: Send) -> object:  # noqa: N807, ANN401
        request.asgi_claim(scope)
        return await original(self, scope, receive, send)

    return __call__


def claim_of(scope: Any) -> Optional[request.Claim]:  # noqa: ANN401 - see Application
    """The claim of a request that has not been held yet; None of all others."""
    claim = request.asgi_claim(scope)
    return None if claim is None or claim.held else claim
