"""The built-in Litestar application; `litestar_hook` holds its view."""

from __future__ import annotations

from litestar import Litestar, get


def create(view: str = "sync") -> Litestar:
    """An application that answers every path.

    Args:
        view: "sync" (in a thread, as Litestar advises), "async" or "async-blocking" (both give an `async def` view).
    """
    if view == "sync":

        @get(["/", "/{path:path}"], sync_to_thread=True)
        def index() -> str:
            return "hello\n"

    else:

        @get(["/", "/{path:path}"])
        async def index() -> str:
            return "hello\n"

    return Litestar([index], openapi_config=None)
