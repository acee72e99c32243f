"""The built-in Tornado application."""

from __future__ import annotations

from typing import Optional

from tornado import web


class Index(web.RequestHandler):
    """Answers every path with "hello"."""

    def get(self) -> None:
        """Writes the whole answer."""
        self.set_header("Content-Type", "text/plain")
        self.write("hello\n")


class AsyncIndex(Index):
    """Answers like `Index`, from a coroutine."""

    async def get(self) -> None:  # type: ignore[override]
        """Writes the whole answer without awaiting anything."""
        super().get()


def create(view: Optional[str] = None) -> web.Application:
    """An application that answers every path.

    Args:
        view: "sync" (also None), "async" or "async-blocking"; the last two both give an `async def` method.
    """
    return web.Application([("/.*", AsyncIndex if view in ("async", "async-blocking") else Index)])
