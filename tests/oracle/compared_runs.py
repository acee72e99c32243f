"""What two runs of one plan sent, in a form in which they can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from recorded_requests import Received

# What each client says of itself, and what follows from the body.
_OWN = frozenset({"user-agent", "connection", "content-length", "accept-encoding"})
_BOUNDARY = re.compile(r"boundary=\"?([^\s\";]+)")
# Of what proves who it is: the client's own nonce, and what follows from it.
_BY_CHANCE = re.compile(r'(?:response|cnonce)="[^"]*"')
_CHARSET = re.compile(r"; charset=(?:UTF-8|ISO-8859-1|US-ASCII)", re.IGNORECASE)

Shown = tuple[str, str, tuple[tuple[str, str], ...], bytes]


def shown(request: Received) -> Shown:
    """Method, target, fields by name, and body; a boundary by chance is always the same one."""
    headers = [(name.lower(), value) for name, value in request.headers if name.lower() not in _OWN]
    body = request.body
    fields = []
    for name, value in sorted(headers):
        text = value
        if name == "content-type" and (found := _BOUNDARY.search(value)):
            body = body.replace(found[1].encode(), b"BOUNDARY")
            text = re.sub(r"boundary=.*", "boundary=BOUNDARY", value)
        fields.append((name, _BY_CHANCE.sub("", text) if name == "authorization" else text))
    return request.method, request.target, tuple(fields), body


def as_of_5_6(request: Shown) -> Shown:
    """A request without what versions of JMeter do differently: how a text without an encoding is labelled.

    5.5 says `text/plain` where 5.6 says `text/plain; charset=UTF-8`.
    """
    method, target, fields, body = request
    without = tuple((name, _CHARSET.sub("", value) if name == "content-type" else value) for name, value in fields)
    body = re.sub(rb"; charset=(?:UTF-8|US-ASCII)\r\n", b"\r\n", body)
    return method, target, without, body


def closes(requests: Iterable[Received]) -> list[str]:
    """Which requests ask for their connection to be closed."""
    return [
        request.target
        for request in requests
        if any(name.lower() == "connection" and value.lower() == "close" for name, value in request.headers)
    ]


def lasted_s(requests: Sequence[Received]) -> float:
    """From the first request to the last."""
    return requests[-1].at - requests[0].at if requests else 0.0
