"""Turns what a browser recorded (HTTP Archive 1.2) into steps that send it again; pure.

Source: the HAR 1.2 specification (softwareishard.com/blog/har-12-spec), `log.entries[].request`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from holdfast.errors import UsageError
from holdfast.model.scenario import Step
from holdfast.plans.differences import Note
from holdfast.plans.samplers import PORTS, form_encoded, server_name

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
_SAFE = "%/?&=:+,;@~!$'()*[]"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recorded requests to send again.

    Attributes:
        url: scheme, host and port of the server that got most requests.
        steps: the requests to that server, as recorded; at least one.
        notes: what is not sent, or sent differently.
    """

    url: str
    steps: tuple[Step, ...]
    notes: tuple[Note, ...]


def read_har(content: bytes, origin: str) -> Recorded:
    """Reads the recorded requests.

    Args:
        content: the .har file.
        origin: the file's name, for messages.

    Raises:
        UsageError: it is not an HTTP archive, or it holds nothing that can be sent.
    """
    entries = _entries(content, origin)
    notes: list[Note] = []
    sent: list[tuple[str, Step]] = []
    for number, entry in enumerate(entries, 1):
        try:
            found = _step(entry, notes)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"Entry {number} of log.entries does not describe a request: {type(error).__name__} {error}."
            raise _archive_error(origin, why) from error
        if found is not None:
            sent.append(found)
    if not sent:
        raise _archive_error(origin, "No request in it can be sent again to an http:// or https:// server.")
    url = Tally(server for server, _ in sent).most_common(1)[0][0]
    elsewhere = Tally(server for server, _ in sent if server != url)
    notes += [
        Note("left out", "requests to", server, f"{many} of them; the others go to {url}")
        for server, many in elsewhere.items()
    ]
    steps = tuple(step for server, step in sent if server == url)
    if any(name.lower() == "cookie" for step in steps for name, _ in step.headers):
        meaning = "the recorded ones are sent; new ones that the server sets are ignored"
        notes.append(Note("differs", "cookies", "", meaning))
    return Recorded(url, steps, tuple(dict.fromkeys(notes)))


def _entries(content: bytes, origin: str) -> list[object]:
    if not content.strip():
        raise _archive_error(origin, "It is empty.")
    try:
        archive = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise _archive_error(origin, f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _archive_error(origin, f"It is not JSON in UTF-8: {error}.") from error
    log = archive.get("log") if isinstance(archive, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise _archive_error(origin, "It has no list log.entries.")
    return entries


def _step(entry: object, notes: list[Note]) -> tuple[str, Step] | None:
    """One entry's server and step; None, with a note, if it cannot be sent again."""
    request = _mapping(_mapping(entry)["request"])
    method, text = str(request["method"]), str(request["url"])
    url = urlsplit(text)
    if url.scheme not in PORTS:
        notes.append(Note("left out", "requests to", f"{url.scheme}:", "only http and https are sent"))
        return None
    server = server_name(url.scheme, url.hostname or "", url.port or 0)
    path = quote(url.path or "/", safe=_SAFE) + (f"?{quote(url.query, safe=_SAFE)}" if url.query else "")
    fields = tuple(_fields(request))
    body, content_type = None, ""
    posted = request.get("postData")
    if isinstance(posted, dict):
        body, content_type = _body(posted)
        if body is None:
            meaning = "the file does not contain its body"
            notes.append(Note("left out", "request", f"{method} {url.path}", meaning))
            return None
    elif method in ("POST", "PUT", "PATCH"):
        body = b""
    if content_type and not any(name.lower() == "content-type" for name, _ in fields):
        fields = (*fields, ("Content-Type", content_type))
    return server, Step(f"{method} {url.path or '/'}", path, method, fields, body)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} is not an object")
    return value


def _fields(request: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    headers = request.get("headers", [])
    if not isinstance(headers, list):
        raise TypeError("headers is not a list")
    for header in headers:
        name, value = str(_mapping(header)["name"]), str(_mapping(header)["value"])
        if not name.startswith(":") and name.lower() not in _NOT_SENT:
            yield name, value


def _body(posted: Mapping[str, object]) -> tuple[bytes | None, str]:
    """A request's body and its type; the body is None if the file does not contain it."""
    content_type = str(posted.get("mimeType") or "")
    text, params = posted.get("text"), posted.get("params")
    if isinstance(text, str) and (text or not params):
        if posted.get("encoding") == "base64":
            try:
                return base64.b64decode(text, validate=True), content_type
            except binascii.Error as error:
                raise ValueError(f"postData.text is not base64: {error}") from error
        return text.encode(), content_type
    if isinstance(params, list) and content_type.startswith(_FORM):
        pairs = [(str(_mapping(each)["name"]), str(_mapping(each).get("value") or "")) for each in params]
        return "&".join(f"{form_encoded(name)}={form_encoded(value)}" for name, value in pairs).encode(), content_type
    return (b"", content_type) if not params else (None, "")


def _archive_error(origin: str, why: str) -> UsageError:
    return UsageError(
        f"{origin} is not an HTTP archive that can be sent.", why, "Save one from a browser's network panel (.har)."
    )
