"""The Tornado application that is served where the person names none."""

from __future__ import annotations

from typing import Optional

from tornado import web


class Index(web.RequestHandler):
    """Answers every path."""

    def get(self) -> None:
        """In one go."""
        self.set_header("Content-Type", "text/plain")
        self.write("hello\n")


class AsyncIndex(Index):
    """The same, as a coroutine."""

    async def get(self) -> None:  # type: ignore[override]
        """In one go too."""
        super().get()


def create(view: Optional[str] = None) -> web.Application:
    """An application that answers every path.

    Args:
        view: "sync" (also None), "async" or "async-blocking"; both async ones have an `async def` method.
    """
    return web.Application([("/.*", AsyncIndex if view in ("async", "async-blocking") else Index)])
