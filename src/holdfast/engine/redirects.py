"""Where a redirect leads, and what is sent there; pure.

Source: RFC 9110, 15.4 and 10.2.2. Which fields are left out on the way to another server: the Fetch standard, "HTTP-
redirect fetch", and curl, which also keeps cookies that were given as a field to the server that they were given for.
With GET or HEAD only: apache/jmeter 5.5, HTTPSamplerBase.java (followRedirects, computeMethodForRedirect). As Apache
HttpClient: DefaultRedirectStrategy.java, LaxRedirectStrategy.java (isRedirected, getRedirect, createLocationURI).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote_plus, urljoin, urlsplit

from holdfast.engine.fetching import REDIRECTS, Exchange
from holdfast.engine.particulars import Kind
from holdfast.model.http_syntax import IN_URL

if TYPE_CHECKING:
    from holdfast.journeys.steps import Sending

_KEEPS_METHOD = frozenset({307, 308})
_OF_A_BODY = frozenset({"content-type", "content-length", "content-encoding", "content-language", "content-location"})
OF_A_SERVER = frozenset({"authorization", "cookie", "host", "proxy-authorization"})
"""What is meant for the server that it was given for."""
_OF_LIBRARY = frozenset({"GET", "HEAD", "POST", "DELETE"})
_NO_URI = re.compile(r"""[\x00-\x20"<>\\^`{|}]""")
"""In a Location, what java.net.URI refuses; in its path, it refuses brackets too."""


def is_followed(sending: Sending, method: str, status: int, location: str) -> bool:
    """Whether an answer leads on to another request."""
    if not sending.follow or status not in REDIRECTS or not location:
        return False
    if sending.redirects == "get":
        return status != 307 or method in ("GET", "HEAD")
    return sending.redirects == "browser" or status == 303 or method in _OF_LIBRARY


def resolved(origin: str, path: str, reference: str) -> tuple[str, str]:
    """Origin and path of what a reference on a page of this origin means.

    Raises:
        ValueError: it is not a URL, or none of http and https.
    """
    has_url = origin.startswith("http")
    base = (origin if has_url else "http://localhost") + path
    url = urlsplit(urljoin(base, quote(reference.strip(), safe=IN_URL)))
    if url.scheme not in ("http", "https") or not url.netloc:
        raise ValueError(f"{reference!r} does not lead to a server.")
    sent = (url.path or "/") + (f"?{url.query}" if url.query else "")
    if not has_url and url.netloc == "localhost":
        return origin, sent
    return f"{url.scheme}://{url.netloc}", sent


def redirected(before: Exchange, status: int, location: str, sending: Sending) -> Exchange:
    """The request that follows a redirect.

    Args:
        before: what was redirected.
        sending: what the journey asked for.

    Raises:
        ValueError: it does not lead to a server.
    """
    if sending.redirects == "library" and (_NO_URI.search(location) or {*urlsplit(location).path} & {*"[]"}):
        raise ValueError(f"its Location {location!r} is not a URI.")
    if sending.redirects == "get" and location.startswith("?"):
        # As java.net.URL, which takes the folder of the path.
        location = f"{before.path.partition('?')[0].rpartition('/')[0]}/{location}"
    origin, path = resolved(before.origin, before.path, location)
    if sending.redirects == "get":
        local, question, query = path.partition("?")
        path = local.replace("[", "%5B").replace("]", "%5D") + question + query
    method, body, headers = before.method, before.body, before.headers
    if status not in _KEEPS_METHOD or sending.redirects == "get":
        method, body = "HEAD" if method == "HEAD" else "GET", None
        headers = without(headers, _OF_A_BODY - sending.kept)
    elif sending.redirects == "library" and _is_form(before, sending) and not (body and method in ("POST", "PUT")):
        # Only these two have a form as their body then (RequestBuilder.java, copy, build).
        path, body = _with_form(path, (body or b"").decode("latin-1")), None
        headers = without(headers, frozenset({"content-type"}))
    if origin != before.origin:
        headers = without(headers, OF_A_SERVER - sending.kept)
    label = before.label if before.kind is Kind.REDIRECTED else f"{before.label}, redirected"
    return Exchange(origin, method, path, headers, body, label, Kind.REDIRECTED, goes_on=not sending.hops_count)


def _is_form(request: Exchange, sending: Sending) -> bool:
    if "content-type" in sending.kept:
        return False
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    return kind.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _with_form(path: str, form: str) -> str:
    pairs = [pair.partition("=") for pair in form.split("&") if pair]
    query = "&".join(f"{_anew(name)}{equals}{_anew(value)}" for name, equals, value in pairs)
    return path + ("&" if "?" in path else "?") + query if query else path


def _anew(text: str) -> str:
    return quote_plus(unquote_plus(text), safe="*").replace("~", "%7E")


def without(headers: tuple[tuple[str, str], ...], names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Header fields but for those of these names, in lower case."""
    return tuple(field for field in headers if field[0].lower() not in names)
