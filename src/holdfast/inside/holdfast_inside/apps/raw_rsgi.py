"""The RSGI application of no framework that is served where the person names none."""

from __future__ import annotations

from typing import Any


class Application:
    """Answers every path; how it is held is for the wrapper around it to know."""

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:  # noqa: ANN401 - the server's own types
        protocol.response_str(200, [("content-type", "text/plain")], "hello\n")


def create(view: str = "async") -> Application:
    """One of them."""
    del view
    return Application()
