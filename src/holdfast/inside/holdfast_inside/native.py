"""Applications that are neither WSGI nor ASGI, because their framework brings its own server."""

from __future__ import annotations

import inspect
import sys
from typing import Callable, Dict, NamedTuple, Tuple

from .load_error import LoadError


class ApplicationClass(NamedTuple):
    """The class of such applications.

    Attributes:
        module, name: where the class is.
        is_later: tests for other objects that the server turns into an application, such as a coroutine.
    """

    module: str
    name: str
    is_later: Tuple[Callable[[object], bool], ...] = ()


APPLICATIONS: Dict[str, ApplicationClass] = {
    "aiohttp": ApplicationClass("aiohttp.web", "Application", (inspect.iscoroutine, inspect.iscoroutinefunction)),
    "sanic": ApplicationClass("sanic", "Sanic"),
    "tornado": ApplicationClass("tornado.web", "Application"),
}
"""Keyed by interface, as in layout.INTERFACES."""


def check(application: object, named: str, interface: str) -> None:
    """Checks that this framework's server can serve the application.

    Args:
        application: the object that the user named.
        named: the name they gave, for messages.
        interface: a key of APPLICATIONS.

    Raises:
        LoadError: it cannot serve it.
    """
    kind = APPLICATIONS[interface]
    # Not imported here: if the module is not loaded, nothing can be of its class.
    wanted = getattr(sys.modules.get(kind.module), kind.name, None)
    if wanted is not None and isinstance(application, wanted):
        return
    if any(is_later(application) for is_later in kind.is_later):
        return
    what = f"{named} is not an application for the {interface} server."
    why = f"Its type is {type(application).__name__}."
    remedy = f"Name an instance of {kind.module}.{kind.name}."
    if inspect.isroutine(application):
        remedy = f"If it is a factory, call it: {named}()"
    raise LoadError("wrong-interface", what, why, remedy)
