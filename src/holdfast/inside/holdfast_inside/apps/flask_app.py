"""The built-in Flask application; `flask_hook` holds its view, like that of any application."""

from __future__ import annotations

from flask import Flask


def create(view: str = "sync") -> Flask:
    """An application that answers every path.

    Args:
        view: "sync", "async" or "async-blocking"; the last two both give an `async def` view.
    """
    app = Flask("holdfast_builtin", static_folder=None)
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
