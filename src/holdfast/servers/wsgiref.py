"""The standard library's `wsgiref.simple_server`: one request at a time, a backlog of 5.

Source: http/server.py and socketserver.py, TCPServer.request_queue_size.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Package, Setting, by_module


def _settings(_arguments: Sequence[str]) -> tuple[Setting, ...]:
    return (Setting("request_queue_size", 5, Place.ACCEPT_QUEUE),)


ADAPTER = Adapter(
    name="wsgiref",
    packages=(Package("wsgiref", "", "python"),),
    launch=by_module("wsgiref"),
    settings=_settings,
)
