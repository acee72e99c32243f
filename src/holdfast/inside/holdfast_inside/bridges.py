"""Keeps a request's claim when middleware passes it from ASGI to WSGI, or from WSGI to ASGI, and holds it inside.

Middleware that calls a WSGI application for an ASGI server does so on a pool thread; the reverse runs on an event
loop of its own. The entry that counts is the earlier one, where the server called the middleware.
"""

from __future__ import annotations

from typing import Any, Dict

from . import find_views, gate, request, wsgi

_APPLICATIONS = ("app", "wsgi_application", "application")
"""The attributes in which bridges keep the application that they call."""


def install(bridge: type, interface: str) -> None:
    """Surrounds `__call__` of one such class; a second call changes nothing.

    Args:
        bridge: the class whose instances the server calls.
        interface: "asgi", "wsgi" or "tornado", the interface by which the server calls them.
    """
    if interface == "tornado":
        # It makes the environ on the loop's thread, and may then call the application on another one.
        gate.surround(getattr(bridge, "environ", None), _noting_environ)
    else:
        gate.surround(bridge.__call__, _from_asgi if interface == "asgi" else _from_wsgi)


# Any: each framework has a scope type of its own.
def _from_asgi(original: Any) -> gate.Function:  # noqa: ANN401 - a coroutine function
    async def __call__(self: object, scope: Any, *rest: object) -> object:  # noqa: N807, ANN401
        claim = request.asgi_claim(scope, by_server=None)
        if claim is None:
            return await original(self, scope, *rest)
        _wrap_inner(self)
        with request.handed_over(claim):
            return await original(self, scope, *rest)

    return __call__


def _noting_environ(original: gate.Function) -> gate.Function:
    def environ(self: object, *rest: object) -> object:
        made: Any = original(self, *rest)
        request.wsgi_claim(made, by_server=None)
        return made

    return environ


def _wrap_inner(bridge: Any) -> None:  # noqa: ANN401 - each bridge has a class of its own
    """Lets requests be held where the bridge calls its WSGI application, unless a known framework's view holds them."""
    for name in _APPLICATIONS:
        inner = getattr(bridge, "__dict__", {}).get(name)
        if callable(inner) and not hasattr(inner, wsgi.WRAPPED) and not find_views.leads_to_views(inner):
            setattr(bridge, name, wsgi.wrap_entry(inner))


def _from_wsgi(original: gate.Function) -> gate.Function:
    def __call__(self: object, environ: Dict[str, Any], *rest: object) -> object:  # noqa: N807
        request.wsgi_claim(environ, by_server=None)
        return original(self, environ, *rest)

    return __call__
