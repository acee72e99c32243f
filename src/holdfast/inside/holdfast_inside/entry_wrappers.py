"""Where servers get hold of the application: there it is exchanged for one that is held at its entry.

That is for applications in which no framework is known; all others are handed through as they are. A server
without a line here, or with a line that its version does not know any more, is served as ever.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Dict, List, NamedTuple, Tuple


class Way(NamedTuple):
    """One function of a server.

    Attributes:
        function: dotted, within the module.
        argument: name of the parameter that is the application; "" where the function returns it.
        attribute: of the function's first argument, where it puts the application; "" elsewhere.
        interface: by which the server calls it; "" where that depends.
    """

    function: str
    argument: str = ""
    attribute: str = ""
    interface: str = ""


# By module.
SERVERS: Dict[str, Way] = {
    "bjoern": Way("listen", "wsgi_app", interface="wsgi"),
    "cheroot.wsgi": Way("Server.__init__", "wsgi_app", interface="wsgi"),
    "daphne.server": Way("Server.__init__", "application", interface="asgi"),
    "eventlet.wsgi": Way("server", "site", interface="wsgi"),
    "gevent.pywsgi": Way("WSGIServer.__init__", "application", interface="wsgi"),
    "granian._internal": Way("load_target"),
    "gunicorn.app.base": Way("BaseApplication.wsgi"),
    "hypercorn.utils": Way("wrap_app", "app"),
    "twisted.web.wsgi": Way("WSGIResource.__init__", "application", interface="wsgi"),
    "uvicorn.config": Way("Config.load", attribute="loaded_app", interface="asgi"),
    "waitress.server": Way("create_server", "application", interface="wsgi"),
    "werkzeug.serving": Way("BaseWSGIServer.__init__", "app", interface="wsgi"),
    "wsgiref.simple_server": Way("WSGIServer.set_app", "application", interface="wsgi"),
}


Function = Callable[..., Any]

_held: List[Tuple[object, object]] = []
"""Applications that were exchanged, each with what it was exchanged for."""


def install(name: str, prepared: Callable[[], None]) -> None:
    """Surrounds the function of a server that has been imported; calling it again changes nothing.

    Args:
        name: of its module, one of SERVERS.
        prepared: is called before an application is looked at.
    """
    from . import gate

    way = SERVERS[name]
    function: Any = sys.modules[name]
    for part in way.function.split("."):
        function = getattr(function, part, None)
    if function is not None:
        gate.surround(function, lambda original: _exchanging(original, name, way, prepared))


def _exchanging(original: Function, name: str, way: Way, prepared: Callable[[], None]) -> Function:
    code = original.__code__
    positional = code.co_varnames[: code.co_argcount]

    def held(application: object) -> object:
        prepared()
        return _held_at_entry(application, name, way)

    def surrounding(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as the server's
        if way.argument in positional:
            at = positional.index(way.argument)
            args = (*args[:at], held(args[at]), *args[at + 1 :])
        elif way.argument in kwargs:
            kwargs[way.argument] = held(kwargs[way.argument])
        result = original(*args, **kwargs)
        if way.attribute:
            setattr(args[0], way.attribute, held(getattr(args[0], way.attribute, None)))
        return result if way.argument or way.attribute else held(result)

    return surrounding


def _held_at_entry(application: object, name: str, way: Way) -> object:
    """What the server is to run in the application's stead; the application itself where it has views."""
    from . import startup_report

    for known, exchanged in _held:
        if application is known or application is exchanged:
            return exchanged
    try:
        exchanged = _exchanged(application, way)
    except Exception as error:
        startup_report.failed(name, error)
        return application
    if exchanged is not application:
        _held.append((application, exchanged))
        startup_report.say("entry", name)
    return exchanged


def _exchanged(application: Any, way: Way) -> object:  # noqa: ANN401 - whatever a server takes for one
    from . import asgi, hooks, interface, wsgi

    hooks.install()
    if not callable(application) or hooks.leads_to_views():
        return application
    spoken = interface.spoken(application, "the application", way.interface)
    if spoken == "wsgi":
        return wsgi.held_at_entry(application)
    return asgi.held_at_entry(interface.single(application) if interface.is_double(application) else application)
