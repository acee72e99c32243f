"""What JMeter makes of a request's path and arguments, once their references are replaced; pure.

No plan can call these: their names do not begin with `__`. A front end puts them around the texts of a request.
Source: apache/jmeter 5.5, protocol/http/sampler/HTTPSamplerBase.java (getUrl, getQueryString), HTTPHC4Impl.java
(createUrlEncodedFormEntity), config/Argument.java (isSkippable); java.net.URI (what a URL may hold); Apache HttpClient
4.5.13, URIUtils.rewriteURI (several slashes become one). tests/oracle asks JMeter for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus, unquote_to_bytes

from holdfast.journeys.context import Context, FunctionError
from holdfast.journeys.known import Known
from holdfast.model.http_syntax import JAVA_BLANKS

TARGET, ORIGIN, FORM, ENCODED = "jmeter target", "jmeter origin", "jmeter form", "jmeter encoded"
NOWHERE, TARGET_OF_JAVA = "jmeter nowhere", "jmeter target of java"
KEEP, KEPT, FIELD, HOST = "jmeter keep", "jmeter kept", "jmeter field", "jmeter host"

_NO_PATH = re.compile(rf"""[{JAVA_BLANKS}"<>\\^`{{|}}\[\]]|%(?![0-9a-fA-F]{{2}})""")
_NO_QUERY = re.compile(rf"""[{JAVA_BLANKS}"<>\\^`{{|}}]|%(?![0-9a-fA-F]{{2}})""")
SCHEMES = ("http://", "https://")
_LINE_ENDS = re.compile(r"[\n\r\f\v]")
_UNSENT_IN_FIELDS = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")
_AS_WRITTEN = "%/:=&?~#+!$,;'@()*[]"
_ESCAPES = re.compile("(?:%[0-9a-fA-F]{2})+")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_ENDS = re.compile(r"[\x00-\x20\x7f]")
_SLASHES = re.compile("/{2,}")
_PORT = re.compile(r":(\d+)$")
_USUAL_PORTS = {"http": "80", "https": "443"}


def encoded(text: str, charset: str = "utf-8") -> str:
    """Encodes like java.net.URLEncoder: ASCII letters, digits and `.-*_` stay, a space becomes +."""
    return quote_plus(text, safe="*", encoding=charset, errors="replace").replace("~", "%7E")


def decoded(text: str, charset: str = "utf-8") -> str:
    """Decodes like java.net.URLDecoder.

    Raises:
        FunctionError: a % is not followed by two hexadecimal digits.
    """
    if wrong := re.search(r"%(?![0-9a-fA-F]{2}).{0,2}", text):
        raise FunctionError(f"{text!r} has {wrong[0]!r}, which is not a % with two hexadecimal digits.")
    return _ESCAPES.sub(lambda found: unquote_to_bytes(found[0]).decode(charset, "replace"), text.replace("+", " "))


def target(arguments: list[str]) -> str:
    """Path and query as they are sent.

    Args:
        arguments: the path, with or without a query, or a whole URL, which has all; the charset; then for each
            argument of the query its name, what is between them, its value, and `true` if both are to be encoded.

    Raises:
        FunctionError: a URL cannot hold it; JMeter sends nothing then.
    """
    return in_url(_put_together(arguments))


def target_of_java(arguments: list[str]) -> str:
    """The same of Java's own client, which sends it as it is written; but what is not ASCII is encoded.

    Source: apache/jmeter 5.5, HTTPJavaImpl.java (no java.net.URI is made; the machine decides about other characters).

    Raises:
        FunctionError: it would end the line of the request.
    """
    written = _put_together(arguments).partition("#")[0]
    if wrong := _ENDS.search(written):
        raise FunctionError(f"{written} has {wrong[0]!r}, which would end the line of the request.")
    return quote(written, safe=_ASCII)


def _put_together(arguments: list[str]) -> str:
    path, charset, *rest = arguments
    path = path.replace(" ", "%20")
    if path.startswith(SCHEMES):
        _, slash, local = path.partition("://")[2].partition("/")
        return slash + local or "/"
    path = path if path.startswith("/") else f"/{path}"
    pairs = []
    for at in range(0, len(rest), 4):
        name, equals, value, encode = rest[at : at + 4]
        if not name:
            continue
        if encode == "true":
            name, value = encoded(name), encoded(value, charset)
        pairs.append(f"{name}{equals}{value}")
    if pairs:
        path += ("&" if "?" in path else "?") + "&".join(pairs)
    return path


def origin(arguments: list[str]) -> str:
    """Scheme, host and port.

    Args:
        arguments: the path, which may be a whole URL, and what counts if it is not.

    Raises:
        FunctionError: neither names a server.
    """
    path, otherwise = arguments
    if path.startswith(SCHEMES):
        scheme, _, rest = path.partition("://")
        return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}"
    if not otherwise:
        raise FunctionError(f"{path!r} is only a part of a URL, and the sampler names no server.")
    return otherwise


def in_url(path: str) -> str:
    """A path with its query, checked and encoded.

    Raises:
        FunctionError: a URL cannot hold it.
    """
    path, _, fragment = path.partition("#")
    path, has_query, query = path.partition("?")
    wrong = _NO_PATH.search(path) or _NO_QUERY.search(query) or re.search(f"{_NO_QUERY.pattern}|#", fragment)
    if wrong:
        where = f"{path}{has_query}{query}" + (f"#{fragment}" if fragment else "")
        raise FunctionError(f"{where} has {wrong[0]!r}, which a URL cannot hold; JMeter sends nothing.")
    return quote(_SLASHES.sub("/", path), safe=_AS_WRITTEN) + has_query + quote(query, safe=_AS_WRITTEN)


def form(arguments: list[str]) -> str:
    """The body of a form.

    Args:
        arguments: the charset; then for each argument its name, its value, and `true` unless both are encoded already.

    Raises:
        FunctionError: what should be encoded already is not.
    """
    charset, *rest = arguments
    pairs = []
    for at in range(0, len(rest), 3):
        name, value, encode = rest[at : at + 3]
        if is_skipped(name):
            continue
        if encode != "true":
            name, value = decoded(name, charset), decoded(value, charset)
        pairs.append(f"{encoded(name, charset)}={encoded(value, charset)}")
    return "&".join(pairs)


def nowhere(arguments: list[str]) -> str:
    """In place of a server that cannot be one.

    Raises:
        FunctionError: always; the argument says why.
    """
    raise FunctionError(f"{arguments[0]}; JMeter sends nothing.")


def _keep(arguments: list[str], context: Context) -> str:
    """A value, kept under a name of its own for the rest of the request: JMeter calls its functions once for each."""
    name, value = arguments
    context.own[KEEP, name] = value
    return value


def _kept(arguments: list[str], context: Context) -> str:
    return str(context.own[KEEP, arguments[0]])


def field(text: str) -> str:
    """The value of a header field as Apache HttpClient sends it.

    Source: httpcore 4.4.15, BasicLineFormatter.java (doFormatHeader), ByteArrayBuffer.java (append).
    """
    return _UNSENT_IN_FIELDS.sub("?", _LINE_ENDS.sub(" ", text))


def host(arguments: list[str]) -> str:
    """A Host field of a Header Manager: JMeter adds the port of the request's URL to it, and never the usual one.

    Source: HTTPHC4Impl.java (setConnectionHeaders, getPortFromHostHeader); HTTPJavaImpl.java does not.

    Args:
        arguments: the field as it is written, and the scheme, host and port to which the request goes.
    """
    written, server = arguments
    own = _PORT.search(written) or _PORT.search(server)
    name = _PORT.sub("", written)
    return name if own is None or own[1] == _USUAL_PORTS.get(server.partition("://")[0]) else f"{name}:{own[1]}"


def is_skipped(name: str) -> bool:
    """Whether JMeter leaves an argument out: it has no name, or its name is a reference without a value."""
    return not name.strip() or (name.strip().startswith("${") and name.endswith("}"))


OF_REQUEST: Mapping[str, Known] = {
    TARGET: Known(2, None, lambda arguments, _context: target(arguments)),
    TARGET_OF_JAVA: Known(2, None, lambda arguments, _context: target_of_java(arguments)),
    ORIGIN: Known(2, 2, lambda arguments, _context: origin(arguments)),
    NOWHERE: Known(1, None, lambda arguments, _context: nowhere(arguments)),
    FORM: Known(1, None, lambda arguments, _context: form(arguments)),
    FIELD: Known(1, 1, lambda arguments, _context: field(*arguments)),
    HOST: Known(2, 2, lambda arguments, _context: host(arguments)),
    KEEP: Known(2, 2, _keep),
    KEPT: Known(1, 1, _kept),
    ENCODED: Known(2, 2, lambda arguments, _context: encoded(*arguments)),
}
