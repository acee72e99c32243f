"""The built-in WSGI application without a framework."""

from __future__ import annotations

from typing import Any, Callable, Dict, List


def create(view: str = "sync") -> Callable[..., List[bytes]]:
    """An application that answers every path; `view` is ignored, since WSGI applications are always sync."""
    del view

    def application(environ: Dict[str, Any], start_response: Callable[..., Any]) -> List[bytes]:
        del environ
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
        return [b"hello\n"]

    return application
