"""HTTP/1 as bytes <-> events: a request's head out, a reply's progress in.

This file does not know what a socket is, which request a reply belongs to, or what time it is.
However a reply is cut into pieces, the reader says the same. Bytes from outside raise nothing but
`ProtocolError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import httptools

from holdfast.model.address import is_unix, shown
from holdfast.model.http_syntax import TOKEN

# Rivals' limits for the same thing: h11 100 KiB, curl 300 KiB, Go's net/http client 10 MiB, nginx
# as a proxy 4-8 KiB. Nothing that answers a probe needs more than this.
MAX_HEAD_BYTES = 65536

_START = b"HTTP/1."
_HEAD_END = b"\n\r\n"
IS_HTTP2 = "the reply is in HTTP/2"
IS_HTTP1 = "the reply is in HTTP/1"
NOT_HTTP2 = "the reply is not HTTP/2"
"""How a `ProtocolError` begins where the peer speaks the other version, or does not begin as HTTP/2 does."""
NO_ALPN = f"{NOT_HTTP2}: over TLS the server does not offer it (ALPN)"
"""Without a common protocol a server may also choose none (RFC 7301, 3.2, allows it to end the handshake)."""
# The head of SETTINGS, with which an HTTP/2 server begins, or of GOAWAY, both of the connection (RFC 9113, 4.1, 3.4).
_HTTP2 = re.compile(rb"\x00\x00.[\x04\x07].\x00{4}", re.DOTALL)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]")
_SWITCHING_PROTOCOLS = 101
_FIRST_STATUS = 100
FIRST_FINAL = 200
BODILESS = frozenset({204, 304})
SHOWN_BYTES = 60


class ProtocolError(Exception):
    """The peer's bytes are not a reply in HTTP/1; the message says in words what they are instead."""


def host_field(address: str, port: int) -> str:
    """Value of the Host field (RFC 9110, 7.2), the address as a URL has it; a Unix socket has no name of its own."""
    return "localhost" if is_unix(address) else shown(address, port)


def check_method(method: str) -> None:
    """Makes sure that a text can be a method (RFC 9110, 9.1).

    Raises:
        ValueError: it cannot.
    """
    if not TOKEN.fullmatch(method):
        raise ValueError(f"{method!r} is not an HTTP method.")


def request_head(
    method: str, path: str, host: str, headers: Iterable[tuple[str, str]] = (), body: bytes | None = None
) -> bytes:
    """A whole request as bytes.

    Args:
        path: path and query as they go on the wire; must be ASCII without spaces.
        host: value of the Host field; not added when `headers` brings its own.
        headers: further fields, in order.
        body: None sends none; otherwise Content-Length is added.

    Raises:
        ValueError: a part would break the head apart (line break, blank in the path, bad field name).
    """
    fields = list(headers)
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", host))
    if body is not None:
        fields.append(("Content-Length", str(len(body))))
    check_method(method)
    if not path or " " in path or not path.isascii() or _FORBIDDEN.search(path):
        raise ValueError(f"{path!r} is not a request path: it must be ASCII without spaces (write %20).")
    lines = [f"{method} {path} HTTP/1.1", *(_line(name, value) for name, value in fields)]
    try:
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{error.object[error.start]!r} cannot be sent in a header, whose characters must be in ISO 8859-1."
        ) from error


@lru_cache(1024)
def _line(name: str, value: str) -> str:
    """A field's line, which is mostly one that was made before: a quarter of the time (measured)."""
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header field.")
    if _FORBIDDEN.search(value.replace("\t", " ")):
        raise ValueError(f"The value of header {name} holds a line break or another control character.")
    return f"{name}: {value}"


def numbered(head: bytes, name: str, prefix: str) -> Callable[[int], bytes]:
    """The same request for each id, with one field more: `name: prefix` + id.

    Args:
        head: what `request_head` gave.
    """
    line, _, rest = head.partition(b"\r\n")
    before = line + b"\r\n" + f"{name}: {prefix}".encode("latin-1")
    after = b"\r\n" + rest

    def head_of(id_: int) -> bytes:
        return b"%b%d%b" % (before, id_, after)

    return head_of


class ReplyReader:
    """Reads one reply, in whatever pieces it comes.

    Attributes:
        status: HTTP status of the final head; 0 before it. Informational (1xx) heads are passed over.
        complete: the reply has ended as it announced.
        keep_alive: the connection may carry another request; only meaningful when complete.
        excess: bytes came after the end of the reply. The reply counts; the connection must not be reused.
        length: length of the body; None where it does not end by its length.
        location: where a redirect leads, as it was written; "" without one.
        encoding: the body's Content-Encoding in lower case; "" without one.
        kind: the body's Content-Type in lower case, without parameters; "" without one.
        pieces: those of the body that have come since the caller last emptied the list; None keeps none.
        interim: informational heads (1xx) that were passed over.
        body: its first bytes, as many as are to be kept.
    """

    __slots__ = (
        "_chunked",
        "_close",
        "_head",
        "_head_bytes",
        "_head_seen",
        "_keep",
        "_left",
        "_most_kept",
        "_parser",
        "_start",
        "_tail",
        "body",
        "complete",
        "encoding",
        "excess",
        "interim",
        "keep_alive",
        "kind",
        "length",
        "location",
        "pieces",
        "status",
    )

    def __init__(self, *, head: bool = False, most_kept: int = 0, in_pieces: bool = False) -> None:
        """Reads nothing yet.

        Args:
            head: the request was HEAD, so that no body follows whatever the head says.
            most_kept: bytes of the body that are kept.
            in_pieces: keep `pieces`.
        """
        self.status = 0
        self.complete = False
        self.keep_alive = False
        self.excess = False
        self.length: int | None = None
        self.location = ""
        self.encoding = self.kind = ""
        self.pieces: list[bytes] | None = [] if in_pieces else None
        self.interim = 0
        self.body = bytearray()
        self._most_kept = most_kept
        self._head = head
        self._head_bytes = 0
        self._left = 0
        self._start_message()

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the connection.

        Raises:
            ProtocolError: these bytes, after those before, are not an HTTP/1 reply.
        """
        while data and not self.complete:
            data = self._body(data) if self.status else self._more_head(data)
        # An empty line after a message is harmless (RFC 9112, 2.2).
        if data.strip(b"\r\n"):
            self.excess = True
            self.keep_alive = False

    @property
    def begun(self) -> bool:
        """Whether anything came that is not an informational head or a part of one that is known to be one."""
        return bool(self.status or self._start)

    def eof(self) -> bool:
        """The peer will send nothing more; True when that ends the reply as it announced."""
        if self.status and not self.complete and self.length is None and not self._chunked:
            self._finish(keep_alive=False)
        return self.complete

    def _start_message(self) -> None:
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._start = b""
        self._tail = b""
        self._head_seen = False
        self._chunked = False
        self._close = False
        self._keep = False
        self.length = None

    def _more_head(self, data: bytes) -> bytes:
        """Feeds up to the end of the head; returns what is left after it."""
        # Fed no further than a possible end of the head, so that the body is counted here: the
        # parser does not say at which byte a message ended.
        begin = self._tail + data
        found = begin.find(_HEAD_END)
        end = len(data) if found < 0 else found + len(_HEAD_END) - len(self._tail)
        end = min(end, MAX_HEAD_BYTES - self._head_bytes)
        self._check_start(data[:end])
        self._parse(data[:end])
        self._head_bytes += end
        self._tail = (self._tail + data[:end])[1 - len(_HEAD_END) :]
        if self._head_seen:
            self._head_complete()
        elif self._head_bytes >= MAX_HEAD_BYTES:
            raise ProtocolError(f"the head of the reply does not end within {MAX_HEAD_BYTES // 1024} KiB")
        return data[end:]

    def _check_start(self, data: bytes) -> None:
        if len(self._start) >= len(_START):
            return
        begin = (self._start + data).lstrip(b"\r\n")
        self._start = begin[: len(_START)]
        if _HTTP2.match(begin):
            raise ProtocolError(IS_HTTP2)
        if not _START.startswith(self._start):
            raise ProtocolError(f"the reply is not HTTP/1: it begins with {begin[:SHOWN_BYTES]!r}")

    def _head_complete(self) -> None:
        parser = self._parser
        if parser is None:
            raise AssertionError
        status = parser.get_status_code()
        if status < FIRST_FINAL and status != _SWITCHING_PROTOCOLS:
            if status < _FIRST_STATUS:
                raise ProtocolError(f"the status of the reply is {status:03d}")
            self.interim += 1
            self._start_message()
            return
        self.status = status
        persistent = self._keep if parser.get_http_version() == "1.0" else not self._close
        if self._head or status in BODILESS:
            self.length = 0
            self._finish(keep_alive=persistent)
        elif status == _SWITCHING_PROTOCOLS:
            self._finish(keep_alive=False)
        elif self.length == 0 and not self._chunked:
            self._finish(keep_alive=persistent)
        else:
            self.keep_alive = persistent
            self._left = self.length or 0

    def _body(self, data: bytes) -> bytes:
        if self._chunked:
            self._parse(data)
            return b""
        if self.length is None:
            self._kept(data)
            return b""
        taken = min(self._left, len(data))
        self._left -= taken
        self._kept(data[:taken])
        if self._left == 0:
            self._finish(keep_alive=self.keep_alive)
        return data[taken:]

    def _kept(self, data: bytes) -> None:
        if self.pieces is not None:
            self.pieces.append(data)
        if self._most_kept > len(self.body):
            self.body += data[: self._most_kept - len(self.body)]

    def _finish(self, *, keep_alive: bool) -> None:
        self.complete = True
        self.keep_alive = keep_alive
        self._parser = None  # it holds our methods: without this, only the garbage collector frees both

    def _parse(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            raise AssertionError
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass
        except (httptools.HttpParserError, httptools.HttpParserCallbackError) as error:
            if not self.complete:
                if parser.get_status_code() == _SWITCHING_PROTOCOLS:
                    raise ProtocolError("the server switches to another protocol (status 101), unasked") from error
                where = "body" if self.status else "head"
                raise ProtocolError(f"the {where} of the reply is not HTTP/1: {error}") from error
            self.excess = True
            self.keep_alive = False

    def on_message_begin(self) -> None:
        """Called by httptools, as the following: at the first byte of a message."""
        if self.complete:
            self.excess = True
            self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of a chunked body's trailer."""
        if self._head_seen:
            return
        name = name.lower()
        if name == b"content-length":
            self.length = int(value)
        elif name == b"transfer-encoding":
            self._chunked = value.lower().rsplit(b",", 1)[-1].strip() == b"chunked"
        elif name == b"connection":
            tokens = {token.strip() for token in value.lower().split(b",")}
            self._close = self._close or b"close" in tokens
            self._keep = self._keep or b"keep-alive" in tokens
        elif name == b"location":
            self.location = value.decode("latin-1")
        elif name == b"content-encoding":
            self.encoding = value.decode("latin-1").strip().lower()
        elif name == b"content-type":
            self.kind = value.decode("latin-1").partition(";")[0].strip().lower()

    def on_body(self, data: bytes) -> None:
        """A piece of a body in chunks; one of a known length, or up to the end, is read here instead."""
        if self._chunked:
            self._kept(data)

    def on_headers_complete(self) -> None:
        """The empty line after the head."""
        self._head_seen = True

    def on_message_complete(self) -> None:
        """The end of a message, as the parser sees it; bodies of a known length are counted here instead."""
        if self.status and not self.complete:
            self._finish(keep_alive=self.keep_alive)
