"""Which interface an application speaks, told from how it can be called."""

from __future__ import annotations

import inspect
from typing import Any, Awaitable, Callable, Tuple

from . import native, rsgi
from .load_error import Trouble

Asgi = Callable[..., Awaitable[Any]]
_KNOWN = {"wsgi": "WSGI", "asgi": "ASGI"}
_ARGUMENTS = {"wsgi": 2, "asgi": 3}


def spoken(application: object, named: str, wanted: str) -> str:
    """The interface by which the application is to be held, one of layout.INTERFACES.

    Args:
        application: what the person named.
        named: how.
        wanted: the interface that the server speaks; "" is any.

    Raises:
        Trouble: it is no application, or one for another kind of server.
    """
    if wanted in native.KINDS:
        native.check(application, named, wanted)
        return wanted
    if wanted == "rsgi":
        rsgi.check(application, named)
        return wanted
    if not callable(application):
        what = f"{named} is no application: it cannot be called."
        why = f"It is of type {type(application).__name__}."
        raise Trouble("not-callable", what, why, "Name a WSGI or ASGI application, for example a Flask object.")
    possible = _possible(application)
    if not possible:
        why = "A server calls it with two arguments (WSGI) or three (ASGI), which it does not take."
        remedy = f"If it is a factory, call it: {named}()"
        raise Trouble("not-an-application", f"{named} is neither a WSGI nor an ASGI application.", why, remedy)
    if not wanted:
        return possible[0]
    if wanted not in possible:
        spoken, asked = _KNOWN[possible[0]], _KNOWN[wanted]
        what = f"{named} is an application for {spoken}, and this server speaks {asked}."
        takes, given = _ARGUMENTS[possible[0]], _ARGUMENTS[wanted]
        why = f"It takes {takes} arguments, and a server for {asked} calls it with {given}."
        remedy = f"Choose a server for {spoken}, or name an application for {asked}."
        raise Trouble("wrong-interface", what, why, remedy)
    return wanted


def is_double(application: object) -> bool:
    """Whether it is called twice, as ASGI was before version 3: with the scope, then with receive and send."""
    if not _takes(application, 1) or _takes(application, 2) or _takes(application, 3):
        return False
    if inspect.isclass(application):
        return inspect.iscoroutinefunction(getattr(application, "__call__", None))  # noqa: B004 - the function
    parameters = list(inspect.signature(application).parameters)  # type: ignore[arg-type]
    return parameters == ["scope"]


def single(application: Any) -> Asgi:  # noqa: ANN401 - see is_double
    """Such an application as one that is called once."""

    async def once(scope: object, receive: object, send: object) -> None:
        await application(scope)(receive, send)

    return once


def _possible(application: object) -> Tuple[str, ...]:
    """The interfaces by which it can be called, the likelier one first."""
    wsgi, asgi = _takes(application, 2), _takes(application, 3) or is_double(application)
    call = getattr(type(application), "__call__", None)  # noqa: B004 - the function itself is wanted
    if inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(call):
        return ("asgi",) if asgi else ()
    return ("wsgi",) * wsgi + ("asgi",) * asgi


def _takes(application: Any, arguments: int) -> bool:  # noqa: ANN401 - anything that can be called
    try:
        inspect.signature(application).bind(*[None] * arguments)
    except TypeError:
        return False
    except ValueError:
        return True  # no signature to be had, as of some extension types
    return True
