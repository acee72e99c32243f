"""Functions that turn a text into another; pure.

Source: apache/jmeter 5.5, org.apache.jmeter.functions: UrlEncode, UrlDecode, EscapeHtml, EscapeXml, UnEscape,
UnEscapeHtml, ChangeCase, CharFunction, DigestEncodeFunction, EscapeOroRegexpChars; Apache Commons Text 1.9, which they
use: StringEscapeUtils and EntityArrays.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from html.entities import codepoint2name, name2codepoint
from urllib.parse import quote_plus, unquote_to_bytes

from holdfast.journeys.context import Context, FunctionError
from holdfast.journeys.known import Known, given, kept

_DIGESTS = {
    "md5": "md5",
    "sha": "sha1",
    "sha1": "sha1",
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
    "sha-512/224": "sha512_224",
    "sha-512/256": "sha512_256",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}
_ENTITY = re.compile(r"&(?:#(\d+)|#[xX]([0-9a-fA-F]+)|(\w+));")
_BACKSLASHED = re.compile(r"\\(?:u+\+?([0-9a-fA-F]{4})|([0-7]{1,2}(?![0-7])|[0-3][0-7]{2}|[0-7]{2})|(.)|\Z)", re.DOTALL)
_CONTROLS = {"b": "\b", "n": "\n", "t": "\t", "f": "\f", "r": "\r"}
_NOT_A_WORD = re.compile(r"[^A-Za-z0-9_]")
_JAVA_NUMBER = re.compile(r"([+-]?)(0[xX]|#|0(?=[0-7]))?([0-9a-fA-F]+)")


def form_encoded(text: str) -> str:
    """Encodes like java.net.URLEncoder: ASCII letters, digits and `.-*_` stay, a space becomes +."""
    return quote_plus(text, safe="*").replace("~", "%7E")


def form_decoded(text: str) -> str:
    """Decodes like java.net.URLDecoder.

    Raises:
        ValueError: a % is not followed by two hexadecimal digits.
    """
    if wrong := re.search(r"%(?![0-9a-fA-F]{2}).{0,2}", text):
        raise ValueError(f"{wrong[0]!r} is not a % with two hexadecimal digits")
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")


def _url_decoded(arguments: list[str], _context: Context) -> str:
    try:
        return form_decoded(arguments[0])
    except ValueError as error:
        raise FunctionError(f"__urldecode cannot read its argument: {error}.") from error


def escape_html(text: str) -> str:
    """Replaces characters that have an entity in HTML 4, and no others; ' has none."""
    return "".join(f"&{codepoint2name[ord(each)]};" if ord(each) in codepoint2name else each for each in text)


def unescape_html(text: str) -> str:
    """Replaces HTML 4's entities and numbers; what is not one of these stays."""

    def value(found: re.Match[str]) -> str:
        decimal, hexadecimal, name = found.groups()
        if name:
            return chr(name2codepoint[name]) if name in name2codepoint else found[0]
        number = int(decimal) if decimal else int(hexadecimal, 16)
        return chr(number) if number < 0x110000 else found[0]

    return _ENTITY.sub(value, text)


def _escape_xml(text: str) -> str:
    """XML 1.0: the five entities; characters that cannot be in a document are left out, some are numbers."""
    out = []
    for each in text:
        code = ord(each)
        if each in "\"&<>'":
            out.append({'"': "&quot;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;"}[each])
        elif (code < 0x20 and each not in "\t\n\r") or 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF):
            continue
        else:
            out.append(f"&#{code};" if 0x7F <= code <= 0x84 or 0x86 <= code <= 0x9F else each)
    return "".join(out)


def unescape_java(text: str) -> str:
    r"""Replaces the escapes of Java's literals; a backslash before another character is dropped.

    Raises:
        FunctionError: a `\u` is not followed by four hexadecimal digits.
    """

    def value(found: re.Match[str]) -> str:
        code, octal, char = found.groups()
        if code:
            return chr(int(code, 16))
        if octal:
            return chr(int(octal, 8))
        if char == "u":
            raise FunctionError(f"__unescape has {text!r}, in which a \\u has fewer than four hexadecimal digits.")
        return _CONTROLS.get(char, char) if char else "\\"

    return _BACKSLASHED.sub(value, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _change_case(arguments: list[str], context: Context) -> str:
    """__changeCase(text, UPPER, LOWER or CAPITALIZE, variable); another mode leaves the text as it is."""
    text, mode = arguments[0], (given(arguments, 1) or "UPPER").upper()
    if mode == "UPPER":
        text = text.upper()
    elif mode == "LOWER":
        text = text.lower()
    elif mode == "CAPITALIZE":
        text = text[:1].title() + text[1:]
    return kept(text, arguments, 2, context)


def _char(arguments: list[str], _context: Context) -> str:
    """__char(number, ...): the characters of these numbers, of 16 bits each; what is not a number is left out."""
    units = [unit for each in arguments if (unit := _decoded_number(each.strip())) is not None]
    packed = b"".join((unit & 0xFFFF).to_bytes(2) for unit in units)
    return packed.decode("utf-16-be", "replace")


def _decoded_number(text: str) -> int | None:
    """A number as Java's Long.decode reads it: 0x and # are hexadecimal, 0 octal."""
    found = _JAVA_NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, prefix, digits = found.groups()
    try:
        value = int(digits, 10 if not prefix else 8 if prefix == "0" else 16)
    except ValueError:
        return None
    return -value if sign == "-" else value


def _digest(arguments: list[str], context: Context) -> str:
    """__digest(algorithm, text, salt, true for upper case, variable); "null" if the algorithm is not known."""
    algorithm = _DIGESTS.get(arguments[0].lower(), "")
    if not algorithm:
        return "null"
    found = hashlib.new(algorithm, (arguments[1] + given(arguments, 2)).encode(), usedforsecurity=False).hexdigest()
    return kept(found.upper() if given(arguments, 3).lower() == "true" else found, arguments, 4, context)


def quotemeta(text: str) -> str:
    """A text as a regular expression that matches it: a backslash before all but ASCII letters, digits and _."""
    return _NOT_A_WORD.sub(r"\\\g<0>", text)


OF_TEXT: Mapping[str, Known] = {
    "__urlencode": Known(1, 1, lambda arguments, _context: form_encoded(arguments[0])),
    "__urldecode": Known(1, 1, _url_decoded),
    "__escapeHtml": Known(1, 1, lambda arguments, _context: escape_html(arguments[0])),
    "__unescapeHtml": Known(1, 1, lambda arguments, _context: unescape_html(arguments[0])),
    "__escapeXml": Known(1, 1, lambda arguments, _context: _escape_xml(arguments[0])),
    "__unescape": Known(1, 1, lambda arguments, _context: unescape_java(arguments[0])),
    "__changeCase": Known(1, 3, _change_case),
    "__char": Known(1, None, _char),
    "__digest": Known(2, 5, _digest),
    "__escapeOroRegexpChars": Known(
        1, 2, lambda arguments, context: kept(quotemeta(arguments[0]), arguments, 1, context)
    ),
}
