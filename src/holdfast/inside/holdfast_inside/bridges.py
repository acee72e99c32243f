"""Keeps a request's claim when middleware passes it from ASGI to WSGI, or from WSGI to ASGI.

Middleware that calls a WSGI application for an ASGI server does so on a pool thread; the reverse runs on an event
loop of its own. The entry that counts is the earlier one, where the server called the middleware.
"""

from __future__ import annotations

from typing import Any, Dict

from . import gate, request


def install(bridge: type, interface: str) -> None:
    """Surrounds `__call__` of one such class; a second call changes nothing.

    Args:
        bridge: the class whose instances the server calls.
        interface: "asgi" or "wsgi", the interface by which the server calls them.
    """
    gate.surround(bridge.__call__, _from_asgi if interface == "asgi" else _from_wsgi)


# Any: each framework has a scope type of its own.
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
