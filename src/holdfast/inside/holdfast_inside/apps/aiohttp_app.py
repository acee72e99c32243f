"""The built-in aiohttp application."""

from __future__ import annotations

from typing import Optional

from aiohttp import web


async def index(request: web.Request) -> web.Response:
    """Answers every path with "hello"."""
    del request
    return web.Response(text="hello\n")


def create(view: Optional[str] = None) -> web.Application:
    """An application that answers every path; `view` is ignored, since aiohttp handlers are always coroutines."""
    del view
    app = web.Application()
    app.router.add_get("/{path:.*}", index)
    return app
