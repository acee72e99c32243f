"""Where a redirect leads, and what is sent there; pure.

Source: RFC 9110, 15.4 and 10.2.2. Which fields are left out on the way to another server: the Fetch standard, "HTTP-
redirect fetch", and curl, which also keeps cookies that were given as a field to the server that they were given for.
"""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit

from holdfast.engine.fetching import Exchange
from holdfast.engine.particulars import Kind

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_OF_A_BODY = frozenset({"content-type", "content-length", "content-encoding", "content-language", "content-location"})
_OF_A_SERVER = frozenset({"authorization", "cookie", "host", "proxy-authorization"})
_AS_WRITTEN = "%/:=&?~#+!$,;'@()*[]"
"""What stays as it is in a Location that holds characters that a URL must not."""


def resolved(origin: str, path: str, reference: str) -> tuple[str, str]:
    """Origin and path of what a reference on a page of this origin means.

    Raises:
        ValueError: it is not a URL, or none of http and https.
    """
    has_url = origin.startswith("http")
    base = (origin if has_url else "http://localhost") + path
    url = urlsplit(urljoin(base, quote(reference.strip(), safe=_AS_WRITTEN)))
    if url.scheme not in ("http", "https") or not url.netloc:
        raise ValueError(f"{reference!r} does not lead to a server.")
    sent = (url.path or "/") + (f"?{url.query}" if url.query else "")
    if not has_url and url.netloc == "localhost":
        return origin, sent
    return f"{url.scheme}://{url.netloc}", sent


def redirected(
    before: Exchange, status: int, location: str, label: str, *, goes_on: bool, kept: frozenset[str] = frozenset()
) -> Exchange:
    """The request that follows a redirect.

    Args:
        before: what was redirected.
        goes_on: as of `Exchange`.
        kept: fields of the body, in lower case, that stay where the body does not.

    Raises:
        ValueError: it does not lead to a server.
    """
    origin, path = resolved(before.origin, before.path, location)
    method, body, headers = before.method, before.body, before.headers
    if status not in _KEEPS_METHOD:
        method, body = "HEAD" if method == "HEAD" else "GET", None
        headers = _without(headers, _OF_A_BODY - kept)
    if origin != before.origin:
        headers = _without(headers, _OF_A_SERVER)
    return Exchange(origin, method, path, headers, body, label, Kind.REDIRECTED, goes_on)


def _without(headers: tuple[tuple[str, str], ...], names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple(field for field in headers if field[0].lower() not in names)
