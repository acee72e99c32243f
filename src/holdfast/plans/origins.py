"""Where requests go instead of the servers that a plan or a recording names; pure.

    shop.example=http://127.0.0.1:8000            every scheme and port of this host
    shop.example:8443=http://127.0.0.1:8000       this port alone
    https://shop.example=http://127.0.0.1:8000    this origin alone
    shop.example                                  kept as it is

The most particular one decides. An origin is a scheme, a host and a port (RFC 6454, 4), written as `server_name` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen
from holdfast.model.suggestions import did_you_mean
from holdfast.plans.samplers import PORTS, server_name

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")
_LAST_PORT = 65535


@frozen
class Mapped:
    """One server that is replaced.

    Attributes:
        text: as it was written.
        server: `host`, `host:port` or a whole origin, in lower case.
        target: scheme, host and port; None keeps the server as it is.
    """

    text: str
    server: str
    target: str | None


@frozen
class Origins:
    """Which servers are replaced.

    Attributes:
        base: replaces the page's server, or all servers of a plan; None replaces none.
        mapped: servers that are sent too, each with its target.
    """

    base: str | None = None
    mapped: tuple[Mapped, ...] = ()

    def target(self, origin: str) -> str | None:
        """Where requests to this origin go by `mapped`; None where it names no such server."""
        known = {each.server: each.target for each in self.mapped}
        for name in _names_of(origin):
            if name in known:
                return known[name] or origin
        return None

    def instead(self, origin: str) -> str | None:
        """Where a plan's requests to this origin go; None leaves them out.

        The base replaces every server of a plan that `mapped` does not name: a plan has no page to choose one by.
        """
        return self.target(origin) or self.base or (None if self.mapped else origin)


AS_RECORDED = Origins()
"""Nothing is replaced."""


def mapped(text: str) -> Mapped:
    """One `HOST=URL` as a person writes it.

    Raises:
        ValueError: it is not one.
    """
    server, equals, target = text.partition("=")
    server = server.strip().lower()
    origin = _origin(server) if "://" in server else None
    if "://" in server and origin is None:
        raise ValueError(f"{text!r}: {server!r} is not a scheme, a host and a port, as in https://shop.example:8443.")
    if origin is None and not _is_host(server):
        raise ValueError(f"{text!r} is not HOST=URL: write it as shop.example=http://127.0.0.1:8000.")
    if not equals:
        return Mapped(text, origin or server, None)
    return Mapped(text, origin or server, base(target.strip()))


def base(text: str) -> str:
    """The URL of a server alone, as `server_name` writes it; or `unix:` and the path of its socket.

    Raises:
        ValueError: it is not one, or has more than scheme, host and port.
    """
    if (found := _origin(text)) is not None or (text.startswith("unix:/") and ":/" not in text[len("unix:") :]):
        return found or text
    begin = re.match(r"https?://[^/?#\s]+(?=[/?#])", text, re.IGNORECASE)
    if begin is not None and _origin(begin[0]) is not None:
        raise ValueError(
            f"{text!r} has more than a scheme, a host and a port. The paths are those of the file: write {begin[0]}."
        )
    raise ValueError(f"{text!r} is not the URL of a server: write it as http://127.0.0.1:8000.")


def origins(base_url: str | None, pairs: Sequence[Mapped]) -> Origins:
    """The servers that are replaced.

    Raises:
        ValueError: one is named twice.
    """
    seen: dict[str, str] = {}
    for each in pairs:
        if each.server in seen:
            raise ValueError(f"{each.server} is mapped twice: {seen[each.server]} and {each.text}.")
        seen[each.server] = each.text
    return Origins(base_url, tuple(pairs))


def check_matches(chosen: Origins, found: Iterable[str], file: str) -> None:
    """Makes sure that each server that is mapped is there.

    Args:
        found: the origins in the file.

    Raises:
        UsageError: one is not.
    """
    known = list(dict.fromkeys(found))
    names = {name for origin in known for name in _names_of(origin)}
    for each in chosen.mapped:
        if each.server not in names:
            hosts = list(dict.fromkeys(_names_of(origin)[-1] for origin in known))
            raise UsageError(
                f"--map {each.text} matches nothing in {file}.",
                f"Its requests go to {', '.join(known) or 'no server'}.",
                did_you_mean(each.server, hosts, "Name one of these."),
            )


def replaced_headers(names: Iterable[str], targets: Mapping[str, str]) -> str | None:
    """What is to be said of fields that still name a server that was replaced; None if there are none."""
    left = sorted({name.title() for name in names if name.lower() in ("origin", "referer")})
    if not left or all(origin == target for origin, target in targets.items()):
        return None
    return f"{' and '.join(left)} of requests still name the recorded server; -H replaces them"


def _names_of(origin: str) -> tuple[str, ...]:
    """How an origin can be named, the most particular name first."""
    url = urlsplit(origin)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    return origin.lower(), f"{host}:{url.port or PORTS[url.scheme]}", host


def _origin(text: str) -> str | None:
    """A URL without a path, as `server_name` writes it; None if it is not one."""
    scheme, _, rest = text.lower().partition("://")
    rest = rest.removesuffix("/")
    if scheme not in PORTS or not _is_host(rest):
        return None
    url = urlsplit(f"{scheme}://{rest}")
    return server_name(scheme, url.hostname or "", url.port or 0)


def _is_host(text: str) -> bool:
    found = _HOST.fullmatch(text)
    return found is not None and (found[2] is None or 1 <= int(found[2]) <= _LAST_PORT)
