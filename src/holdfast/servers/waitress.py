"""waitress: one thread accepts and reads, `threads` others run the application.

`connection_limit` counts everything that its loop watches, the listener and the wake-up pipe
included (waitress/server.py, BaseWSGIServer.readable: `len(self._map)`).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import TARGET, Adapter, Launch, Package, Setting, Start, as_given
from holdfast.servers.address import by_address, by_host_and_port, by_socket_file, option_value
from holdfast.servers.timeouts import timeouts


def _launch(start: Start) -> Launch:
    listening = by_socket_file(start.arguments, start.socket, "--unix-socket")
    listening = listening or by_address(start.arguments, start.port, "--listen")
    if option_value(start.arguments, "--host", "--port") is not None:
        # waitress refuses --listen together with these (waitress/adjustments.py).
        listening = by_host_and_port(start.arguments, start.port)
    # getopt ends the options at the first argument that is none, so the application comes last.
    argv = (start.interpreter, "-m", "waitress", *listening.added, *listening.arguments, TARGET)
    return Launch(argv, listening.address, listening.port)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return as_given(
        arguments,
        Setting("threads", 4, Place.IN_SERVICE, ("--threads",)),
        Setting("connection_limit", 100, Place.USERSPACE_QUEUE, ("--connection-limit",)),
        Setting("backlog", 1024, Place.ACCEPT_QUEUE, ("--backlog",)),
    )


ADAPTER = Adapter(
    name="waitress",
    packages=(Package("waitress", "waitress", "waitress"),),
    launch=_launch,
    settings=_settings,
    timeouts=timeouts(
        # waitress/adjustments.py, Adjustments; server.py, maintenance(), which runs each cleanup_interval (30 s).
        Timeout(
            "channel_timeout", 120, ("nothing", "half a request", "idle"), lag_s=30, options=("--channel-timeout",)
        ),
    ),
)
