"""Holds this run's requests in what answers them on servers that are built on the standard library's `socketserver`.

Each connection makes an object of a handler class. One that reads HTTP with the standard library (http/server.py) calls
its `parse_request`, and then, with the headers at hand, what answers: a method that is named after the request's, such
as `do_GET`, or a WSGI application that the server object has as an attribute. The hook surrounds `parse_request` of
each class as it is met, whichever module that is from: `python -m http.server` has it in `__main__`.

- A method gets a gate for this one request, in the handler object alone. That of a library is watched first: it may
  leave it to another thread to answer.
- An application is wrapped in the server object, once, as other servers' applications are.
"""

from __future__ import annotations

import functools
import sys
import types
import weakref
from typing import Any, Dict, Optional

from . import code_patch, entries, entry_wrappers, gate, interface, layout, recorder, reply, request, startup_report
from .load_error import LoadError

MODULE = "socketserver"
_APPLICATION = ("app", "application", "wsgi_app", "wsgi_application")
"""Attributes of a server object; Paste's among them."""

_looked_at: weakref.WeakSet[Any] = weakref.WeakSet()
"""Server objects whose application is wrapped."""


def install(module: Any) -> None:  # noqa: ANN401 - gets attributes
    """Surrounds the constructor of handlers in the imported module."""
    gate.surround(module.BaseRequestHandler.__init__, _meeting_class)


def _meeting_class(original: Any) -> gate.Function:  # noqa: ANN401 - a constructor, which serves the connection
    def __init__(self: object, *args: object, **kwargs: object) -> None:  # noqa: N807
        _quietly(gate.surround, getattr(type(self), "parse_request", None), _preparing)
        original(self, *args, **kwargs)

    return __init__


def _preparing(original: Any) -> gate.Function:  # noqa: ANN401 - see the module
    def parse_request(self: Any, *args: object, **kwargs: object) -> object:  # noqa: ANN401 - a handler
        parsed = original(self, *args, **kwargs)
        if parsed:
            _quietly(_prepare, self)
        return parsed

    return parse_request


def _quietly(function: Any, *args: object) -> None:  # noqa: ANN401 - any of ours
    """Calls it; the process does not notice an error."""
    try:
        function(*args)
    except Exception as error:
        startup_report.report_failure(MODULE, error)


def _prepare(handler: Any) -> None:  # noqa: ANN401 - gets attributes
    # Another protocol may have a method of that name, too.
    get = getattr(getattr(handler, "headers", None), "get", None)
    value = get(layout.HEADER_FIELD) if callable(get) else None
    if not value:
        return
    name = f"do_{handler.command}"
    # Not the object's attribute: Werkzeug's handler has one for any name, and calls the application.
    method = getattr(type(handler), name, None)
    if method is None:
        _wrap_application(getattr(handler, "server", None))
        return
    claim = request.target_claim(value, handler.path)
    if claim is None:
        return
    if not recorder.record().data[layout.METHODS_OFFSET]:
        startup_report.report("method", f"{type(handler).__name__}.{name}")
    else:
        setattr(handler, name, _holding(handler, name, method, claim))


def _holding(handler: Any, name: str, method: Any, claim: request.RequestClaim) -> gate.Function:  # noqa: ANN401
    function = code_patch.innermost_function(method)
    entry = None if function is None else entries.of_handler(function, "http.server")
    arrived = entries.HOLD if entry is None else entry.arrive(claim)

    def holding(*args: object, **kwargs: object) -> object:
        delattr(handler, name)
        call = functools.partial(types.MethodType(method, handler), *args, **kwargs)
        if entry is None or arrived == entries.HOLD:
            held_in = gate.held_in_view("http.server", method, "sync", f"{type(handler).__name__}.{name}")
            ending = gate.Ending(gate.Released, functools.partial(_answer, handler), returns=True)
            via = "method" if entry is None or entry.is_followed() else "unknown"
            held = gate.Held(claim, gate.put_in(function), held_in, "sync", via, ending)
            return _led(held, call) if held.gate is not None else held.run(call)
        if arrived == entries.WATCH:
            with entry.watching(claim, sys._getframe()):  # noqa: SLF001 - what is around it does not count
                return call()
        if arrived == entries.PASS:
            return call()
        held = entry.held_in_view(claim)
        held.ending = gate.PLAIN
        try:
            return _led(held, call)
        except gate.Released:
            _answer(handler)
            return None

    return holding


def _led(held: gate.Held, call: gate.Function) -> object:
    token = gate.current.set(held)
    try:
        return call()
    finally:
        gate.current.reset(token)


def _answer(handler: Any) -> None:  # noqa: ANN401 - calls methods
    handler.send_response(200)
    for name, value in reply.HEADERS:
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(reply.BODY)


def _wrap_application(server: Any) -> None:  # noqa: ANN401 - gets attributes
    # Known servers were given a wrapped one; a child that was forked for one request need not look again.
    if server in _looked_at or any(cls.__module__ in entry_wrappers.SERVERS for cls in type(server).__mro__):
        return
    _looked_at.add(server)
    attributes: Dict[str, Any] = getattr(server, "__dict__", {})
    found: Optional[str] = next((each for each in _APPLICATION if callable(attributes.get(each))), None)
    if found is None:
        return
    application = attributes[found]
    try:
        spoken = interface.choose(application, found, "wsgi")
    except LoadError:
        return
    point = entry_wrappers.EntryPoint("", interface=spoken)
    setattr(server, found, entry_wrappers.wrap_once(application, MODULE, point))
