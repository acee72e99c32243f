"""The built-in Starlette application; `starlette_hook` holds its view."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def create(view: str = "sync") -> Starlette:
    """An application that answers every path.

    Args:
        view: "sync", "async" or "async-blocking"; the last two both give an `async def` view.
    """
    if view == "sync":

        def index(request: Request) -> PlainTextResponse:
            del request
            return PlainTextResponse("hello\n")

    else:

        async def index(request: Request) -> PlainTextResponse:  # type: ignore[misc]
            del request
            return PlainTextResponse("hello\n")

    return Starlette(routes=[Route("/{path:path}", index)])
