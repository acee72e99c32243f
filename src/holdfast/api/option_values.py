"""What the options of a probe may be, on the command line or in a file. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.engine.http1 import request_head

MOST_OFFERED = 1_000_000
"""Each request takes 250 bytes of memory for its record."""

MOST_ATTACHED = 10_000
MOST_CALLED = 10_000
MOST_STREAMS = 1_000_000
LONGEST_START_S = 3600
MOST_HOPS = 50
"""More than any chain of redirects that ends (browsers give up after 20)."""

MOST_PORT = 65535

_OF_A_BODY = frozenset({"content-length", "transfer-encoding"})
_OWN_HEADERS = _OF_A_BODY | {"x-holdfast"}


def header_of(text: str) -> tuple[str, str]:
    """Name and value of a header as it is typed.

    Raises:
        ValueError: it is not 'Name: value', cannot be sent, or is one that holdfast sets.
    """
    header = name_and_value(text)
    if header[0].lower() in _OWN_HEADERS:
        raise ValueError(f"{header[0]} is set by holdfast itself: it sends numbered GET requests.")
    fits_into_a_request("/", [header])
    return header


def header_of_a_load(text: str) -> tuple[str, str]:
    """The same, of a load, whose requests may have bodies and no number.

    Raises:
        ValueError: it is not 'Name: value', or is one that follows from the body.
    """
    name, value = name_and_value(text)
    if name.lower() in _OF_A_BODY:
        raise ValueError(f"{name} follows from the body, so holdfast sets it.")
    return name, value


def name_and_value(text: str) -> tuple[str, str]:
    """The two parts of a header.

    Raises:
        ValueError: it is not 'Name: value'.
    """
    name, colon, content = text.partition(":")
    if not colon or not name.strip():
        raise ValueError(f"{text!r} is not 'Name: value'.")
    return name.strip(), content.strip()


def path_of(text: str) -> str:
    """A path, perhaps with a query, that can be sent.

    Raises:
        ValueError: it cannot.
    """
    if not text.startswith("/") or any(c.isspace() for c in text) or not text.isascii():
        raise ValueError(f"{text!r} must begin with / and contain no spaces (write them as %20).")
    if "#" in text:
        raise ValueError(f"{text!r} contains a #, which clients never send (write the character as %23).")
    fits_into_a_request(text, [])
    return text


def app_of(text: str) -> str:
    """An application's name.

    Raises:
        ValueError: it is empty, or a URL. A script's unset variable must not probe the built-in application unnoticed.
    """
    if not text.strip():
        raise ValueError("it is empty; omit it to use the built-in application.")
    if text.startswith(("http://", "https://")):
        raise ValueError(f"{text!r} is a URL; `holdfast attach URL` measures a server that is already running.")
    return text


def port_of(text: str) -> int | str:
    """A TCP port, or the path of a Unix socket: what contains a slash, or begins with unix: or @.

    Raises:
        ValueError: it is neither.
    """
    if text.startswith(("unix:", "@")) or "/" in text:
        return text
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PORT):
        raise ValueError(f"{text!r} is neither a port (1 to {MOST_PORT}) nor the path of a Unix socket.")
    return int(text)


def fits_into_a_request(path: str, headers: Sequence[tuple[str, str]]) -> None:
    """Makes sure that a path and headers leave the head of a request whole.

    Raises:
        ValueError: a part cannot be sent.
    """
    request_head("GET", path, "host", headers)
