"""The built-in Sanic application."""

from __future__ import annotations

from typing import Any, Optional

from sanic import Request, Sanic
from sanic.response import HTTPResponse, text


def create(view: Optional[str] = None) -> Any:  # noqa: ANN401 - generic in newer versions only
    """An application that answers every path.

    Args:
        view: "sync" (also None), "async" or "async-blocking"; the last two both give an `async def` handler.
    """
    app = Sanic("holdfast_builtin")
    if view in ("async", "async-blocking"):

        async def index(request: Request, path: str = "") -> HTTPResponse:
            del request, path
            return text("hello\n")

    else:

        def index(request: Request, path: str = "") -> HTTPResponse:  # type: ignore[misc]
            del request, path
            return text("hello\n")

    app.add_route(index, "/")
    app.add_route(index, "/<path:path>", name="any")
    return app
