"""eventlet's WSGI server, `eventlet.wsgi.server`: a green thread for each connection, from a pool.

`max_size` is the pool's size, 1024 by default (eventlet/wsgi.py, DEFAULT_MAX_SIMULTANEOUS_REQUESTS).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import Adapter, Package, Setting, by_module
from holdfast.servers.address import option_number
from holdfast.servers.timeouts import timeouts


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    size = option_number(arguments, "--max-size", "max_size", default=1024)
    backlog = option_number(arguments, "--backlog", "backlog", default=50)
    return (Setting("max_size", size, Place.IN_SERVICE), Setting("backlog", backlog, Place.ACCEPT_QUEUE))


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
