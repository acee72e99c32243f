"""The servers that can be named in `--server`."""

from __future__ import annotations

import difflib

from holdfast.errors import UsageError
from holdfast.servers import flask, uwsgi
from holdfast.servers.adapter import Adapter

ADAPTERS: dict[str, Adapter] = {adapter.name: adapter for adapter in (flask.ADAPTER, uwsgi.ADAPTER)}


def adapter_named(name: str) -> Adapter:
    """The adapter of that name.

    Raises:
        UsageError: there is none.
    """
    if name in ADAPTERS:
        return ADAPTERS[name]
    near = difflib.get_close_matches(name, ADAPTERS, n=1)
    raise UsageError(
        f"holdfast knows no server {name!r}.",
        f"It can start: {', '.join(sorted(ADAPTERS))}.",
        f"Did you mean --server {near[0]}?" if near else "Name one of them with --server.",
    )
