"""The built-in RSGI application without a framework."""

from __future__ import annotations

from typing import Any


class Application:
    """Answers every path with "hello"."""

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:  # noqa: ANN401 - the server's own types
        protocol.response_str(200, [("content-type", "text/plain")], "hello\n")


def create(view: str = "async") -> Application:
    """An application that answers every path; `view` is ignored, since the wrapper around it decides how to hold."""
    del view
    return Application()
