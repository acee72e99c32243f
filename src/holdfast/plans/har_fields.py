"""The header fields of a recorded request, and those of them that are sent again; pure.

Source: RFC 9110, 5.1 and 5.5 (names and values), 7.6.1 (fields of one connection); RFC 9113, 8.2.3 (Cookie in several
fields); HAR 1.2, `request.cookies`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from holdfast.model.http_syntax import TOKEN
from holdfast.plans.differences import Note
from holdfast.plans.har_bodies import mapping

Fields = tuple[tuple[str, str], ...]

# Fields of one connection, or derived from the request (RFC 9110, 7.6.1). HTTP/2's pseudo-fields begin with a colon.
_NOT_SENT = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NO_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def recorded_fields(request: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """All fields, as they were recorded.

    Raises:
        KeyError, TypeError: the recording is not one.
    """
    headers = request.get("headers", [])
    if not isinstance(headers, list):
        raise TypeError("headers is not a list")
    for header in headers:
        name = str(mapping(header)["name"])
        # Browsers write a field that was there twice in two lines of one value.
        for value in str(mapping(header).get("value") or "").split("\n"):
            yield name, value.strip("\r")


def sent_fields(request: Mapping[str, object], recorded: Sequence[tuple[str, str]], notes: list[Note]) -> Fields:
    """Those that are sent again.

    Args:
        notes: gets what is left out, or done otherwise.
    """
    fields: list[tuple[str, str]] = []
    cookie = "; ".join(value for name, value in recorded if name.lower() == "cookie")
    if not cookie and (cookie := _listed_cookies(request)):
        fields.append(("Cookie", cookie))
        notes.append(Note("note", "cookies", "", "made from the list of the recording, whose headers have none"))
    for name, value in recorded:
        if name.startswith(":") or name.lower() in _NOT_SENT:
            continue
        if not TOKEN.fullmatch(name) or _NO_VALUE.search(value):
            notes.append(Note("left out", "header", name, "no header field has such a name or value"))
        elif name.lower() == "content-type" and (name, _in_bytes(value)) in fields:
            continue  # Firefox lists that of a form again, as it was in the form's own stream
        elif name.lower() != "cookie":
            fields.append((name, _in_bytes(value)))
        elif not any(each.lower() == "cookie" for each, _ in fields):
            # HTTP/2 may split it, HTTP/1.1 may not.
            fields.append((name, _in_bytes(cookie)))
    return tuple(fields)


def _in_bytes(value: str) -> str:
    """A value each of whose characters is one byte: tools that show UTF-8 have decoded it."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("latin-1")
    return value


def _listed_cookies(request: Mapping[str, object]) -> str:
    """The Cookie field that was parsed into a list; "" if there is none."""
    listed = request.get("cookies")
    pairs = [
        f"{each['name']}={each.get('value') or ''}"
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and each.get("name")
    ]
    cookie = "; ".join(pairs)
    return "" if _NO_VALUE.search(cookie) else _in_bytes(cookie)
