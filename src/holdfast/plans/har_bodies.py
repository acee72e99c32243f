"""The body of a recorded request, as far as the recording has it; pure.

A recording often lacks a body: browsers leave out bytes, files and what was sent anew after a redirect, and write
`postData.text` as "" or no `postData` at all. The recorded Content-Length, or `bodySize`, then says that there was
one. It is never taken for empty.

Of a form that a page has sent, Firefox writes what it read from its own stream, which begins with two header fields:
they were not in the body.

Source: HAR 1.2, `postData` and `params`; RFC 7578 (multipart/form-data); Chromium's and Playwright's HAR writers;
Firefox, devtools/client/netmonitor/src/har/har-builder.js (appendHeadersPostData).
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Callable, Mapping, Sequence

from holdfast.journeys.functions_text import form_encoded
from holdfast.model.frozen import frozen

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_FIELDS = re.compile(r"(?:Content-(?:Type|Length): [^\r\n]*\r\n)+\r\n")
_LENGTH = re.compile(r"Content-Length: (\d+)")
_ENCODED = re.compile(r"(?:[\w.*~+-]|%[0-9a-fA-F]{2})*", re.ASCII)
_REPLACED = "\ufffd"
_LAST_BYTE = 0xFF
_CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "x-gzip": lambda content: gzip.compress(content, mtime=0),
    "deflate": zlib.compress,
}
_ALWAYS_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})


@frozen
class RecordedBody:
    """What the recording has of a body.

    Attributes:
        content: None sends none.
        content_type: its type; "" if the recording names none.
        missing: why the request cannot be sent, as a clause; None if it can.
        otherwise: how it differs from what the recording says that it was, as a clause; "" if it does not.
        text: as it was recorded, "" where that was bytes; None if it was recorded in parts.
    """

    content: bytes | None = None
    content_type: str = ""
    missing: str | None = None
    otherwise: str = ""
    text: str | None = None


def mapping(value: object) -> Mapping[str, object]:
    """The same value.

    Raises:
        TypeError: it is not an object.
    """
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} is not an object")
    return value


def recorded_body(request: Mapping[str, object], fields: Sequence[tuple[str, str]]) -> RecordedBody:
    """The body of a recorded request.

    Args:
        fields: all its header fields, as recorded.

    Raises:
        KeyError, TypeError, ValueError: the recording is not one.
    """
    named = {name.lower(): value for name, value in fields}
    posted = request.get("postData")
    found = _posted(posted, named) if isinstance(posted, dict) else RecordedBody(b"")
    if found.missing is not None:
        return found
    content = found.content or b""
    told = named.get("content-length", "").strip()
    size = int(told) if told.isascii() and told.isdecimal() else _body_size(request)
    if not content and size:
        return RecordedBody(missing=f"the file does not contain its body of {size:,} bytes")
    if found.text is not None:
        # Tools differ in what `bodySize` counts: some count the characters of base64.
        found = _as_long_as_told(found, size if told else None, named.get("content-encoding", "").strip().lower())
        if found.missing is not None:
            return found
        content = found.content or b""
    if not content and str(request["method"]).upper() not in _ALWAYS_WITH_LENGTH:
        return RecordedBody()
    return RecordedBody(content, found.content_type, otherwise=found.otherwise)


def _as_long_as_told(found: RecordedBody, size: int | None, coding: str) -> RecordedBody:
    """A text's bytes, of which there are so many, or the reason why these cannot be had.

    Args:
        size: None: it is not known.
        coding: in which it was sent; recordings have the text before.
    """
    text, content = found.text or "", found.content or b""
    if size is not None and len(content) != size == len(text) and all(ord(each) <= _LAST_BYTE for each in text):
        return RecordedBody(text.encode("latin-1"), found.content_type)
    if len(content) == size:
        return found
    if text and coding not in ("", "identity"):
        if coding not in _CODINGS:
            return RecordedBody(missing=f"the file contains its body as it was before it was encoded as {coding}")
        again = f"its body is encoded as {coding} anew"
        return RecordedBody(_CODINGS[coding](content), found.content_type, otherwise=again)
    return found if size is None else _not_as_long(found, text, content, size)


def _not_as_long(found: RecordedBody, text: str, content: bytes, size: int) -> RecordedBody:
    if _REPLACED in text:
        return RecordedBody(missing="the file contains replacement characters in place of bytes of its body")
    if len(content) < size:
        return RecordedBody(missing=f"the file contains {len(content):,} of the {size:,} bytes of its body")
    longer = f"its body has {len(content):,} bytes in the file, and had {size:,} when it was recorded"
    return RecordedBody(content, found.content_type, otherwise=longer)


def _body_size(request: Mapping[str, object]) -> int:
    """How many bytes the recording says that the body had; 0 if it does not say."""
    size = request.get("bodySize")
    return size if isinstance(size, int) and size > 0 else 0


def _posted(posted: Mapping[str, object], named: Mapping[str, str]) -> RecordedBody:
    content_type = str(posted.get("mimeType") or "")
    text, params = posted.get("text"), posted.get("params")
    if isinstance(text, str) and (text or not params):
        text = _without_fields(text, named)
        if posted.get("encoding") == "base64":
            try:
                return RecordedBody(base64.b64decode(text, validate=True), content_type, text="")
            except binascii.Error as error:
                raise ValueError(f"postData.text is not base64: {error}") from error
        try:
            # Tools that are written in Python keep bytes that are no UTF-8 so.
            return RecordedBody(text.encode("utf-8", "surrogateescape"), content_type, text=text)
        except UnicodeEncodeError:
            return RecordedBody(missing="the file contains halves of characters in place of its body")
    if not isinstance(params, list) or not params:
        return RecordedBody(b"", content_type)
    return _of_parts([mapping(each) for each in params], content_type, named)


def _without_fields(text: str, named: Mapping[str, str]) -> str:
    """The text behind the fields of the stream that it was read from.

    A body may begin so too: where the request says a length, that decides, and otherwise the one in these fields.
    """
    head = _FIELDS.match(text)
    if head is None:
        return text
    told, rest = _LENGTH.search(head[0]), text[head.end() :]
    size = named.get("content-length") or (told[1] if told else "")
    return rest if size in (str(len(rest)), str(len(rest.encode("utf-8", "replace")))) else text


def _of_parts(parts: Sequence[Mapping[str, object]], content_type: str, named: Mapping[str, str]) -> RecordedBody:
    """A body that was recorded as the fields of its form."""
    sent_type = named.get("content-type", content_type)
    if content_type.startswith(_FORM):
        pairs = [(str(each["name"]), str(each.get("value") or "")) for each in parts]
        return RecordedBody(joined(pairs).encode(), content_type)
    boundary = _BOUNDARY.search(sent_type)
    if not sent_type.startswith(_MULTIPART) or boundary is None:
        return RecordedBody(missing="the file does not contain its body")
    for each in parts:
        if each.get("fileName") and not isinstance(each.get("value"), str):
            return RecordedBody(missing=f"the file does not contain the content of {each['fileName']}")
    return RecordedBody(_multipart(parts, boundary[1] or boundary[2]), content_type)


def joined(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values as they are in a form or a query.

    Some tools list them as they were sent, some as they are meant: they are taken for encoded if all of them can be,
    and one of them is.
    """
    texts = [text for pair in pairs for text in pair]
    is_encoded = all(map(_ENCODED.fullmatch, texts)) and any("%" in text for text in texts)
    return "&".join("=".join(pair if is_encoded else map(form_encoded, pair)) for pair in pairs)


def _multipart(parts: Sequence[Mapping[str, object]], boundary: str) -> bytes:
    lines: list[str] = []
    for each in parts:
        disposition = f'Content-Disposition: form-data; name="{_quoted(str(each["name"]))}"'
        if each.get("fileName"):
            disposition += f'; filename="{_quoted(str(each["fileName"]))}"'
        lines += [f"--{boundary}", disposition]
        if each.get("contentType"):
            lines.append(f"Content-Type: {each['contentType']}")
        lines += ["", str(each.get("value") or "")]
    return "\r\n".join([*lines, f"--{boundary}--", ""]).encode()


def _quoted(name: str) -> str:
    """As browsers escape names in a Content-Disposition (WHATWG HTML, multipart/form-data encoding)."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
