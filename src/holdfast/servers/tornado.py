"""Tornado's own server with a Tornado application: an event loop, for each process if there are several.

It bounds nothing itself; the backlog is 128 (tornado/netutil.py, _DEFAULT_BACKLOG).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import FRAMEWORKS, Adapter, Package, Setting, as_given, by_module, spellings
from holdfast.servers.timeouts import timeouts


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return as_given(
        arguments,
        Setting("processes", 1, Place.IN_SERVICE, spellings("processes")),
        Setting("backlog", 128, Place.ACCEPT_QUEUE, spellings("backlog")),
    )


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
