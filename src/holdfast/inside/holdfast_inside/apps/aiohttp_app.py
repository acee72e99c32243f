"""The aiohttp application that is served where the person names none."""

from __future__ import annotations

from typing import Optional

from aiohttp import web


async def index(request: web.Request) -> web.Response:
    """Answers every path."""
    del request
    return web.Response(text="hello\n")


def create(view: Optional[str] = None) -> web.Application:
    """An application that answers every path; handlers are coroutines in aiohttp, whatever `view` is."""
    del view
    app = web.Application()
    app.router.add_get("/{path:.*}", index)
    return app
