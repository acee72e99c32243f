"""What an HTTP status that turns a request away usually means, or another version of HTTP, and what to do. Pure.

Source: RFC 9110 section 15.5; RFC 6585 for 429 and 431.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from holdfast.engine.http1 import IS_HTTP1, IS_HTTP2, NOT_HTTP2
from holdfast.errors import EnvironmentFailure, InconclusiveError

ONLY_HTTP1 = "If it speaks HTTP/1.1 only, leave --http2 out."
"""What to do where a request in HTTP/2 got no answer at all."""
ONLY_HTTP2 = "If the server takes HTTP/2 alone, give --http2."
"""What to do where a request in HTTP/1.1 was found wrong."""
NO_CERTIFICATE = (
    "If it demands a certificate of its clients, let it take them without one: holdfast has none, and some servers "
    "then close the connection without saying why."
)
"""What to do where a request over TLS got no answer at all."""
NO_HTTP = (
    "It may speak another protocol than HTTP there, such as FastCGI or one of its own: give it an address for HTTP, or "
    "start the front with it that speaks so."
)
"""What to do where a connection was closed without an answer."""
START_IT = "Start the server, or check the port (ss -tln shows who listens where)."
"""What to do where nothing listens."""


def all_refused(where: str) -> EnvironmentFailure:
    """The error that every connection to these addresses was refused."""
    return EnvironmentFailure(f"Nothing is listening on {where}: every connection was refused.", "", START_IT)


class Advice(NamedTuple):
    """Two sentences for a person.

    Attributes:
        why: what the server objects to.
        remedy: what to do about it.
    """

    why: str
    remedy: str


_CREDENTIALS = "Send what a logged-in client sends: -H 'Authorization: Bearer ...' or -H 'Cookie: ...'."

ADVICE: Mapping[int, Advice] = {
    400: Advice("The server finds the request wrong, perhaps its Host.", "Send the Host it expects: -H 'Host: NAME'."),
    401: Advice("It asks for a login.", _CREDENTIALS),
    403: Advice("Access is denied without credentials.", f"{_CREDENTIALS} It may also expect -H 'Host: NAME'."),
    404: Advice("There is nothing at this path.", "Name a path that exists."),
    405: Advice("The path takes no GET, and holdfast sends no other method.", "Name a path that answers a GET."),
    406: Advice("It has nothing of a type that the request accepts.", "Send -H 'Accept: ...' with a type that it has."),
    407: Advice("A proxy in between asks for a login.", "Bypass it, or send -H 'Proxy-Authorization: ...'."),
    422: Advice(
        "It finds what it is asked with wrong or missing, such as a parameter.",
        "Name the path with the parameters that it takes, such as /items?size=10.",
    ),
    429: Advice("Something limits the rate of requests.", "Exempt holdfast's requests from that limit."),
    431: Advice("The headers are too large for it.", "Send fewer with -H."),
    501: Advice("It has no GET, and holdfast sends no other method.", "Name a path that answers a GET."),
}
OF_THE_SERVER = Advice("The server failed to handle it.", "Look at its log.")
OF_THE_REQUEST = Advice("It does not take this request.", "Name another path, or send the headers it needs (-H).")


def advice_on(status: int) -> Advice:
    """What to tell a person whose request got this status, 400 or above."""
    return ADVICE.get(status, OF_THE_SERVER if status >= 500 else OF_THE_REQUEST)


def redirected(location: str) -> Advice:
    """What to tell a person whose request was redirected instead of being handled.

    Args:
        location: where to, as the reply has it; "" where it named none.
    """
    remedy = "Choose the --path that it leads to, or send the headers it needs with -H 'Cookie: ...' or the like."
    if not location:
        return Advice(
            "It is a redirect: to a login, to HTTPS, or to the same path with or without a slash at its end.", remedy
        )
    if location.lower().startswith("https:"):
        remedy = f"If it asks for HTTPS, say what a proxy says: -H 'X-Forwarded-Proto: https'. {remedy}"
    return Advice(f"It is a redirect to {location}", remedy)


def leave_http2_out(how: str = "") -> str:
    """What to do where HTTP/2 was asked for and another version spoken.

    Args:
        how: HTTP/2 would have to be agreed on, with a blank in front; "" where it is not known.
    """
    return f"Leave --http2 out, or let the server take HTTP/2{how}: many do not unless told."


def another_version(server: str, finding: str, *, tls: bool) -> InconclusiveError | None:
    """The error that a server speaks another version of HTTP than it was asked in; None where it says something else.

    Args:
        server: the subject of a sentence.
        finding: what was wrong with its reply, in words.
        tls: the request was sent over TLS.
    """
    if finding.startswith(IS_HTTP2):
        return InconclusiveError(
            f"{server} speaks HTTP/2 and not HTTP/1.1.",
            "It answered a request in HTTP/1.1 with a frame of HTTP/2.",
            "Give --http2.",
        )
    if finding.startswith((IS_HTTP1, NOT_HTTP2)):
        with_tls, how = ("with", "over TLS (ALPN)") if tls else ("without", "without TLS (prior knowledge)")
        return InconclusiveError(
            f"{server} does not speak HTTP/2 on a connection {with_tls} TLS.",
            f"{finding[0].upper()}{finding[1:]}.",
            leave_http2_out(f" {how}"),
        )
    return None
