"""Sanic: a main process that starts workers, each with an event loop; all accept from one listener.

It bounds nothing itself; the backlog is 100 (sanic/mixins/startup.py, run) and the command line
cannot change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import FRAMEWORKS, Adapter, Launch, Package, Setting, Start, as_given, launched
from holdfast.servers.address import by_host_and_port, by_socket_file, has_option
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    listening = by_socket_file(start.arguments, start.socket, "--unix", "-u")
    listening = listening or by_host_and_port(start.arguments, start.port, ("--host", "-H"), ("--port", "-p"))
    return launched(start, listening, "-m", "holdfast_inside.sanic_server", app="", interface="sanic")


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    (workers,) = as_given(arguments, Setting("workers", 1, Place.IN_SERVICE, ("--workers", "-w")))
    if has_option(arguments, "--fast", "--single-process"):
        # Each of them excludes --workers (sanic/cli/arguments.py, WorkerGroup); --fast takes a worker for each core.
        workers = replace(workers, value=None if "--fast" in arguments else 1, options=())
    return (workers, Setting("backlog", 100, Place.ACCEPT_QUEUE))


ADAPTER = Adapter(
    name="sanic",
    packages=(Package("sanic", "sanic", "sanic"),),
    frameworks={"sanic": FRAMEWORKS["sanic"]},
    launch=_launch,
    settings=_settings,
    reloaders=("-r", "--reload", "--auto-reload", "-d", "--dev"),
    daemons=("-D", "--daemon"),
    timeouts=timeouts(
        # sanic/config.py, DEFAULT_CONFIG; server/protocols/http_protocol.py, check_timeouts().
        Timeout("KEEP_ALIVE_TIMEOUT", 120, ("nothing", "idle"), lag_s=30),
        Timeout("REQUEST_TIMEOUT", 60, ("half a request",), lag_s=30),
        Timeout("RESPONSE_TIMEOUT", 60, ("unread",), lag_s=30),
    ),
)
