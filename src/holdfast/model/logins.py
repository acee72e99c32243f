"""Which credentials go with a request, by where it goes; pure.

Source: apache/jmeter 5.5, protocol/http/control/AuthManager.java (getAuthForURL: the first entry with whose URL that of
the request begins, with the usual port or without; setupCredentials), HTTPHC4Impl.java (its interceptor compares the
path decoded, and without its query), HTTPJavaImpl.java (setConnectionAuthorization: the URL as it is written). Apache
HttpClient 4.5.13, NTUserPrincipal.java (a domain in capitals before the name), BasicScheme.java (what is not ASCII is
a question mark).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from holdfast.model.journey_request import Telling

_PORTS = {"http": ":80", "https": ":443"}


class Credentials(NamedTuple):
    """Those of the model's `Login`, with every reference replaced."""

    url: str
    name: str
    password: str
    realm: str
    told: Telling


def credentials_for(known: Sequence[Credentials], origin: str, path: str) -> Credentials | None:
    """The credentials that count for a request; None: none do.

    Args:
        origin, path: of the request; the origin is that of the plan, wherever the request is sent instead.
    """
    return next((each for each in known if _begins(each, origin, path)), None)


def basic_field(known: Sequence[Credentials], origin: str, path: str) -> str:
    """The value of Authorization that a request has without being asked; "" has none."""
    found = credentials_for(known, origin, path)
    if found is None or found.told not in ("unasked", "unasked by java"):
        return ""
    encoding = "utf-8" if found.told == "unasked by java" else "ascii"
    return "Basic " + b64encode(f"{found.name}:{found.password}".encode(encoding, "replace")).decode()


def _begins(entry: Credentials, origin: str, path: str) -> bool:
    return any(url.startswith(entry.url) for url in _spelled(origin, path, of_java=entry.told == "unasked by java"))


def _spelled(origin: str, path: str, *, of_java: bool) -> Iterator[str]:
    """How the URL of a request is written where it is compared."""
    without_query = path.partition("?")[0]
    if not of_java:
        path = without_query = unquote(without_query)
    yield origin + path
    scheme, _, host = origin.partition("://")
    usual = _PORTS.get(scheme, "")
    if usual and host.endswith(usual):
        yield origin.removesuffix(usual) + without_query
    elif not host.rpartition("]")[2].count(":"):
        yield origin + usual + without_query
