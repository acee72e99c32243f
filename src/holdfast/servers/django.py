"""Django's development server, `manage.py runserver`: a thread for each connection, or one for all.

It is socketserver with a backlog of 10 (django/core/servers/basehttp.py, WSGIServer.request_queue_size),
and starts without its reloader, whose second process serves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.model.places import Place
from holdfast.servers.adapter import Adapter, Launch, Package, Setting, Start, by_module
from holdfast.servers.address import has_option, switch_value

_SWITCHES = {"nothreading": False, "threading": True, "use-threading": True}


def _launch(start: Start) -> Launch:
    launch = by_module("django")
    if has_option(start.arguments, "--ipv6", "-6") and not has_option(start.arguments, "--host"):
        # Its own default address goes by this option too.
        return launch(replace(start, arguments=("--host", "::1", *start.arguments)))
    return launch(start)


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    threading = switch_value(arguments, _SWITCHES)
    return (
        Setting("threading", int(threading is not False), Place.IN_SERVICE, words=("--nothreading", "--threading")),
        Setting("request_queue_size", 10, Place.ACCEPT_QUEUE),
    )


ADAPTER = Adapter(
    name="django",
    packages=(Package("django", "django", "django"),),
    frameworks={"wsgi": ("django",)},
    launch=_launch,
    settings=_settings,
)
