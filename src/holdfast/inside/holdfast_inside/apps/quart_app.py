"""The built-in Quart application; `quart_hook` holds its view."""

from __future__ import annotations

from quart import Quart


def create(view: str = "sync") -> Quart:
    """An application that answers every path.

    Args:
        view: "sync", "async" or "async-blocking"; the last two both give an `async def` view.
    """
    app = Quart("holdfast_builtin", static_folder=None)
    if view == "sync":

        def index(path: str = "") -> str:
            del path
            return "hello\n"

    else:

        async def index(path: str = "") -> str:  # type: ignore[misc]
            del path
            return "hello\n"

    app.add_url_rule("/", view_func=index)
    app.add_url_rule("/<path:path>", view_func=index)
    return app
