"""Which server a URL means, and whether it may be loaded."""

from __future__ import annotations

import _socket as socket  # as in `endpoint`
import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from stat import S_ISSOCK

from holdfast.engine.endpoint import Tls, resolve
from holdfast.engine.url import Url, parse_url
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.model.frozen import frozen

ATTEMPT_S = 2.0
_HOSTS = Path("/etc/hosts")


@frozen
class Target:
    """Where requests go.

    Attributes:
        addresses: in the order in which they are tried.
    """

    url: Url
    addresses: tuple[str, ...]
    tls: Tls | None


def target_of(text: str, allowed_host: str | None, harm: str, *, verify: bool = True) -> Target:
    """The server that a URL means.

    Args:
        allowed_host: a host that may be loaded although it is not loopback; None allows none.
        harm: what the load would do to a server that others use, in words.
        verify: False accepts any certificate.

    Raises:
        UsageError: it is not a URL, or means a machine that was not allowed by name.
        EnvironmentFailure: there is no such host or socket.
    """
    url = parse_url(text)
    if url.socket:
        url = replace(url, socket=url.socket if url.socket.startswith("@") else str(Path(url.socket).absolute()))
        _check_socket(url.socket)
        return Target(url, (url.socket,), None)
    if allowed_host != url.host and not _may_be_loopback(url.host):
        raise _away(url, "", harm)
    addresses = _resolved(url, allowed=allowed_host == url.host)
    # Decided by the addresses themselves, which are also what is connected to: a name may mean another one next time.
    elsewhere = [each for each in addresses if not ip_address(each.partition("%")[0]).is_loopback]
    if elsewhere and allowed_host != url.host:
        raise _away(url, elsewhere[0], harm)
    tls = Tls(url.host, verify=verify) if url.scheme == "https" else None
    return Target(url, addresses, tls)


def prefer_listening(target: Target) -> Target:
    """Tries the addresses by connecting; returns the target with the first one that listens in front.

    A name often has an address of each family (`localhost` is ::1 and 127.0.0.1), and the server may listen on only
    one. The connections send nothing. A single address is not tried.
    """
    for address in target.addresses if len(target.addresses) > 1 else ():
        if not _listens(address, target.url.port):
            continue
        return replace(target, addresses=tuple(dict.fromkeys((address, *target.addresses))))
    return target


def check_sources(sources: Sequence[str], target: Target) -> None:
    """Checks that connections to the server can come from these addresses.

    Raises:
        UsageError: they are of another family, or the server listens on a Unix socket.
        EnvironmentFailure: one is not this machine's.
    """
    address = target.addresses[0]
    for source in sources:
        if target.url.socket:
            raise UsageError(f"{address} is a Unix socket.", "It has no source addresses.", "Leave --source out.")
        if (":" in source) != (":" in address):
            names = {True: "IPv6", False: "IPv4"}
            raise UsageError(
                f"{source} is {names[':' in source]}, and {address} is {names[':' in address]}.",
                "A connection has one family at both ends.",
                "Name a source of the server's family, or the server by its other address.",
            )
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        sock = socket.SocketType(family)
        try:
            sock.bind((source, 0))
        except OSError as error:
            raise EnvironmentFailure(
                f"{source} is not an address of this machine.",
                f"{error.strerror}.",
                "'ip address' lists them; on Linux all of 127.0.0.0/8 are included.",
            ) from error
        finally:
            sock.close()


def _listens(address: str, port: int) -> bool:
    family, peer = resolve(address, port)
    try:
        sock = socket.SocketType(family)
    except OSError:  # this machine does without the family
        return False
    try:
        sock.settimeout(ATTEMPT_S)
        sock.connect(peer)
    except OSError:
        return False
    finally:
        sock.close()
    return True


def _may_be_loopback(host: str) -> bool:
    """Whether a host's addresses decide; False for a number that is not loopback, and for a name out of the network.

    Such a name is not looked up before it is allowed. Names without a dot are, and so are this machine's own: a
    project's name is often loopback in /etc/hosts (hosts(5)), and *.localhost always is (RFC 6761, 6.3).
    """
    name = host.rstrip(".").lower()
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        last = name.rpartition(".")[2]
        # inet_aton(3) takes 127.1 for a number too.
        return "." not in name or last == "localhost" or last.isdecimal() or name in _names_of_this_machine()


def _names_of_this_machine() -> set[str]:
    names = {socket.gethostname().lower()}
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in _HOSTS.read_text().splitlines():
            names.update(line.partition("#")[0].lower().split()[1:])
    return names


def _away(url: Url, address: str, harm: str) -> UsageError:
    return UsageError(
        f"{url.host} is not this machine's loopback{'' if address in ('', url.host) else f': {address}'}.",
        harm,
        f"If it is yours and not in use by others: --allow-remote {url.host}.",
    )


def _resolved(url: Url, *, allowed: bool) -> tuple[str, ...]:
    try:
        # Of a str, even of a number, getaddrinfo() makes IDNA, whose tables take 5 ms to import.
        host = url.host.encode() if url.host.isascii() else url.host
        found = socket.getaddrinfo(host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        also = "" if allowed else f" A host other than this machine also needs --allow-remote {url.host}."
        raise EnvironmentFailure(
            f"Cannot resolve the host {url.host!r}.",
            f"{words}.",
            f"Check its spelling, or give its IP address.{also}",
        ) from error
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


def _check_socket(path: str) -> None:
    if path.startswith("@"):
        return
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise EnvironmentFailure(
            f"There is no Unix socket {path}.",
            f"{error.strerror}.",
            "Start the server, or name the socket that it listens on; a colon separates the HTTP path: "
            "unix:/run/shop.sock:/orders.",
        ) from error
    if not S_ISSOCK(mode):
        raise UsageError(f"{path} is not a socket.", "Something else has that name.", "Name the server's socket.")
    if not os.access(path, os.W_OK):
        raise EnvironmentFailure(
            f"You may not connect to {path}.", "It takes write permission on the socket (unix(7)).", "Ask its owner."
        )
