"""Tornado's own server with a Tornado application: an event loop, for each process if there are several.

It bounds nothing itself; the backlog is 128 (tornado/netutil.py, _DEFAULT_BACKLOG).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import FRAMEWORKS, Adapter, Package, Setting, by_module
from holdfast.servers.address import option_number
from holdfast.servers.timeouts import timeouts


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    processes = option_number(arguments, "--processes", "processes", default=1)
    backlog = option_number(arguments, "--backlog", "backlog", default=128)
    return (Setting("processes", processes, Place.IN_SERVICE), Setting("backlog", backlog, Place.ACCEPT_QUEUE))


ADAPTER = Adapter(
    name="tornado",
    packages=(Package("tornado", "tornado", "tornado"),),
    frameworks={"tornado": FRAMEWORKS["tornado"]},
    launch=by_module("tornado", "tornado"),
    settings=_settings,
    timeouts=timeouts(
        # tornado/httpserver.py, HTTPServer.initialize(): header_timeout, in http1connection.py, _read_message_inner().
        Timeout(
            "idle_connection_timeout",
            3600,
            ("nothing", "half a request", "idle"),
            options=("--idle-connection-timeout", "idle_connection_timeout"),
        ),
    ),
)
