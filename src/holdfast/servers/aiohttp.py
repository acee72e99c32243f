"""aiohttp's own server, `aiohttp.web.run_app`: one process, one event loop, and no bound of its own.

The backlog is 128 (aiohttp/web.py, run_app).
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.places import Place
from holdfast.servers.adapter import FRAMEWORKS, Adapter, Package, Setting, by_module
from holdfast.servers.address import option_number


def _settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
    return (Setting("backlog", option_number(arguments, "--backlog", "backlog", default=128), Place.ACCEPT_QUEUE),)


ADAPTER = Adapter(
    name="aiohttp",
    packages=(Package("aiohttp", "aiohttp", "aiohttp"),),
    frameworks={"aiohttp": FRAMEWORKS["aiohttp"]},
    launch=by_module("aiohttp", "aiohttp"),
    settings=_settings,
)
