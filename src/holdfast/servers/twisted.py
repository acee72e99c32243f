"""Twisted's web server with a WSGI application: `twist web --wsgi`.

The reactor's thread accepts and reads everything; the application runs on a pool of at most 20
threads (twisted/web/tap.py, Options.opt_wsgi: `threadpool.ThreadPool()`; twisted/python/threadpool.py,
maxthreads=20), in front of which the pool's queue has no bound. No option of the command sets either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import TARGET, Adapter, Launch, Package, Setting, Start, launched
from holdfast.servers.address import by_endpoint, option_value
from holdfast.servers.timeouts import timeouts

_LISTEN = ("--listen", "--port", "-p")


def _launch(start: Start) -> Launch:
    listening = by_endpoint(start.arguments, start.port, *_LISTEN, socket=start.socket)
    return launched(start, listening, "-m", "twisted", "web", "--wsgi", TARGET.replace(":", "."), app="")


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    named = re.search(r":backlog=(\d+)", option_value(arguments, *_LISTEN) or "")
    return (
        Setting("maxthreads", 20, Place.IN_SERVICE),
        Setting("backlog", int(named[1]) if named else 50, Place.ACCEPT_QUEUE),
    )


ADAPTER = Adapter(
    name="twisted",
    packages=(Package("twisted", "twisted", "twisted"),),
    launch=_launch,
    settings=_settings,
    timeouts=timeouts(
        # twisted/web/http.py, _REQUEST_TIMEOUT; HTTPChannel.connectionMade().
        Timeout("timeOut", 60, ("nothing", "half a request", "idle")),
    ),
)
