"""Where a server is, as a person writes it: `http://`, `https://` or `unix:`; pure.

    http://HOST[:PORT][/PATH]      https://HOST[:PORT][/PATH]
    unix:/PATH/TO.sock             unix:/PATH/TO.sock:/HTTP/PATH

A socket's own path may hold colons: the HTTP path begins behind the last `:` that a `/` follows.
"""

from __future__ import annotations

import re

from holdfast.errors import UsageError
from holdfast.model.frozen import frozen

DEFAULT_PORTS = {"http": 80, "https": 443}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_AUTHORITY = re.compile(r"//([^/?#]*)(.*)", re.DOTALL)
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*)(?::(.*))?")
_HOST = re.compile(r"[A-Za-z0-9._-]+")
_EXAMPLE = "Write it as http://127.0.0.1:8000/path, https://HOST/path or unix:/path/to.sock:/path."


@frozen
class Url:
    """A server and a path on it.

    Attributes:
        scheme: "http", "https" or "unix".
        host: name or number without brackets; "" of a Unix socket.
        port: 0 of a Unix socket.
        path: path and query as they go on the wire.
        socket: file of the Unix socket; "" of the others.
    """

    scheme: str
    host: str
    port: int
    path: str
    socket: str = ""

    @property
    def host_field(self) -> str:
        """Value of the Host field (RFC 9110, 7.2): the port only where it is not the scheme's own."""
        if self.socket:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    @property
    def host_and_port(self) -> str:
        """Where it listens, in words: "127.0.0.1:8000", "[::1]:80", or the Unix socket's path."""
        return self.socket or f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def server(self) -> str:
        """The server alone, without the path."""
        return f"unix:{self.socket}" if self.socket else f"{self.scheme}://{self.host_field}"


def parse_url(text: str) -> Url:
    """Takes a URL apart.

    Raises:
        UsageError: it is not a URL, or holds something that cannot be requested.
    """
    if not text.isascii() or any(c.isspace() or not c.isprintable() for c in text):
        raise _wrong(text, "It holds a space or a character that is not ASCII.", "Write such a character as %20.")
    found = _SCHEME.fullmatch(text)
    if not found or (not found[2].startswith("/") and found[1].lower() not in {*DEFAULT_PORTS, "unix"}):
        raise _wrong(text, "It does not begin with http://, https:// or unix:.", _suggested(text))
    scheme, rest = found[1].lower(), found[2]
    if "#" in rest:
        raise _wrong(
            text, "It holds a #, and clients do not send that part.", "Leave it out; %23 is the character itself."
        )
    if scheme == "unix":
        return _unix(text, rest)
    if scheme not in DEFAULT_PORTS:
        raise _wrong(text, f"{scheme}: is not supported; requests are HTTP/1.1.", _EXAMPLE)
    authority = _AUTHORITY.fullmatch(rest)
    if not authority:
        raise _wrong(text, f"{scheme}: must be followed by two slashes and a host.", _EXAMPLE)
    host, port = _host_and_port(text, scheme, authority[1])
    path = authority[2] or "/"
    return Url(scheme, host, port, path if path.startswith("/") else f"/{path}")


def _host_and_port(text: str, scheme: str, authority: str) -> tuple[str, int]:
    if "@" in authority:
        raise _wrong(
            text,
            "It holds a user name or password, which would be sent as a header.",
            "Leave that out, and give the header: -H 'Authorization: ...'.",
        )
    found = _HOST_AND_PORT.fullmatch(authority)
    host = found[1].strip("[]") if found else ""
    if not found or not host or not (found[1].startswith("[") or _HOST.fullmatch(host)):
        raise _wrong(text, f"{authority!r} is not a host." if authority else "It names no host.", _EXAMPLE)
    if found[2] is None:
        return host, DEFAULT_PORTS[scheme]
    if not found[2].isdecimal() or not 1 <= int(found[2]) <= 65535:
        raise _wrong(text, f"{found[2]!r} is not a port: it must be a number from 1 to 65535.", _EXAMPLE)
    return host, int(found[2])


def _unix(text: str, rest: str) -> Url:
    # unix:///path is how some servers write what others write as unix:/path.
    file, path = "/" + rest.lstrip("/") if rest.startswith("//") else rest, "/"
    cut = file.rfind(":/")
    if cut > 0:
        file, path = file[:cut], file[cut + 1 :]
    if not file.strip("/"):
        raise _wrong(text, "It names no socket.", _EXAMPLE)
    return Url("unix", "", 0, path, file)


def _suggested(text: str) -> str:
    host = text.partition("/")[0]
    if text.startswith("/"):
        return f"For a Unix socket, write unix:{text}."
    return f"Did you mean http://{text}?" if _HOST_AND_PORT.fullmatch(host) and host else _EXAMPLE


def _wrong(text: str, why: str, remedy: str) -> UsageError:
    return UsageError(f"{text!r} is not a valid URL.", why, remedy)
