"""uvicorn: an event loop for each worker process; all of them accept from one listener.

`limit_concurrency` counts the connection that is being judged too (uvicorn/protocols/http/httptools_impl.py,
on_message_begin and on_headers_complete), so that one request less is handled than it says.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import ASGI, WSGI, Adapter, Interface, Launch, Package, Setting, Start, launched
from holdfast.servers.address import by_host_and_port, by_socket_file, no_descriptor, option_number, option_value
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
    return (
        Setting("workers", option_number(arguments, "--workers", default=1), Place.IN_SERVICE),
        Setting("limit_concurrency", option_number(arguments, "--limit-concurrency"), Place.IN_SERVICE),
        Setting("backlog", option_number(arguments, "--backlog", default=2048), Place.ACCEPT_QUEUE),
    )


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
