"""Applications that are neither for WSGI nor for ASGI: their framework is their server too."""

from __future__ import annotations

import inspect
import sys
from typing import Callable, Dict, NamedTuple, Tuple

from .load_error import Trouble


class Kind(NamedTuple):
    """The class of such applications, and what tells of another object that the server makes one of it."""

    module: str
    name: str
    is_later: Tuple[Callable[[object], bool], ...] = ()


KINDS: Dict[str, Kind] = {
    "aiohttp": Kind("aiohttp.web", "Application", (inspect.iscoroutine, inspect.iscoroutinefunction)),
    "sanic": Kind("sanic", "Sanic"),
    "tornado": Kind("tornado.web", "Application"),
}
"""By interface, as in layout.INTERFACES."""


def check(application: object, named: str, interface: str) -> None:
    """Returns if the server of this framework can serve the application.

    Args:
        application: what the person named.
        named: how.
        interface: one of KINDS.

    Raises:
        Trouble: it cannot.
    """
    kind = KINDS[interface]
    # Not imported where it is not loaded: then nothing can be of that class.
    wanted = getattr(sys.modules.get(kind.module), kind.name, None)
    if wanted is not None and isinstance(application, wanted):
        return
    if any(is_later(application) for is_later in kind.is_later):
        return
    what = f"{named} is no application for the server of {interface}."
    why = f"It is of type {type(application).__name__}."
    remedy = f"Name an object of {kind.module}.{kind.name}."
    if inspect.isroutine(application):
        remedy = f"If it is a factory, call it: {named}()"
    raise Trouble("wrong-interface", what, why, remedy)
