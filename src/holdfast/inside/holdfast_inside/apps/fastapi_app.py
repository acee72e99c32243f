"""The FastAPI application that is served where the person names none; its views are held by `starlette_hook`."""

from __future__ import annotations

from fastapi import FastAPI


def create(view: str = "sync") -> FastAPI:
    """An application that answers every path.

    Args:
        view: "sync", "async" or "async-blocking"; both async ones have an `async def` view.
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
