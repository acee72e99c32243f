"""Which interface an application speaks, judged by how it can be called."""

from __future__ import annotations

import inspect
from typing import Any, Awaitable, Callable, Tuple

from . import native, rsgi
from .load_error import LoadError

DOUBLE = "_holdfast_double"
"""The attribute in which the wrapper of an ASGI 2 application has the application."""
Asgi = Callable[..., Awaitable[Any]]
_KNOWN = {"wsgi": "WSGI", "asgi": "ASGI"}
_ARGUMENTS = {"wsgi": 2, "asgi": 3}


def choose(application: object, named: str, wanted: str) -> str:
    """Chooses the interface by which to hold the application, one of layout.INTERFACES.

    Args:
        application: the object that the user named.
        named: the name they gave, for messages.
        wanted: the interface that the server speaks; "" means any.

    Raises:
        LoadError: it is not an application, or it is one for another kind of server.
    """
    if wanted in native.APPLICATIONS:
        native.check(application, named, wanted)
        return wanted
    if wanted == "rsgi":
        rsgi.check(application, named)
        return wanted
    if not callable(application):
        what = f"{named} is not an application: it cannot be called."
        why = f"Its type is {type(application).__name__}."
        raise LoadError("not-callable", what, why, "Name a WSGI or ASGI application, such as a Flask object.")
    possible = _possible(application)
    if not possible:
        why = "A server calls an application with two arguments (WSGI) or three (ASGI); this takes neither."
        remedy = f"If it is a factory, call it: {named}()"
        raise LoadError("not-an-application", f"{named} is neither a WSGI nor an ASGI application.", why, remedy)
    if not wanted:
        return possible[0]
    if wanted not in possible:
        spoken, asked = _KNOWN[possible[0]], _KNOWN[wanted]
        article = "a" if spoken == "WSGI" else "an"
        what = f"{named} is {article} {spoken} application, but this server speaks {asked}."
        takes, given = _ARGUMENTS[possible[0]], _ARGUMENTS[wanted]
        why = f"It takes {takes} arguments; this server would call it with {given}."
        other = f"{'an' if article == 'a' else 'a'} {asked} application"
        both = f"If this server takes both, write {possible[0]}:{named}."
        remedy = f"Use {article} {spoken} server, or name {other}. {both}"
        raise LoadError("wrong-interface", what, why, remedy)
    return wanted


def is_application(thing: object) -> bool:
    """Whether a server could call it, by WSGI or ASGI."""
    return callable(thing) and bool(_possible(thing))


def is_double_callable(application: object) -> bool:
    """Whether it is an ASGI 2 application: called with the scope, then again with receive and send."""
    if not _takes(application, 1) or _takes(application, 2) or _takes(application, 3):
        return False
    if inspect.isclass(application):
        return inspect.iscoroutinefunction(getattr(application, "__call__", None))  # noqa: B004 - the function
    parameters = list(inspect.signature(application).parameters)  # type: ignore[arg-type]
    return parameters == ["scope"]


def single_callable(application: Any) -> Asgi:  # noqa: ANN401 - see is_double_callable
    """Wraps an ASGI 2 application as an ASGI 3 one, which is called once."""

    async def once(scope: object, receive: object, send: object) -> None:
        await application(scope)(receive, send)

    setattr(once, DOUBLE, application)
    return once


def double_callable(application: Asgi) -> Callable[[object], Callable[[object, object], Awaitable[Any]]]:
    """Wraps an ASGI 3 application as an ASGI 2 one."""

    def twice(scope: object) -> Callable[[object, object], Awaitable[Any]]:
        async def instance(receive: object, send: object) -> None:
            await application(scope, receive, send)

        return instance

    return twice


def _possible(application: object) -> Tuple[str, ...]:
    """The interfaces by which it can be called, the likelier first.

    A decorator of the application passes on what it is called with. One that makes an application of a function with
    other arguments (werkzeug's `Request.application`) shows that function's too (`functools.wraps`).
    """
    return _possible_by(application, wrapped=True) or _possible_by(application, wrapped=False)


def _possible_by(application: object, *, wrapped: bool) -> Tuple[str, ...]:
    wsgi, asgi = (_takes(application, number, wrapped=wrapped) for number in (2, 3))
    asgi = asgi or is_double_callable(application)
    call = getattr(type(application), "__call__", None)  # noqa: B004 - the function itself is wanted
    if inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(call):
        return ("asgi",) if asgi else ()
    return ("wsgi",) * wsgi + ("asgi",) * asgi


def _takes(application: Any, arguments: int, *, wrapped: bool = True) -> bool:  # noqa: ANN401 - anything
    try:
        inspect.signature(application, follow_wrapped=wrapped).bind(*[None] * arguments)
    except TypeError:
        return False
    except ValueError:
        return True  # some extension types have no signature
    return True
