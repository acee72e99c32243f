"""The Flask application that is served where the person names none.

Its views are ordinary ones: like those of any application they are held by `flask_hook`.
"""

from __future__ import annotations

from flask import Flask


def create(view: str = "sync") -> Flask:
    """An application that answers every path.

    Args:
        view: "sync", "async" or "async-blocking"; both async ones have an `async def` view.
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
