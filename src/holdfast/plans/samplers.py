"""Turns JMeter's HTTP Request, with the defaults and header managers that apply to it, into what is sent; pure.

Source: apache/jmeter at 5.6.3, protocol/http/sampler/HTTPSamplerBase.java (getUrl, getQueryString), HTTPHC4Impl.java
(createHttpRequest, setupHttpEntityEnclosingRequestData), testelement/AbstractTestElement.java (addProperty): a default
fills an empty property, and default arguments come after the request's own. In that version a DELETE sends its
arguments in the body too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote_plus, urlsplit

from holdfast.journeys.functions_text import form_encoded
from holdfast.model.frozen import frozen
from holdfast.model.http_syntax import IN_URL, JAVA_BLANKS
from holdfast.model.scenario import Pieces, Slot, Text
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node, Properties
from holdfast.plans.slot_values import Parts
from holdfast.plans.variables import Scope, joined, sentence, whole

ReadFile = Callable[[str], bytes]

PORTS = {"http": 80, "https": 443}
_WITH_QUERY = frozenset({"GET", "DELETE", "OPTIONS"})
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SENT_OTHERWISE = re.compile(rf"""//|[{JAVA_BLANKS}"<>\\^`{{|}}]|^[^?]*[\[\]]|%(?![0-9a-fA-F]{{2}})""")
_BLANKS_BEYOND_ASCII = re.compile(rf"(?![\x00-\x7f])[{JAVA_BLANKS}]")
_FORM = "application/x-www-form-urlencoded"


@frozen
class SampledRequest:
    """What an HTTP Request of the plan sends.

    Attributes:
        server: scheme, host and port.
        keep_alive: whether the connection may be reused.
        connect_s, response_s: its timeouts; None if it has none.
    """

    server: str
    method: str
    path: Text
    headers: tuple[tuple[str, Text], ...]
    body: bytes | Pieces | None
    keep_alive: bool
    connect_s: float | None
    response_s: float | None


@frozen
class _Merged:
    """A request's properties, with its defaults filled in.

    Attributes:
        elements: the request, then its defaults, nearest first.
    """

    elements: Sequence[Properties]
    scope: Scope

    def raw(self, name: str) -> str:
        return next((found for each in self.elements if (found := each.text(name))), "")

    def literal(self, name: str, what: str) -> str:
        return self.scope.literal(self.raw(name), what).strip()

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A yes-or-no property of the request itself: in JMeter, defaults do not apply to these."""
        text = self.elements[0].text(name)
        return self.scope.literal(text, name).strip().lower() == "true" if text else default

    def milliseconds(self, name: str, what: str) -> float | None:
        found = self.scope.number(self.raw(name), what)
        return found / 1000 if found > 0 else None

    def arguments(self) -> list[Properties]:
        return [
            argument
            for each in self.elements
            for argument in each.inner("HTTPsampler.Arguments").elements("Arguments.arguments")
        ]


def request_of(
    node: Node, defaults: Sequence[Node], headers: Sequence[Node], scope: Scope, read_file: ReadFile
) -> SampledRequest:
    """What a sampler sends.

    Args:
        defaults: the HTTP Request Defaults that apply to it, nearest first.
        headers: the header managers that apply to it, nearest first.
        read_file: returns the content of a file that the plan names.

    Raises:
        UsageError: the request cannot be sent, or a reference in it has no value.
    """
    merged = _Merged([node.properties, *(each.properties for each in defaults)], scope)
    method = merged.literal("HTTPSampler.method", "its method") or "GET"
    path = scope.parts(merged.raw("HTTPSampler.path"))
    if path and isinstance(path[0], str) and path[0].lower().startswith(("http://", "https://")):
        server, path = _whole_url(path, scope)
    else:
        server = _server(merged)
        path = _with_query(_rooted(path, scope), merged, method)
    fields = _headers(headers, scope)
    keep_alive = merged.flag("HTTPSampler.use_keepalive")
    if not keep_alive:
        fields.insert(0, ("Connection", "close"))
    body, content_type = _body(merged, method, read_file)
    if content_type and not any(name.lower() == "content-type" and value for name, value in fields):
        fields.append(("Content-Type", content_type))
    path = _cut_fragment(path)
    _check_path(path, scope)
    return SampledRequest(
        server=server,
        method=method,
        path=whole(path) or "/",
        headers=tuple(fields),
        body=body,
        keep_alive=keep_alive,
        connect_s=merged.milliseconds("HTTPSampler.connect_timeout", "its connect timeout"),
        response_s=merged.milliseconds("HTTPSampler.response_timeout", "its response timeout"),
    )


def differences(node: Node, defaults: Sequence[Node]) -> list[Note]:
    """What JMeter does for a sampler besides sending its request, and holdfast does not."""
    elements = [node.properties, *(each.properties for each in defaults)]

    def has(*names: str) -> bool:
        return any(each.text(name) not in ("", "false") for each in elements for name in names)

    found = []
    if has("HTTPSampler.follow_redirects", "HTTPSampler.auto_redirects"):
        found.append("redirects are not followed; a redirect counts as the answer")
    if has("HTTPSampler.image_parser"):
        found.append("the images, scripts and styles of a page are not fetched")
    if has("HTTPSampler.proxyHost"):
        found.append("it is sent directly to its server, not to the proxy")
    if has("HTTPSampler.ipSource"):
        found.append("its source address is ignored; set one with --source")
    return [Note("differs", node.kind, node.name, meaning) for meaning in found]


def _server(merged: _Merged) -> str:
    scheme = merged.literal("HTTPSampler.protocol", "its protocol").lower() or "http"
    host = merged.literal("HTTPSampler.domain", "its server name").strip("[]")
    port = merged.scope.number(merged.raw("HTTPSampler.port"), "its port")
    if scheme not in PORTS:
        raise merged.scope.error(f"its protocol is {scheme!r}", "holdfast speaks http and https.")
    if not host:
        raise merged.scope.error(
            "it names no server",
            "Neither it nor the HTTP Request Defaults that apply to it have a server name.",
            "Fill in the server name, or set the property that it comes from with -J name=value.",
        )
    return server_name(scheme, host, port)


def server_name(scheme: str, host: str, port: int) -> str:
    """A server as in a URL, without the port if that is the scheme's default; 0 means the default too."""
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" if port in (0, PORTS[scheme]) else f"{scheme}://{host}:{port}"


def _whole_url(path: Parts, scope: Scope) -> tuple[str, Parts]:
    """Splits a path that is a whole URL, which JMeter allows, into the server and the path."""
    first = path[0]
    assert isinstance(first, str)
    try:
        url = urlsplit(first)
        port = url.port or 0
    except ValueError as error:
        raise scope.error(f"its path {first!r} is not a valid URL", sentence(error)) from error
    head = len(url.scheme) + len("://") + len(url.netloc)
    if not url.hostname or (len(path) > 1 and head == len(first)):
        raise scope.error("its server changes from one request to the next", f"Its path is a whole URL: {first!r}.")
    return server_name(url.scheme, url.hostname, port), _rooted(joined([first[head:], *path[1:]]), scope)


def _rooted(path: Parts, scope: Scope) -> Parts:
    """The path, with a slash put in front if it has none."""
    first = path[0] if path else ""
    if isinstance(first, Slot) and scope.slots is not None:
        slashed = scope.slots.encoded((first,), _slashed)
        return (*slashed, *path[1:]) if slashed != (first,) else ("/", *path)
    return path if isinstance(first, str) and first.startswith("/") else joined(["/", *path])


def _slashed(value: str) -> str:
    return value if value.startswith("/") else f"/{value}"


def _with_query(path: Parts, merged: _Merged, method: str) -> Parts:
    """The path with the arguments that belong in the query, encoded as JMeter does.

    Raises:
        UsageError: JMeter sends another path, or none.
    """
    _check_path(path, merged.scope, _BLANKS_BEYOND_ASCII)
    out: list[str | Slot] = [
        quote(part, safe=IN_URL, errors="replace") if isinstance(part, str) else part for part in path
    ]
    if method in _WITH_QUERY:
        started = any(isinstance(part, str) and "?" in part for part in path)
        for argument in merged.arguments():
            name = _spelled(argument, "Argument.name", merged.scope)
            if not name:
                continue
            equals = argument.text("Argument.metadata")  # JMeter saves the "=" there, if the argument has one
            out += ["&" if started else "?", *name, equals, *_spelled(argument, "Argument.value", merged.scope)]
            started = True
    return joined([quote(part, safe=IN_URL, errors="replace") if isinstance(part, str) else part for part in out])


def _check_path(path: Parts, scope: Scope, otherwise: re.Pattern[str] = _SENT_OTHERWISE) -> None:
    """Whether a path is sent as it is.

    Raises:
        UsageError: JMeter sends another, or none.
    """
    for part in path:
        if isinstance(part, str) and (found := otherwise.search(part)):
            raise scope.error(f"its path has {found[0]!r}", "JMeter sends it otherwise, or not at all.")


def _cut_fragment(path: Parts) -> Parts:
    """The path up to a #; clients do not send the fragment."""
    for index, part in enumerate(path):
        if isinstance(part, str) and "#" in part:
            return joined([*path[:index], part.partition("#")[0]])
    return path


def _spelled(argument: Properties, name: str, scope: Scope) -> Parts:
    """An argument's name or value, encoded if its "URL Encode?" is set."""
    parts = scope.parts(argument.text(name))
    encode = scope.literal(argument.text("HTTPArgument.always_encode"), "URL Encode?").lower() == "true"
    return _encoded(parts, form_encoded, scope) if encode else parts


def _encoded(parts: Parts, encode: Callable[[str], str], scope: Scope) -> Parts:
    if scope.slots is None:
        return tuple(encode(part) if isinstance(part, str) else part for part in parts)
    return scope.slots.encoded(parts, encode)


def _form_encoded_again(text: str) -> str:
    return form_encoded(unquote_plus(text))


def _headers(managers: Sequence[Node], scope: Scope) -> list[tuple[str, Text]]:
    """The header fields; if several managers set a name, the nearest one wins.

    That one may have a name twice; of the others only the first is added to it.
    Source: apache/jmeter 5.5, HeaderManager.java (merge).
    """
    fields: list[tuple[str, Text]] = []
    for place, manager in enumerate(managers):
        known = {name.lower() for name, _ in fields}
        for header in manager.properties.elements("HeaderManager.headers"):
            name = scope.literal(header.text("Header.name") or header.name, "the name of a header").strip()
            if name and name.lower() not in known and name.lower() != "content-length":
                fields.append((name, whole(_sendable(name, scope.parts(header.text("Header.value")), scope))))
                known |= {name.lower()} if place else set()
    return fields


def _sendable(name: str, value: Parts, scope: Scope) -> Parts:
    """A header's value, checked.

    Raises:
        UsageError: it cannot be sent in a header.
    """
    for part in value:
        if isinstance(part, str) and (any(ord(each) > 0xFF for each in part) or "\n" in part or "\r" in part):
            raise scope.error(f"its header {name} is {part!r}", "A header is one line in Latin-1 (RFC 9110, 5.5).")
    return value


def _body(merged: _Merged, method: str, read_file: ReadFile) -> tuple[bytes | Pieces | None, str]:
    """The body, and the Content-Type that JMeter adds if the plan sets none."""
    arguments = merged.arguments()
    raw = merged.flag("HTTPSampler.postBodyRaw") or (
        bool(arguments) and not any(each.text("Argument.name") for each in arguments)
    )
    files = [
        each
        for each in merged.elements[0].inner("HTTPsampler.Files").elements("HTTPFileArgs.files")
        if each.text("File.path")
    ]
    if method in _WITHOUT_BODY and not (method == "GET" and (raw or (files and not arguments))):
        return None, ""
    if merged.flag("HTTPSampler.DO_MULTIPART_POST") or (files and (arguments or files[0].text("File.paramname"))):
        raise merged.scope.error(
            "it sends a multipart form (multipart/form-data)",
            "holdfast does not support multipart forms.",
            "Disable it, or send the body as a file: one file without a parameter name, and no arguments.",
        )
    if files:
        (file, *_) = files
        name = merged.scope.literal(file.text("File.path"), "the file that it sends")
        return read_file(name), merged.scope.literal(file.text("File.mimetype"), "the file's type")
    charset = merged.literal("HTTPSampler.contentEncoding", "its encoding") or "UTF-8"
    if raw:
        parts = joined([part for each in arguments for part in _spelled(each, "Argument.value", merged.scope)])
        return _in_charset(parts, charset, merged.scope), f"text/plain; charset={charset}"
    form = whole(_form(arguments, merged.scope))
    return form.encode() if isinstance(form, str) else form, f"{_FORM}; charset={charset}"


def _form(arguments: Sequence[Properties], scope: Scope) -> Parts:
    """Arguments as the body of a form; a value that the plan calls already encoded is not encoded twice."""
    out: list[str | Slot] = []
    for argument in arguments:
        name, value = scope.parts(argument.text("Argument.name")), scope.parts(argument.text("Argument.value"))
        if not name:
            continue
        always = argument.text("HTTPArgument.always_encode").lower() == "true"
        encode = form_encoded if always else _form_encoded_again
        out += ["&" if out else "", *_encoded(name, encode, scope), "=", *_encoded(value, encode, scope)]
    return joined(out)


def _in_charset(parts: Parts, charset: str, scope: Scope) -> bytes | Pieces:
    """A body in its own encoding, which must be UTF-8 if the body has slots."""
    text = whole(parts)
    try:
        if isinstance(text, str):
            return text.encode(charset)
        "".encode(charset)
    except (LookupError, UnicodeError) as error:
        raise scope.error(f"its body cannot be encoded as {charset!r}", sentence(error)) from error
    if charset.lower() not in ("utf-8", "utf8") and not all(part.isascii() for part in parts if isinstance(part, str)):
        raise scope.error(
            f"its body is in {charset!r} and changes from one request to the next",
            "holdfast fills in bodies in UTF-8 only.",
        )
    return text
