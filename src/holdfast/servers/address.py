"""Where a server's own arguments let it listen, and what is added if they do not say. Pure.

A port 0 is replaced by a free port, so that a person can choose the kind of listener and leave the port to us, and a
Unix socket `unix:0` by one in the run's directory; any other address is kept. Only arguments that name a listener are
changed: elsewhere the same text means something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from holdfast.errors import UsageError
from holdfast.model.address import NO_PORT
from holdfast.model.frozen import frozen

LOOPBACK = "127.0.0.1"
FREE_SOCKET = "unix:0"
_FALSE = ("false", "0", "no", "off")


@frozen
class Listening:
    """One listener of a server.

    Attributes:
        added: arguments that are put before the person's own.
        arguments: the person's own, a listener's port 0 replaced.
        address, port: where to connect to, as of `model.address`; only that a path is as it was given, and may be
            relative to the server's directory.
    """

    added: tuple[str, ...]
    arguments: tuple[str, ...]
    address: str
    port: int


class _Given(NamedTuple):
    """One option as it was given: its value is `arguments[at]` behind `stem`."""

    at: int
    stem: str
    value: str


def option_value(arguments: Sequence[str], *names: str) -> str | None:
    """Value of the last of these options; None if absent.

    As `--name VALUE`, `--name=VALUE`, `name=VALUE`, and of a single letter `-nVALUE`.
    """
    values = [each.value for each in _given(arguments, names)]
    return values[-1] if values else None


def option_number(arguments: Sequence[str], *names: str, default: int | None = None) -> int | None:
    """The same as a whole number; `default` where it is absent or no number (the server will say so)."""
    value = option_value(arguments, *names)
    return int(value) if value is not None and value.isdecimal() else default


def with_value(arguments: Sequence[str], names: Sequence[str], value: int | str) -> tuple[str, ...]:
    """The arguments with another value for an option: in the place of each value given, else added in front.

    Args:
        names: spellings of the option, the one to add it with first; at least one.
    """
    filled, given = list(arguments), list(_given(arguments, names))
    for at, stem, _ in given:
        filled[at] = f"{stem}{value}"
    return tuple(filled) if given else (names[0], str(value), *filled)


def switch_value(arguments: Sequence[str], switches: Mapping[str, bool]) -> bool | None:
    """What the last of these switches says; None if none is given.

    As `--name`, `name`, and `name=False`, with dashes or underscores: as holdfast_inside/options.py reads them.

    Args:
        switches: what each says, by its name with dashes within and none in front.
    """
    said = None
    for each in arguments:
        name, equals, value = each.lstrip("-").replace("_", "-").partition("=")
        if name in switches:
            said = switches[name] == (value.lower() not in _FALSE) if equals else switches[name]
    return said


def has_option(arguments: Sequence[str], *names: str) -> str | None:
    """The first argument that is one of these options, with or without a value; None if there is none."""
    return next((each for each in arguments if each in names or each.partition("=")[0] in names), None)


def by_address(
    arguments: Sequence[str], port: int, *names: str, socket: str = "", spelling: str = "unix:{}"
) -> Listening:
    """Of a server whose options `names` take `HOST:PORT`; the first of these is the one that is added.

    Args:
        socket: path of an unused Unix socket.
        spelling: how these options take a path.

    Raises:
        UsageError: one of the person's addresses is neither `HOST:PORT` nor a Unix socket.
    """

    def fill(value: str, port: int) -> str:
        return spelling.format(socket) if socket and value == FREE_SOCKET else with_port(value, port)

    return _by(arguments, port, names, fill, address_in, f"{LOOPBACK}:{port}")


def by_endpoint(arguments: Sequence[str], port: int, *names: str, socket: str = "") -> Listening:
    """Of a server whose options `names` take Twisted's endpoints, such as `tcp:0:interface=127.0.0.1`.

    Raises:
        UsageError: one of the person's endpoints is neither TCP nor a Unix socket.

    Source: twisted/internet/endpoints.py, serverFromString().
    """

    def fill(value: str, port: int) -> str:
        if socket and value.partition(":mode=")[0] == FREE_SOCKET:
            return value.replace(FREE_SOCKET, f"unix:{socket}", 1)
        return _endpoint_with_port(value, port)

    return _by(arguments, port, names, fill, _endpoint_address, f"tcp:{port}:interface={LOOPBACK}")


def by_host_and_port(
    arguments: Sequence[str], port: int, hosts: Sequence[str] = ("--host",), ports: Sequence[str] = ("--port",)
) -> Listening:
    """Of a server with an option for the host and one for the port; the first names are those that are added."""
    filled = list(arguments)
    own_host, own_port = option_value(arguments, *hosts), None
    for at, stem, value in _given(arguments, ports):
        own_port = int(value) if value.isdecimal() else None
        if own_port == 0:
            own_port, filled[at] = port, f"{stem}{port}"
    if (own_host or "").startswith("unix:"):
        return Listening((), tuple(filled), *address_in(own_host or ""))
    host = (own_host or LOOPBACK).strip("[]")
    added = () if own_host is not None else (hosts[0], LOOPBACK)
    if own_port is None:
        added = (*added, ports[0], str(port))
    is_ipv6 = ":" in host and "/" not in host
    address, found = address_in(f"[{host}]:{own_port or port}" if is_ipv6 else f"{host}:{own_port or port}")
    return Listening(added, tuple(filled), address, found)


def by_socket_file(arguments: Sequence[str], socket: str, *names: str) -> Listening | None:
    """Of a server whose options `names` take the path of a Unix socket; None where none of them is given.

    Args:
        socket: path of an unused one, for `unix:0`.
    """
    filled, own = list(arguments), None
    for at, stem, value in _given(arguments, names):
        own = socket if socket and value == FREE_SOCKET else value
        filled[at] = stem + own
    return None if own is None else Listening((), tuple(filled), own, NO_PORT)


def no_descriptor(arguments: Sequence[str], *names: str) -> None:
    """Raises UsageError if one of these options, which let the server listen on an inherited descriptor, is given."""
    if found := has_option(arguments, *names):
        raise UsageError(
            f"{found} lets the server listen on a descriptor that holdfast does not give it.",
            "holdfast probes TCP ports and Unix sockets that the server opens itself, not inherited ones.",
            f"Leave {found} out: holdfast adds an address.",
        )


_ADDRESS = re.compile(r"^(?P<host>\[[^\]]*\]|[^:\[\]=,]*):(?P<port>\d+)(?P<rest>,.*)?$")


_UNIX = re.compile(r"^(?:unix:(?://)?(?P<prefixed>.+)|(?P<bare>@[^:]+|[^:]*/[^:]*|[^:]+\.sock))$")


def with_port(value: str, port: int) -> str:
    """The address with a port 0 replaced, as in `:0`, `127.0.0.1:0`, `[::1]:0`."""
    match = _ADDRESS.match(value)
    if not match or int(match["port"]) != 0:
        return value
    return f"{match['host']}:{port}{match['rest'] or ''}"


def address_in(value: str) -> tuple[str, int]:
    """Host to connect to and port of `HOST:PORT`, or path and NO_PORT of a Unix socket.

    Every-address hosts and "localhost" become a loopback address. A Unix socket is `unix:PATH`, `unix://PATH`, or
    what can be nothing else: a path with a directory, or ending in `.sock`, or an abstract name, `@NAME`.

    Raises:
        UsageError: it is neither.
    """
    if unix := _UNIX.match(value):
        return unix["prefixed"] or unix["bare"], NO_PORT
    match = _ADDRESS.match(value)
    if not match:
        raise UsageError(
            f"The server's address {value!r} is neither HOST:PORT nor a Unix socket.",
            "holdfast must know where to connect. It does not probe inherited descriptors.",
            "Write 127.0.0.1:0 or unix:0 (holdfast fills in a free port or path), or leave it out.",
        )
    host = match["host"].strip("[]")
    # Servers take the IPv4 address of "localhost", where a client may prefer the other one.
    loopback = {"": LOOPBACK, "0.0.0.0": LOOPBACK, "*": LOOPBACK, "localhost": LOOPBACK, "::": "::1"}  # noqa: S104
    return loopback.get(host, host), int(match["port"])


def _given(arguments: Sequence[str], names: Sequence[str]) -> Iterator[_Given]:
    after = None
    for index, argument in enumerate(arguments):
        if after is not None:
            yield _Given(index, "", argument)
            after = None
        elif argument in names:
            after = argument
        else:
            name, equals, value = argument.partition("=")
            if equals and name in names:
                yield _Given(index, f"{name}=", value)
            elif argument[:2] in names and argument[:2] != "--":
                yield _Given(index, argument[:2], argument[2:])


def _by(
    arguments: Sequence[str],
    port: int,
    names: Sequence[str],
    fill: Callable[[str, int], str],
    address_of: Callable[[str], tuple[str, int]],
    default: str,
) -> Listening:
    filled = list(arguments)
    own = []
    for at, stem, value in _given(arguments, names):
        own.append(fill(value, port))
        filled[at] = stem + own[-1]
    if not own:
        return Listening((names[0], default), tuple(filled), *address_of(default))
    # Of several, the one on the port that was asked for, if there is one.
    found = [address_of(each) for each in own]
    address, own_port = next((each for each in found if each[1] == port), found[0])
    return Listening((), tuple(filled), address, own_port)


_ENDPOINT = re.compile(r"^(?P<kind>tcp6?|ssl):(?P<key>port=)?(?P<port>\d+)(?P<rest>:.*)?$")
_BARE_PORT = re.compile(r"^\d+$")


def _endpoint_with_port(value: str, port: int) -> str:
    match = _ENDPOINT.match(value)
    if match and int(match["port"]) == 0:
        return f"{match['kind']}:{match['key'] or ''}{port}{match['rest'] or ''}"
    return str(port) if _BARE_PORT.match(value) and int(value) == 0 else value


def _endpoint_address(value: str) -> tuple[str, int]:
    if _BARE_PORT.match(value):
        return LOOPBACK, int(value)
    if value.startswith("unix:"):
        return _fields(value)[1].removeprefix("address=").replace("\\:", ":"), NO_PORT
    match = _ENDPOINT.match(value)
    if not match:
        raise UsageError(
            f"The endpoint {value!r} is neither tcp:PORT nor unix:PATH.",
            "holdfast must know where to connect. It does not probe inherited descriptors.",
            f"Write tcp:0:interface={LOOPBACK} (holdfast fills in a free port), or leave it out.",
        )
    fields = dict(each.partition("=")[::2] for each in _fields(match["rest"] or ""))
    host = fields.get("interface", "::" if match["kind"] == "tcp6" else "").replace("\\:", ":")
    return address_in(f"[{host}]:{match['port']}" if ":" in host else f"{host}:{match['port']}")


def _fields(rest: str) -> list[str]:
    # A colon within a field is written \: there.
    return re.split(r"(?<!\\):", rest)
