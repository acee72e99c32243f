"""Turns an experiment into a command: which interface, which framework, which address. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import cast

from holdfast.errors import UsageError
from holdfast.model.experiment import ProbeTarget, View
from holdfast.model.frozen import frozen
from holdfast.model.suggestions import did_you_mean
from holdfast.servers.adapter import FRAMEWORK_PACKAGES, FRAMEWORKS, INTERFACES, Adapter, Interface, Launch, Start
from holdfast.servers.address import has_option
from holdfast.servers.interpreter import Interpreter

# As in `hypercorn wsgi:shop:app`. A module may be called wsgi too: then nothing but the attribute follows.
_PREFIXED = re.compile(r"^(?P<interface>wsgi|asgi):(?P<app>[\w./-]+:.+|.+\.py)$")


@frozen
class Plan:
    """How the server of one experiment is started.

    Attributes:
        app: what the server serves, without a prefix; None is the built-in application.
        framework: of the built-in application.
        view: None is "as written", for the person's own application.
    """

    launch: Launch
    app: str | None
    framework: str
    view: View | None


def plan(
    target: ProbeTarget, view: View | None, adapter: Adapter, interpreter: Interpreter, port: int, socket: str = ""
) -> Plan:
    """The command that starts a server.

    Args:
        view: the kind of view that is asked for; None is "as written".
        port: a free one, or the one that the person asked for.
        socket: path of an unused Unix socket.

    Raises:
        UsageError: the server cannot do what is asked for, or an argument would take it out of sight.
    """
    _check_arguments(adapter, target.arguments)
    if target.app is not None and target.framework is not None:
        raise UsageError(
            f"--framework {target.framework} and the application {target.app} exclude each other.",
            "--framework chooses the built-in application, which is used when no application is named.",
            "Leave one of them out.",
        )
    app, interface = target.app, None
    if prefixed := _PREFIXED.match(app or ""):
        app, interface = prefixed["app"], cast("Interface", prefixed["interface"])
    wanted = interface or _only_interface(adapter, target.framework)
    launch = adapter.launch(Start(interpreter.path, interpreter.scripts, port, target.arguments, wanted, socket))
    if interface not in (None, launch.interface):
        raise UsageError(
            f"{adapter.name} as it is started here serves {INTERFACES[launch.interface]}.",
            f"The application was named as {INTERFACES[interface]}, {target.app}.",
            "Start the server with arguments that let it serve that, or name another --server.",
        )
    framework = framework_for(adapter, launch.interface, target.framework, interpreter.frameworks)
    if app is None and view is None:
        # A server with an event loop is chosen for views that can use it.
        view = "sync" if launch.interface == "wsgi" else "async"
    return Plan(launch, app, framework, view)


def framework_for(adapter: Adapter, interface: Interface, asked_for: str | None, installed: Collection[str]) -> str:
    """The framework of the built-in application: the one asked for, else the first one that is installed.

    Raises:
        UsageError: it does not exist, or this server cannot run it.
    """
    possible = adapter.frameworks.get(interface, ())
    if asked_for is None:
        return next((each for each in possible if each in installed or each not in FRAMEWORK_PACKAGES), possible[0])
    if asked_for in possible:
        return asked_for
    here = " or ".join(f"--framework {each}" for each in possible)
    every = sorted({name for names in FRAMEWORKS.values() for name in names})
    if asked_for not in every:
        raise UsageError(
            f"Unknown framework {asked_for!r}.",
            f"The built-in application can be written with {', '.join(every)}.",
            did_you_mean(
                asked_for, possible, f"{adapter.name}, as it is started here, can run {here}.", "--framework {}"
            ),
        )
    raise UsageError(
        f"{adapter.name} as it is started here cannot run {asked_for}.",
        f"It calls applications by {INTERFACES[interface]}.",
        f"Choose {here}, or another --server{_elsewhere(adapter, asked_for)}.",
    )


def _elsewhere(adapter: Adapter, framework: str) -> str:
    others = [INTERFACES[kind] for kind, names in adapter.frameworks.items() if framework in names]
    return f"; or give it arguments that let it serve {' or '.join(others)}" if others else ""


def _only_interface(adapter: Adapter, framework: str | None) -> Interface | None:
    """The interface that a framework asks for, where the server has only one for it."""
    found = [interface for interface, names in adapter.frameworks.items() if framework in names]
    return found[0] if len(found) == 1 else None


def _check_arguments(adapter: Adapter, arguments: Sequence[str]) -> None:
    if found := has_option(arguments, *adapter.reloaders):
        raise UsageError(
            f"{found} lets {adapter.name} start again whenever a file changes.",
            "A server that restarts during a probe has no ceiling, and neither has the process of its reloader.",
            f"Leave {found} out.",
        )
    if found := has_option(arguments, *adapter.daemons):
        raise UsageError(
            f"{found} sends {adapter.name} into the background.",
            "holdfast must watch its processes and end them.",
            f"Leave {found} out: holdfast runs it in the foreground.",
        )
