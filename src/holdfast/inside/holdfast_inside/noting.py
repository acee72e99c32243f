"""Notes when the server calls an application that leads to views, so that what waits in front of a view can be counted.

A framework's hook notes when the framework's own application is called. If that is what the server calls, nothing comes
before it. Middleware around it is the application then, and gets a wrapper that does nothing else.
"""

from __future__ import annotations

from typing import Any

from . import asgi, hooks, interface, request, wsgi
from .load_error import LoadError


def noted(application: Any, spoken: str) -> object:  # noqa: ANN401 - anything that leads to views
    """What the server is to call instead of the application; the application itself where its hook notes it.

    Args:
        spoken: the interface by which the server calls it; "" if that depends on its settings.
    """
    if any(type(application).__call__ is each for each in hooks.noting_calls()):
        request.note_direct_calls()
        return application
    try:
        spoken = interface.choose(application, "the application", spoken)
    except LoadError:
        return application
    if spoken == "wsgi":
        return wsgi.wrap_noting(application)
    if spoken == "asgi" and not interface.is_double_callable(application):
        return asgi.wrap_noting(application)
    return application
