"""Holds requests of an RSGI application: in its view if that is found, otherwise at its entry.

Source: the RSGI specification, 1.x: an application is an object with `__rsgi__`, or a coroutine function (an object
with one as `__call__`), called with a scope and a protocol; `__rsgi_init__` and `__rsgi_del__` get the event loop.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any

from . import asgi, entries, gate, layout, reply, request
from .load_error import LoadError


class HeldAtEntry:
    """Wraps an application so that this run's requests are held instead of reaching it."""

    def __init__(self, application: Any) -> None:  # noqa: ANN401 - whatever the user named
        self._call = getattr(application, "__rsgi__", application)
        self._entry = entries.Entry(self._call, "rsgi")
        for name in ("__rsgi_init__", "__rsgi_del__"):
            if hasattr(application, name):
                setattr(self, name, getattr(application, name))

    async def __rsgi__(self, scope: Any, protocol: Any) -> object:  # noqa: ANN401 - the server's own types
        claim = request.target_claim(scope.headers.get(layout.HEADER_FIELD), _target(scope))
        body = functools.partial(self._call, scope, protocol)
        arrived = self._entry.arrive(claim)
        if claim is None or arrived == entries.PASS:
            return await body()
        if arrived == entries.WATCH:
            with self._entry.watching(claim, sys._getframe()):  # noqa: SLF001 - what is around it does not count
                return await body()
        leads = arrived == entries.LEAD
        held = self._entry.held_in_view(claim) if leads else self._entry.held_here(claim)
        token = gate.current.set(held)
        try:
            return await (body() if leads else held.run_async(body))
        except BaseException as error:
            if not gate.is_release(error):
                raise
            return protocol.response_bytes(200, list(reply.HEADERS), reply.BODY)
        finally:
            gate.current.reset(token)


class HeldEitherWay(HeldAtEntry):
    """The same for an application that speaks ASGI too: the server's settings decide by which it is called."""

    def __init__(self, application: Any) -> None:  # noqa: ANN401 - as above
        super().__init__(application)
        self._asgi = asgi.wrap_entry(application, by_server=True)

    async def __call__(self, scope: Any, receive: asgi.Receive, send: asgi.Send) -> object:  # noqa: ANN401, D102 - ASGI's
        return await self._asgi(scope, receive, send)


def speaks(application: object) -> bool:
    """Whether an RSGI server can call it."""
    if hasattr(application, "__rsgi__"):
        return True
    call = getattr(type(application), "__call__", None)  # noqa: B004 - the function itself is wanted
    is_async = inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(call)
    return is_async and len(inspect.signature(application).parameters) == 2  # type: ignore[arg-type]


def check(application: object, named: str) -> None:
    """Checks that an RSGI server can call the application.

    Args:
        application: the object that the user named.
        named: the name they gave, for messages.

    Raises:
        LoadError: it cannot.
    """
    if speaks(application):
        return
    what = f"{named} is not an RSGI application."
    why = "It neither has a method __rsgi__ nor is a coroutine function of two arguments."
    raise LoadError("wrong-interface", what, why, "Start the server with the interface that the application speaks.")


def _target(scope: Any) -> str:  # noqa: ANN401 - see HeldAtEntry
    return f"{scope.path}?{scope.query_string}" if scope.query_string else str(scope.path)
