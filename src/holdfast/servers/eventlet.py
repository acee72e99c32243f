"""eventlet's WSGI server, `eventlet.wsgi.server`: a green thread for each connection, from a pool.

`max_size` is the pool's size, 1024 by default (eventlet/wsgi.py, DEFAULT_MAX_SIMULTANEOUS_REQUESTS).

The hub (EVENTLET_HUB) bounds nothing: it has a table entry for each descriptor (eventlet/hubs/hub.py, BaseHub.add).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import Adapter, Package, Setting, as_given, by_module, spellings
from holdfast.servers.timeouts import timeouts


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return as_given(
        arguments,
        Setting("max_size", 1024, Place.IN_SERVICE, spellings("max_size")),
        Setting("backlog", 50, Place.ACCEPT_QUEUE, spellings("backlog")),
    )


ADAPTER = Adapter(
    name="eventlet",
    packages=(Package("eventlet", "eventlet", "eventlet"),),
    launch=by_module("eventlet"),
    settings=_settings,
    timeouts=timeouts(
        # eventlet/wsgi.py, server(): none unless it is given.
        Timeout(
            "socket_timeout",
            None,
            ("nothing", "half a request", "idle", "unread"),
            options=("--socket-timeout", "socket_timeout"),
        ),
    ),
)
