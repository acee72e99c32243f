"""Keeps a claim over the step from one interface to the other.

Middleware that calls a WSGI application for an ASGI server does so on a thread of a pool, and the other way
round on an event loop of its own. The server handed the request over before, which is what counts as its entry.
"""

from __future__ import annotations

from typing import Any, Dict

from . import gate, request


def install(bridge: type, interface: str) -> None:
    """Surrounds the call of such a class; calling it again changes nothing.

    Args:
        bridge: the class whose instances are called by the server.
        interface: "asgi" or "wsgi", how they are called.
    """
    gate.surround(bridge.__call__, _from_asgi if interface == "asgi" else _from_wsgi)


# Any: the scope is of a type of each framework's own.
def _from_asgi(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def __call__(self: object, scope: Any, *rest: object) -> object:  # noqa: N807, ANN401
        claim = request.asgi_claim(scope)
        if claim is None:
            return await original(self, scope, *rest)
        with request.handed_over(claim):
            return await original(self, scope, *rest)

    return __call__


def _from_wsgi(original: gate.Function) -> gate.Function:
    def __call__(self: object, environ: Dict[str, Any], *rest: object) -> object:  # noqa: N807
        request.wsgi_claim(environ)
        return original(self, environ, *rest)

    return __call__
