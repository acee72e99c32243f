"""The built-in ASGI application without a framework."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict

Receive = Callable[[], Awaitable[Dict[str, Any]]]
Send = Callable[[Dict[str, Any]], Awaitable[None]]


def create(view: str = "async") -> Callable[..., Awaitable[None]]:
    """An application that answers every path; `view` is ignored, since the wrapper around it decides how to hold."""
    del view

    async def application(scope: Dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"text/plain"), (b"content-length", b"6")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"hello\n"})
        else:
            await send({"type": "websocket.close"})

    return application


async def _live(receive: Receive, send: Send) -> None:
    message = await receive()
    while message["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
        message = await receive()
    await send({"type": "lifespan.shutdown.complete"})
