"""uWSGI over HTTP: its own router process (`--http`) or straight to the workers (`--http-socket`).

`uwsgi` is the source distribution, `pyuwsgi` the same server as a wheel; either will do. SIGTERM
reloads it (uWSGI documentation, "Signals for controlling uWSGI"), SIGINT ends the whole stack.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import (
    LOOPBACK,
    Adapter,
    Launch,
    Package,
    Setting,
    Start,
    address_in,
    option_number,
    option_value,
    with_port,
)

_LISTENERS = ("--http", "--http11", "--http-socket", "--http11-socket")
_ALIASES = ("-p", "--processes", "--workers", "processes", "workers")


def _launch(start: Start) -> Launch:
    arguments = _with_port(start.arguments, start.port)
    own = option_value(arguments, *_LISTENERS)
    address, port = address_in(own) if own is not None else (LOOPBACK, start.port)
    listener = () if own is not None else ("--http", f"{LOOPBACK}:{start.port}")
    program = start.scripts.get("uwsgi") or start.scripts["pyuwsgi"]
    return Launch((program, *listener, "--module", "holdfast_inside.target:application", *arguments), address, port)


def _with_port(arguments: Sequence[str], port: int) -> tuple[str, ...]:
    """The arguments with a listener's port 0 replaced; uWSGI itself finds a port for its other sockets."""
    before = ("", *arguments)
    return tuple(
        with_port(argument, port) if argument.startswith(_LISTENERS) or previous in _LISTENERS else argument
        for previous, argument in zip(before, arguments, strict=False)
    )


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return (
        Setting("processes", option_number(arguments, *_ALIASES, default=1), Place.IN_SERVICE),
        Setting("threads", option_number(arguments, "--threads", "threads", default=1), Place.IN_SERVICE),
        Setting("listen", option_number(arguments, "-l", "--listen", "listen", default=100), Place.ACCEPT_QUEUE),
    )


ADAPTER = Adapter(
    name="uwsgi",
    packages=(Package("pyuwsgi", "pyuwsgi", "pyuwsgi"), Package("uwsgidecorators", "uwsgi", "uwsgi")),
    framework="flask",
    launch=_launch,
    settings=_settings,
    executables=("uwsgi", "pyuwsgi"),
    stop_signal=int(signal.SIGINT),
)
