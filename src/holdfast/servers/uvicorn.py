"""uvicorn: an event loop for each worker process; all of them accept from one listener.

`limit_concurrency` counts the connection that is being judged too (uvicorn/protocols/http/httptools_impl.py,
on_message_begin and on_headers_complete), so that one request less is handled than it says.

Each option has an environment variable UVICORN_NAME (uvicorn/main.py, auto_envvar_prefix); WEB_CONCURRENCY is read
where neither gives workers (uvicorn/config.py, Config.__init__). A WSGI application runs on the 10 threads of a2wsgi's
WSGIMiddleware, or of uvicorn's own where that is missing; uvicorn passes no other number (Config.load()).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import ASGI, WSGI, Adapter, Interface, Launch, Package, Setting, Start, as_given, launched
from holdfast.servers.address import by_host_and_port, by_socket_file, no_descriptor, option_value
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    no_descriptor(start.arguments, "--fd")
    listening = by_socket_file(start.arguments, start.socket, "--uds") or by_host_and_port(start.arguments, start.port)
    named = option_value(start.arguments, "--interface")
    interface: Interface = "wsgi" if named == "wsgi" or (named is None and start.interface == "wsgi") else "asgi"
    # Its own guess looks at the type of what we put around the application.
    options = () if named else ("--interface", "wsgi" if interface == "wsgi" else "asgi3")
    return launched(start, listening, "-m", "uvicorn", *options, interface=interface)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    given = as_given(
        arguments,
        replace(_of("workers", 1, Place.IN_SERVICE), weaker_variables=("WEB_CONCURRENCY",)),
        _of("limit_concurrency", None, Place.IN_SERVICE),
        _of("backlog", 2048, Place.ACCEPT_QUEUE),
    )
    if option_value(arguments, "--interface") != "wsgi":
        return given
    return (*given, Setting("WSGIMiddleware workers", 10, Place.IN_SERVICE))


def _of(name: str, default: int | None, bounds: Place) -> Setting:
    return Setting(name, default, bounds, ("--" + name.replace("_", "-"),), f"UVICORN_{name.upper()}")


ADAPTER = Adapter(
    name="uvicorn",
    packages=(Package("uvicorn", "uvicorn", "uvicorn"),),
    frameworks={**ASGI, **WSGI},
    launch=_launch,
    settings=_settings,
    reloaders=("--reload",),
    timeouts=timeouts(
        # uvicorn/config.py, Config.__init__; protocols/http/h11_impl.py, on_response_complete().
        Timeout("timeout_keep_alive", 5, ("idle",), options=("--timeout-keep-alive",)),
    ),
)
