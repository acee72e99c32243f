"""The standard library's `wsgiref.simple_server`: one request at a time.

Its backlog is 5, and SOMAXCONN from Python 3.15 on. Source: socketserver.py, TCPServer.request_queue_size, which
http/server.py leaves as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Package, Setting, by_module


def _settings(_arguments: Sequence[str]) -> tuple[Setting, ...]:
    # The arguments do not tell which Python will run it.
    return (Setting("request_queue_size", None, Place.ACCEPT_QUEUE),)


ADAPTER = Adapter(
    name="wsgiref",
    packages=(Package("wsgiref", "", "python"),),
    launch=by_module("wsgiref"),
    settings=_settings,
)
