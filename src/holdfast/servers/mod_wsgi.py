"""mod_wsgi-express: Apache in front, which hands each request to a thread of mod_wsgi's daemon processes.

A thread of an Apache child reads the request, connects to the daemon's Unix socket and waits there for one of
`processes` x `threads`, so up to `max-clients` requests are accepted, and those that no thread has taken wait at the
daemon (mod_wsgi/express/server.py, setup_server()). Apache begins with a fifth of its children and starts another
each second while they are all busy; `--initial-workers 1` starts all at once.

`mod_wsgi-standalone` brings an Apache of its own and is built where it is installed, which takes a C compiler;
`mod_wsgi` is built for the Apache that is there (Debian: apache2-dev). Apache does not serve as root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from holdfast.model.places import Place
from holdfast.servers.adapter import TARGET, Adapter, Launch, Package, Setting, Start, as_given
from holdfast.servers.address import by_host_and_port, has_option

_MODULE, _, _CALLABLE = TARGET.partition(":")


def _launch(start: Start) -> Launch:
    listening = by_host_and_port(start.arguments, start.port)
    argv = (
        start.scripts["mod_wsgi-express"],
        "start-server",
        *listening.added,
        *_files(start),
        *("--application-type", "module", "--callable-object", _CALLABLE),
        *listening.arguments,
        _MODULE,
    )
    return Launch(argv, listening.address, listening.port)


def _files(start: Start) -> tuple[str, ...]:
    """Where it writes. By default it leaves a directory in /tmp, with its log in it."""
    if not start.socket or has_option(start.arguments, "--server-root"):
        return ("--log-to-terminal",)
    # Made by the server, and gone with the run's own directory.
    return ("--log-to-terminal", "--server-root", str(PurePath(start.socket).with_name("mod_wsgi")))


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    processes, threads, clients, daemon, server = as_given(
        arguments,
        Setting("processes", 1, Place.IN_SERVICE, ("--processes",)),
        Setting("threads", 5, Place.IN_SERVICE, ("--threads",)),
        Setting("max_clients", None, Place.USERSPACE_QUEUE, ("--max-clients",)),
        Setting("daemon_backlog", 100, Place.USERSPACE_QUEUE, ("--daemon-backlog",)),
        Setting("server_backlog", 500, Place.ACCEPT_QUEUE, ("--server-backlog",)),
    )
    together = (processes.value or 1) * (threads.value or 5)
    most = max(clients.value, together) if clients.value else 10 + max(10, 3 * together // 2)
    return (processes, threads, replace(clients, value=most), daemon, server)


ADAPTER = Adapter(
    name="mod_wsgi",
    packages=(
        Package("mod_wsgi", "mod_wsgi-standalone", "mod_wsgi-standalone"),
        Package("mod_wsgi", "mod_wsgi", "mod_wsgi"),
    ),
    launch=_launch,
    settings=_settings,
    executables=("mod_wsgi-express",),
    reloaders=("--reload-on-changes",),
    serves_as_root=False,
)
