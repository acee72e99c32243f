"""gevent's own WSGI server, `gevent.pywsgi.WSGIServer`: a greenlet for each connection.

`spawn=N` makes a pool of N; while it is full nothing is accepted (gevent/baseserver.py, _do_read).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Package, Setting, by_module
from holdfast.servers.address import option_number


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    pool = option_number(arguments, "--spawn", "spawn", "--pool", "pool")
    backlog = option_number(arguments, "--backlog", "backlog", default=128)
    return (Setting("spawn", pool, Place.IN_SERVICE), Setting("backlog", backlog, Place.ACCEPT_QUEUE))


ADAPTER = Adapter(
    name="gevent",
    packages=(Package("gevent", "gevent", "gevent"),),
    launch=by_module("gevent"),
    settings=_settings,
)
