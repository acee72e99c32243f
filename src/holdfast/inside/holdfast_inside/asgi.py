"""Holds requests of an ASGI application of no known framework: in its view if that is found, otherwise at its entry."""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import Any, Awaitable, Callable, Dict, Optional, Tuple

from . import calling, entries, gate, reply, request

Message = Dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
# Any: each framework declares a scope type of its own, with nothing in common.
Application = Callable[[Any, Any, Any], Awaitable[object]]


def wrap_entry(application: Application, *, by_server: bool = False) -> Application:
    """Wraps an application so that this run's requests are held instead of reaching it, or on their way through it.

    All other requests, lifespan and websockets reach it with the very objects the server passed.

    Args:
        by_server: the server calls what is returned.
    """
    here = entries.Entry(application, "asgi")

    async def entry(scope: Any, receive: Receive, send: Send) -> object:  # noqa: ANN401 - see Application
        claim = request.asgi_claim(scope, by_server=by_server)
        return await arrive(here, claim, (scope, receive, send), application)

    return entry


def wrap_noting(application: Application) -> Application:
    """Wraps an application that leads to views so that it is noted when the server calls it; everything passes."""

    async def entry(scope: Any, receive: Receive, send: Send) -> object:  # noqa: ANN401 - see Application
        request.asgi_claim(scope, by_server=True)
        return await application(scope, receive, send)

    return entry


async def arrive(
    here: entries.Entry,
    claim: Optional[request.RequestClaim],
    call: Tuple[Any, Any, Send],
    application: Application,
) -> object:
    """Holds, watches or lets pass what comes to an entry.

    Args:
        call: what the application behind it is called with.
    """
    return await follow(here, here.arrive(claim), claim, call, application)


async def follow(
    here: entries.Entry,
    arrived: int,
    claim: Optional[request.RequestClaim],
    call: Tuple[Any, Any, Send],
    application: Application,
) -> object:
    """Does with a request what was decided when it came to the entry.

    Args:
        arrived: what `Entry.arrive` returned.
        call: as of `arrive`.
    """
    body = functools.partial(application, *call)
    scope, _, send = call
    if claim is None or arrived == entries.PASS:
        return await body()
    if arrived == entries.HOLD:
        return await hold(here.held_here(claim), send, body)
    if arrived == entries.LEAD:
        held = here.held_in_view(claim)
        if not held.ending.returns:
            return await _run_until_answered(held, functools.partial(application, scope, call[1]), send)
        return await _run_to_its_end(held, functools.partial(application, scope, call[1]), send)
    other = {**scope, "path": entries.NO_PATH, "raw_path": entries.NO_PATH.encode()}
    other.pop(request.KEY, None)
    other["headers"] = [each for each in scope["headers"] if each[0].lower() != request.SCOPE_HEADER]
    with here.watching(claim, sys._getframe()) as seen:  # noqa: SLF001 - what is around it does not count

        async def noting_send(message: Message) -> None:
            await send(message)
            seen.answered |= message["type"] == "http.response.body" and not message.get("more_body")

        result = await application(scope, call[1], noting_send)
        # A function of a library would only run once more.
        if here.endpoint is None and seen.is_doubtful():
            with contextlib.suppress(Exception):
                await application(other, _empty_body(), _drop)
    return result


def _empty_body() -> Receive:
    """What a client sends that asks for a page and leaves."""
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive


async def _drop(message: Message) -> None:
    del message


async def hold(held: gate.Held, send: Send, body: Optional[calling.Body] = None) -> object:
    """Holds the request in the calling coroutine and answers it, unless the body runs and answers itself."""
    return await run(held, held.run_async(body), send)


async def run(held: gate.Held, dispatch: Awaitable[object], send: Send) -> object:
    """Lets the framework dispatch to the view that `held` names, and answers for it once it is released."""
    token = gate.current.set(held)
    try:
        return await dispatch
    except BaseException as error:
        if not gate.is_release(error):
            raise
        await answer(send)
        return None
    finally:
        gate.current.reset(token)
        held.forget()


async def _run_until_answered(held: gate.Held, application: Callable[[Send], Awaitable[object]], send: Send) -> object:
    """As `run` for a framework that may keep the view's end for itself, as a consumer of Channels does."""
    begun = False

    async def noting_send(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    result = await run(held, application(noting_send), noting_send)
    if not begun and held.has_ended():
        await answer(send)
    return result


async def _run_to_its_end(held: gate.Held, application: Callable[[Send], Awaitable[object]], send: Send) -> object:
    """As `run` for a view that returns: the framework makes a reply too, which is left out."""
    answered = False

    async def send_instead(message: Message) -> None:
        nonlocal answered
        if not held.is_over():
            await send(message)
        elif message["type"] == "http.response.body" and not message.get("more_body") and not answered:
            answered = True
            await answer(send)

    try:
        result = await run(held, application(send_instead), send)
    except Exception:
        # It cannot use what the view returned.
        if answered or not held.is_over():
            raise
        result = None
    if held.is_over() and not answered:
        await answer(send)
    return result


async def answer(send: Send) -> None:
    """Sends the response of a held request: 200, `reply.BODY`."""
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply.BODY})


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
