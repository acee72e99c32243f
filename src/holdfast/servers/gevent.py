"""gevent's own WSGI server, `gevent.pywsgi.WSGIServer`: a greenlet for each connection.

`spawn=N` makes a pool of N; while it is full nothing is accepted (gevent/baseserver.py, _do_read).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Package, Setting, as_given, by_module, spellings


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return as_given(
        arguments,
        Setting("spawn", None, Place.IN_SERVICE, spellings("spawn", "pool")),
        Setting("backlog", 128, Place.ACCEPT_QUEUE, spellings("backlog")),
    )


ADAPTER = Adapter(
    name="gevent",
    packages=(Package("gevent", "gevent", "gevent"),),
    launch=by_module("gevent"),
    settings=_settings,
)
