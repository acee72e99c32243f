"""The servers that can be named in `--server`: ours, and those that other distributions bring.

A distribution brings one by an entry point of the group `holdfast.servers`: its name is the
server's, its object an `Adapter`. One that cannot be used is reported by name when it is asked for
and in `holdfast servers`; it never stands in the way of the others.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import metadata

from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.servers import (
    aiohttp,
    bjoern,
    cheroot,
    daphne,
    django,
    eventlet,
    fastpysgi,
    flask,
    gevent,
    granian,
    gunicorn,
    h2corn,
    hypercorn,
    mod_wsgi,
    sanic,
    tornado,
    twisted,
    uvicorn,
    uwsgi,
    waitress,
    werkzeug,
    wsgiref,
)
from holdfast.servers.adapter import Adapter

GROUP = "holdfast.servers"

_MODULES = (
    flask,
    django,
    gunicorn,
    uwsgi,
    waitress,
    mod_wsgi,
    uvicorn,
    hypercorn,
    granian,
    h2corn,
    daphne,
    cheroot,
    gevent,
    eventlet,
    twisted,
    tornado,
    aiohttp,
    sanic,
    bjoern,
    fastpysgi,
    werkzeug,
    wsgiref,
)
ADAPTERS: dict[str, Adapter] = {module.ADAPTER.name: module.ADAPTER for module in _MODULES}
"""Ours, by name."""


def brought_adapters(
    entry_points: Iterable[metadata.EntryPoint] | None = None,
) -> tuple[dict[str, Adapter], dict[str, str]]:
    """The adapters of other distributions, and of those that cannot be used the reason, by name.

    Args:
        entry_points: None are the installed ones.
    """
    adapters: dict[str, Adapter] = {}
    broken: dict[str, str] = {}
    for point in metadata.entry_points(group=GROUP) if entry_points is None else entry_points:
        try:
            found = point.load()
        except Exception as error:  # noqa: BLE001 - it is somebody else's code
            broken[point.name] = f"{point.value} cannot be loaded: {type(error).__name__}: {error}"
            continue
        if not isinstance(found, Adapter):
            broken[point.name] = f"{point.value} is no holdfast.servers.adapter.Adapter but {type(found).__name__}"
        elif found.name != point.name:
            broken[point.name] = f"{point.value} calls itself {found.name!r}"
        elif point.name in ADAPTERS or point.name in adapters:
            broken[point.name] = f"{point.value}: there is a server of that name already, which stays"
        else:
            adapters[point.name] = found
    return adapters, broken


def adapter_named(name: str) -> Adapter:
    """The adapter of that name.

    Raises:
        UsageError: there is none.
        EnvironmentFailure: another distribution brings it, and it cannot be used.
    """
    if name in ADAPTERS:
        return ADAPTERS[name]
    brought, broken = brought_adapters()
    if name in brought:
        return brought[name]
    if name in broken:
        raise EnvironmentFailure(
            f"The adapter for the server {name!r} cannot be used.",
            broken[name],
            "Mend or update the distribution that brings it; `holdfast servers` lists them all.",
        )
    known = [*ADAPTERS, *brought]
    near = difflib.get_close_matches(name, known, n=1)
    raise UsageError(
        f"holdfast knows no server {name!r}.",
        f"It can start: {', '.join(sorted(known))}.",
        f"Did you mean --server {near[0]}?" if near else "Name one of them with --server.",
    )
