"""Wraps an application of no known framework, at the point where the server takes it, so that it is held at its entry.

Applications of known frameworks pass through unchanged. So does every application if the server is not listed here,
or if its version no longer has the listed function.

A router or middleware of another framework that leads to a known one is wrapped too, since it may answer a path by
itself: the first request shows whether the known one holds it.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Dict, List, NamedTuple, Tuple


class EntryPoint(NamedTuple):
    """The function of a server through which the application passes.

    Attributes:
        function: its dotted name within the module.
        argument: the parameter that is the application; "" if the function returns the application.
        attribute: the attribute of the function's first argument that it sets to the application; "" if none.
        interface: the interface by which the server calls the application; "" if that depends on its settings.
    """

    function: str
    argument: str = ""
    attribute: str = ""
    interface: str = ""


# Keyed by module.
SERVERS: Dict[str, EntryPoint] = {
    "bjoern": EntryPoint("listen", "wsgi_app", interface="wsgi"),
    "cheroot.wsgi": EntryPoint("Server.__init__", "wsgi_app", interface="wsgi"),
    "daphne.server": EntryPoint("Server.__init__", "application", interface="asgi"),
    "eventlet.wsgi": EntryPoint("server", "site", interface="wsgi"),
    "fastpysgi": EntryPoint("_Server.init", "app"),
    "gevent.pywsgi": EntryPoint("WSGIServer.__init__", "application", interface="wsgi"),
    "granian._internal": EntryPoint("load_target"),
    "gunicorn.app.base": EntryPoint("BaseApplication.wsgi"),
    "hypercorn.utils": EntryPoint("wrap_app", "app"),
    "mod_wsgi.express.runtime": EntryPoint("ApplicationHandler.__init__", attribute="application", interface="wsgi"),
    "paste.deploy.loadwsgi": EntryPoint("loadapp", interface="wsgi"),
    "rocket3": EntryPoint("WSGIWorker.__init__", attribute="app", interface="wsgi"),
    "tornado.wsgi": EntryPoint("WSGIContainer.__init__", "wsgi_application", interface="wsgi"),
    "twisted.web.wsgi": EntryPoint("WSGIResource.__init__", "application", interface="wsgi"),
    "uvicorn.config": EntryPoint("Config.load", attribute="loaded_app", interface="asgi"),
    "waitress.server": EntryPoint("create_server", "application", interface="wsgi"),
    "werkzeug.serving": EntryPoint("BaseWSGIServer.__init__", "app", interface="wsgi"),
    "wsgiref.simple_server": EntryPoint("WSGIServer.set_app", "application", interface="wsgi"),
}


REPLACED: Dict[str, Tuple[str, str]] = {
    "gunicorn.workers.base": ("Worker", "wsgi"),
    "gunicorn.workers.gasgi": ("ASGIWorker", "asgi"),
}
"""Module -> its class whose objects call the application, and their attribute that is it. What a hook of the person's
(gunicorn's `post_worker_init`) puts there instead is what the server calls."""

NAME_AN_APPLICATION = (
    "cheroot.wsgi",
    "daphne.server",
    "granian._internal",
    "gunicorn.app.base",
    "hypercorn.utils",
    "uvicorn.config",
    "waitress.server",
)
"""Those of SERVERS that are told `module:attribute` on their command line."""

FROM_C = EntryPoint("", interface="wsgi")
"""Of servers that take the application out of its module by themselves."""
NAMED = EntryPoint("")
"""Of servers that are not known, whose command line names the application."""

Function = Callable[..., Any]

_wrapped: List[Tuple[object, object]] = []
"""Each wrapped application with its wrapper."""


def install(name: str, prepare: Callable[[], None]) -> None:
    """Surrounds the entry point of an imported server; a second call changes nothing.

    Args:
        name: the server's module, one of SERVERS.
        prepare: called before each look at an application, to install hooks that are still pending.
    """
    from . import gate

    point = SERVERS[name]
    function: Any = sys.modules[name]
    for part in point.function.split("."):
        function = getattr(function, part, None)
    if function is not None:
        gate.surround(function, lambda original: _wrapping(original, name, point, prepare))


def note_replaced(name: str) -> None:
    """Lets it be noted when the server calls what takes the application's place; a second call changes nothing.

    Args:
        name: an imported module, one of REPLACED.
    """
    cls, attribute = REPLACED[name]
    found = getattr(sys.modules[name], cls, None)
    if isinstance(found, type) and not any(attribute in vars(each) for each in found.__mro__):
        setattr(found, attribute, _Replaced(attribute))


class _Replaced:
    """An attribute like any other, but that the server calls what is put there after the first value.

    All others, such as the person's hooks, get what they have put there: they may use what it has. They may also write
    to the object's `vars`, which shows when the server looks.
    """

    def __init__(self, name: str) -> None:
        self._name, self._called = name, f"holdfast {name}"

    def __get__(self, instance: Any, owner: type) -> Any:  # noqa: ANN401 - as the server's
        # It is an attribute of objects alone.
        had: Dict[str, Any] = {} if instance is None else vars(instance)
        try:
            value = had[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
        put, called = had.get(self._called, (value, value))
        if called is value:
            return value
        caller = sys._getframe(1).f_globals.get("__name__") or ""  # noqa: SLF001 - the server's code, or the person's
        if _package(caller) not in {_package(each.__module__) for each in owner.__mro__}:
            return value
        if put is not value:
            called = _noted(value)
            had[self._called] = value, called
        return called

    def __set__(self, instance: object, value: object) -> None:
        had = vars(instance)
        had[self._called] = value, _noted(value) if self._name in had else value
        had[self._name] = value

    def __delete__(self, instance: object) -> None:
        had = vars(instance)
        had.pop(self._called, None)
        try:
            del had[self._name]
        except KeyError:
            raise AttributeError(self._name) from None


def _package(module: str) -> str:
    return module.partition(".")[0]


def _noted(application: object) -> object:
    from . import hooks, noting, startup_report

    try:
        hooks.install()
        return noting.noted(application, "")
    except Exception as error:
        startup_report.report_failure("replaced", error)
        return application


def _wrapping(original: Function, name: str, point: EntryPoint, prepare: Callable[[], None]) -> Function:
    code = original.__code__
    positional = code.co_varnames[: code.co_argcount]

    def wrap(application: object) -> object:
        prepare()
        return wrap_once(application, name, point)

    def surrounding(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as the server's
        if point.argument in positional:
            at = positional.index(point.argument)
            args = (*args[:at], wrap(args[at]), *args[at + 1 :])
        elif point.argument in kwargs:
            kwargs[point.argument] = wrap(kwargs[point.argument])
        result = original(*args, **kwargs)
        if point.attribute:
            setattr(args[0], point.attribute, wrap(getattr(args[0], point.attribute, None)))
        return result if point.argument or point.attribute else wrap(result)

    return surrounding


def wrap_once(application: object, name: str, point: EntryPoint) -> object:
    """The wrapper that the server runs instead of the application; the application itself if it is a framework's."""
    from . import startup_report

    for known, wrapped in _wrapped:
        if application is known or application is wrapped:
            return wrapped
    try:
        wrapped = _wrap(application, point)
    except Exception as error:
        startup_report.report_failure(name, error)
        return application
    if wrapped is not application:
        _wrapped.append((application, wrapped))
        startup_report.report("entry", name)
    return wrapped


def _wrap(application: Any, point: EntryPoint) -> object:  # noqa: ANN401 - anything a server accepts
    from . import asgi, find_views, hooks, interface, noting, rsgi, wsgi

    hooks.install()
    if point is NAMED and find_views.is_known(application):
        # Its hook holds it, and a framework's own command wants an object of its class (sanic.worker.loader).
        return application
    known = find_views.leads_to_views if point is NAMED else find_views.is_known
    by_settings = not point.interface and rsgi.speaks(application)
    if not callable(application) and not by_settings:
        return application
    if known(application):
        return noting.noted(application, point.interface)
    if by_settings:
        both = callable(application) and interface.is_application(application)
        return rsgi.HeldEitherWay(application) if both else rsgi.HeldAtEntry(application)
    spoken = interface.choose(application, "the application", point.interface)
    if spoken == "wsgi":
        return wsgi.wrap_entry(application, by_server=True)
    is_double = interface.is_double_callable(application)
    held = asgi.wrap_entry(interface.single_callable(application) if is_double else application, by_server=True)
    # A server that was handed one that is called twice calls it so.
    return interface.double_callable(held) if is_double else held
