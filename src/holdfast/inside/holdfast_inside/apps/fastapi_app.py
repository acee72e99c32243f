"""The built-in FastAPI application; `starlette_hook` holds its view."""

from __future__ import annotations

from fastapi import FastAPI


def create(view: str = "sync") -> FastAPI:
    """An application that answers every path.

    Args:
        view: "sync", "async" or "async-blocking"; the last two both give an `async def` view.
    """
    app = FastAPI(openapi_url=None)
    if view == "sync":

        def index(path: str = "") -> str:
            return f"hello {path}"

    else:

        async def index(path: str = "") -> str:  # type: ignore[misc]
            return f"hello {path}"

    app.add_api_route("/{path:path}", index)
    return app
