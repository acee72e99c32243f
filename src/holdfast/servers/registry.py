"""The servers that `--server` can name: ours, and those that other distributions add.

A distribution adds one by an entry point of the group `holdfast.servers`: its name is the server's, its object an
`Adapter`. One that cannot be used is reported in `holdfast servers`, and when it is asked for; the others still work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.model.suggestions import did_you_mean
from holdfast.servers.adapter import Adapter

GROUP = "holdfast.servers"

# Each is a module of this package.
# fmt: off
_NAMES = (
    "flask", "django", "gunicorn", "uwsgi", "waitress", "mod_wsgi", "uvicorn", "hypercorn",
    "granian", "h2corn", "daphne", "cheroot", "gevent", "eventlet", "twisted", "tornado",
    "aiohttp", "sanic", "bjoern", "fastpysgi", "pyvoy", "werkzeug", "wsgiref",
)
# fmt: on


class _Adapters(Mapping[str, Adapter]):
    """Adapters that are imported when they are asked for: a probe needs one of them."""

    def __getitem__(self, name: str) -> Adapter:
        if name not in _NAMES:
            raise KeyError(name)
        adapter: Adapter = import_module(f"{__package__}.{name}").ADAPTER
        return adapter

    def __contains__(self, name: object) -> bool:
        return name in _NAMES

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


ADAPTERS: Mapping[str, Adapter] = _Adapters()
"""Ours, by name."""


def brought_adapters() -> tuple[dict[str, Adapter], dict[str, str]]:
    """The adapters of other distributions by name, and the reasons for those that cannot be used."""
    from importlib import metadata  # noqa: PLC0415 - 40 modules, only for servers that are not ours

    adapters: dict[str, Adapter] = {}
    broken: dict[str, str] = {}
    for point in metadata.entry_points(group=GROUP):
        try:
            found = point.load()
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything
            broken[point.name] = f"{point.value} cannot be loaded: {type(error).__name__}: {error}"
            continue
        if not isinstance(found, Adapter):
            broken[point.name] = f"{point.value} is not a holdfast.servers.adapter.Adapter but a {type(found).__name__}"
        elif found.name != point.name:
            broken[point.name] = f"{point.value} calls itself {found.name!r}"
        elif point.name in ADAPTERS or point.name in adapters:
            broken[point.name] = f"{point.value}: a server of that name exists already and is kept"
        else:
            adapters[point.name] = found
    return adapters, broken


def adapter_named(name: str) -> Adapter:
    """The adapter of a server.

    Raises:
        UsageError: no server has that name.
        EnvironmentFailure: another distribution adds it, and it cannot be used.
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
            "Fix or update the distribution that adds it; `holdfast servers` lists them all.",
        )
    known = [*ADAPTERS, *brought]
    raise UsageError(
        f"Unknown server {name!r}.",
        "",
        did_you_mean(name, known, "Name another with --server.", "--server {}")
        + f"\nholdfast can start {', '.join(sorted(known))}.",
    )
