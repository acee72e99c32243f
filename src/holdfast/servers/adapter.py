"""What holdfast must know about a server: how to start it, and which place each of its settings bounds.

An adapter is data and pure functions. It draws no conclusions: what a setting is said to bound is compared with what
was measured, never taken for it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.address import Listening, by_host_and_port, option_number
from holdfast.servers.timeouts import no_timeouts

Interface = Literal["wsgi", "asgi", "rsgi", "aiohttp", "sanic", "tornado"]
"""How a server calls an application: by a standard, or by its own kind of object."""

FRAMEWORKS: Mapping[Interface, tuple[str, ...]] = {
    "wsgi": ("flask", "django", "wsgi"),
    "asgi": ("starlette", "fastapi", "django", "quart", "litestar", "asgi"),
    "rsgi": ("rsgi",),
    "aiohttp": ("aiohttp",),
    "sanic": ("sanic",),
    "tornado": ("tornado",),
}
"""The built-in applications, by interface; "wsgi", "asgi" and "rsgi" use no framework at all."""

INTERFACES: Mapping[Interface, str] = {
    "wsgi": "WSGI",
    "asgi": "ASGI",
    "rsgi": "RSGI",
    "aiohttp": "aiohttp's own interface",
    "sanic": "Sanic's own interface",
    "tornado": "Tornado's own interface",
}
"""In words."""

WSGI: Mapping[Interface, tuple[str, ...]] = {"wsgi": FRAMEWORKS["wsgi"]}
ASGI: Mapping[Interface, tuple[str, ...]] = {"asgi": FRAMEWORKS["asgi"]}

TARGET = "holdfast_inside.target:application"
"""What a server is told to load: it wraps the person's application, or is the built-in one."""


@frozen
class Package:
    """A distribution that a server needs.

    Attributes:
        module: what is looked for to see whether it is there.
        distribution: whose version is reported; "" is Python's own.
        requirement: what `pip install` takes.
    """

    module: str
    distribution: str
    requirement: str


FRAMEWORK_PACKAGES: Mapping[str, Package] = {
    name: Package(name, name, requirement)
    for name, requirement in {
        "flask": "flask[async]",
        "django": "django",
        "starlette": "starlette",
        "fastapi": "fastapi",
        "quart": "quart",
        "litestar": "litestar",
        "aiohttp": "aiohttp",
        "sanic": "sanic",
        "tornado": "tornado",
    }.items()
}
"""What each framework needs; a built-in application without a framework needs nothing."""


@frozen
class Setting:
    """One of the server's own settings.

    Attributes:
        value: as the person gave it, or the default of the server's documentation; None where it has none.
        bounds: the place whose size it is said to bound.
        options: how it is spelt on the command line, the spelling to add it with first; empty where it cannot be
            given there as a number of its own.
        variable: environment variable that sets it where the command line does not; "" without one.
        weaker_variables: those that set it where that one does not either, the strongest first.
        counts: False where the server takes it, and it bounds nothing as the server is started: the class of its
            workers, another setting, or the way in which it is used sees to that.
        for_streams: whether it bounds the streams of one HTTP/2 connection, and nothing without HTTP/2.
        least: the smallest value that the server takes.
        words: of a setting that is on (1) or off (0): what switches it off, and what switches it on; "" is to say
            neither. Empty where it is a number.
    """

    name: str
    value: int | None
    bounds: Place
    options: tuple[str, ...] = ()
    variable: str = ""
    weaker_variables: tuple[str, ...] = ()
    counts: bool = True
    for_streams: bool = False
    least: int = 1
    words: tuple[str, ...] = ()


def as_given(arguments: Sequence[str], *settings: Setting) -> tuple[Setting, ...]:
    """The settings, each with the value that the arguments give it; where they do not, as it is: with its default."""
    return tuple(
        replace(each, value=option_number(arguments, *each.options, default=each.value)) if each.options else each
        for each in settings
    )


def spellings(*names: str) -> tuple[str, ...]:
    """How the keywords of a server's call are spelt for a server that `by_module` starts.

    Source: holdfast_inside/options.py, parse(): with dashes in front or without, and dashes or underscores within.
    """
    every = [form for name in names for form in ("--" + name.replace("_", "-"), name, "--" + name)]
    return tuple(dict.fromkeys([*every, *(name.replace("_", "-") for name in names)]))


@frozen
class Start:
    """What an adapter makes a command from.

    Attributes:
        interpreter: the Python of the server's environment.
        scripts: existing executables of that environment among `Adapter.executables`, by name.
        port: a free port, or the one that the person asked for.
        interface: that the application has, where that is known before it is loaded: the person named it
            (`wsgi:module:attr`), or only one fits `--framework`.
        socket: path of an unused Unix socket.
    """

    interpreter: str
    scripts: dict[str, str]
    port: int
    arguments: tuple[str, ...]
    interface: Interface | None = None
    socket: str = ""


@frozen
class Launch:
    """A command, where it will listen, and how it will call the application.

    Attributes:
        address, port: as of `servers.address.Listening`.
    """

    command: tuple[str, ...]
    address: str
    port: int
    interface: Interface = "wsgi"


@frozen
class Adapter:
    """One server.

    Attributes:
        name: as in `--server`.
        packages: any one of them suffices.
        launch: makes the command.
        settings: reads the settings out of the arguments.
        frameworks: those of the built-in application, by interface; the first is the default.
        extras: packages that some of its options need, by option.
        executables: scripts of its packages, best first; empty where `python -m` starts it.
        reloaders: options that start it again in another process when a file changes.
        daemons: options that send it into the background.
        stop_signal: ends it at once.
        ends_with_workers: after that signal, its first process only looks now and then whether its workers have ended.
        serves_as_root: False where root has to start it as another user.
        timeouts: reads out of the arguments after which time it is said to end silent connections.
    """

    name: str
    packages: tuple[Package, ...]
    launch: Callable[[Start], Launch]
    settings: Callable[[Sequence[str]], tuple[Setting, ...]]
    frameworks: Mapping[Interface, tuple[str, ...]] = field(default_factory=lambda: WSGI)
    extras: Mapping[str, Package] = field(default_factory=dict)
    executables: tuple[str, ...] = ()
    reloaders: tuple[str, ...] = ()
    daemons: tuple[str, ...] = ()
    stop_signal: int = int(signal.SIGTERM)
    ends_with_workers: bool = False
    serves_as_root: bool = True
    timeouts: Callable[[Sequence[str]], tuple[Timeout, ...]] = no_timeouts


def launched(
    start: Start, listening: Listening, *command: str, app: str = TARGET, interface: Interface = "wsgi"
) -> Launch:
    """`python COMMAND ADDED APP ARGUMENTS`, as most servers with a command line are started; "" leaves out APP."""
    target = (app,) if app else ()
    argv = (start.interpreter, *command, *listening.added, *target, *listening.arguments)
    return Launch(argv, listening.address, listening.port, interface)


def by_module(name: str, interface: Interface = "wsgi") -> Callable[[Start], Launch]:
    """How a server without a command line is started: `python -m holdfast_inside.NAME_server`."""

    def launch(start: Start) -> Launch:
        listening = by_host_and_port(start.arguments, start.port)
        return launched(start, listening, "-m", f"holdfast_inside.{name}_server", app="", interface=interface)

    return launch
