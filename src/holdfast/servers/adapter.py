"""What holdfast must know of a server: how to start it, and which place each of its settings bounds.

An adapter is data and one pure function. It draws no conclusions: what a setting is said to
bound is compared with what was measured, never taken for it.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from holdfast.errors import UsageError
from holdfast.model.experiment import VIEWS, View
from holdfast.model.places import Place

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution that a server needs.

    Attributes:
        module: what is imported to see whether it is there.
        distribution: whose version is reported.
        requirement: what `pip install` takes.
    """

    module: str
    distribution: str
    requirement: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One of the server's own settings.

    Attributes:
        value: as the person gave it, or the default of the server's documentation.
        bounds: the place whose size it is said to bound.
    """

    name: str
    value: int | None
    bounds: Place


@dataclass(frozen=True, slots=True)
class Start:
    """What an adapter is given to make a command of.

    Attributes:
        interpreter: the Python of the server's environment.
        scripts: existing executables of that environment among `Adapter.executables`, by name.
        port: a free port, or the one that the person asked for.
    """

    interpreter: str
    scripts: dict[str, str]
    port: int
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Launch:
    """A command, and the port on which it will listen."""

    command: tuple[str, ...]
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Adapter:
    """One server.

    Attributes:
        name: as in `--server`.
        packages: of which any one suffices.
        executables: scripts of its packages, best first; empty where `python -m` starts it.
        framework: of the built-in application.
        launch: makes the command.
        settings: reads the settings out of the arguments.
        stop_signal: what ends it at once.
    """

    name: str
    packages: tuple[Package, ...]
    framework: str
    launch: Callable[[Start], Launch]
    settings: Callable[[Sequence[str]], tuple[Setting, ...]]
    executables: tuple[str, ...] = ()
    stop_signal: int = int(signal.SIGTERM)
    views: tuple[View, ...] = field(default=VIEWS)


def option_value(arguments: Sequence[str], *names: str) -> str | None:
    """Value of the last of these options, as `--name VALUE`, `--name=VALUE` or `name=VALUE`; None if absent."""
    found = None
    for index, argument in enumerate(arguments):
        for name in names:
            if argument == name and index + 1 < len(arguments):
                found = arguments[index + 1]
            elif argument.startswith(f"{name}="):
                found = argument[len(name) + 1 :]
    return found


def option_number(arguments: Sequence[str], *names: str, default: int | None = None) -> int | None:
    """The same as a whole number; `default` where it is absent or no number (the server will say so)."""
    value = option_value(arguments, *names)
    return int(value) if value is not None and value.isdigit() else default


_ADDRESS = re.compile(r"^(?P<name>-[^=]*=)?(?P<host>\[[^\]]*\]|[^:\[\]=,]*):(?P<port>\d+)(?P<rest>,.*)?$")


def with_port(argument: str, port: int) -> str:
    """The argument with a port 0 in it replaced, as in `:0`, `127.0.0.1:0`, `--http=[::1]:0`."""
    match = _ADDRESS.match(argument)
    if not match or int(match["port"]) != 0:
        return argument
    return f"{match['name'] or ''}{match['host']}:{port}{match['rest'] or ''}"


def address_in(value: str) -> tuple[str, int]:
    """Host to connect to and port of `HOST:PORT`; every-address hosts and "localhost" become a loopback address.

    Raises:
        UsageError: it is not such an address.
    """
    match = _ADDRESS.match(value)
    if not match:
        raise UsageError(
            f"The server's address {value!r} is not HOST:PORT.",
            "holdfast must know the TCP port that it shall probe.",
            "Write it as 127.0.0.1:0 (a free port is put in) or leave it out.",
        )
    host = match["host"].strip("[]")
    # Servers take the IPv4 address of "localhost", where a client may prefer the other one.
    loopback = {"": LOOPBACK, "0.0.0.0": LOOPBACK, "*": LOOPBACK, "localhost": LOOPBACK, "::": "::1"}  # noqa: S104
    return loopback.get(host, host), int(match["port"])
