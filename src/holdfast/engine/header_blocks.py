"""Field sections of HTTP/2 (RFC 7541): those of requests as bytes, and what those of replies say.

Facts
-----
* A field that both sides have in their table is one byte or two. The table of our requests is ours to fill, up to
  4,096 bytes unless the server allows less (RFC 9113, 6.5.2).
* A section that neither uses nor adds what was entered means the same for ever. One that only uses it means the same
  until something is added. One that only adds, as some servers write each of theirs, means the same for ever too, and
  what it does to the table is the same each time: so it need not be read again for the table to stay right.

Decisions
---------
* Fields enter our table as long as there is room, and none ever leaves it: so the second request of a kind is a few
  bytes, and each later one the same bytes again. No string is Huffman coded: few are sent twice.
* A server that allows less than 4,096 bytes gets none of it: its table is emptied once (RFC 7541, 4.2), and all
  fields are then literals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import hpack
from hpack.table import HeaderTable

from holdfast.engine.frames import BROKEN
from holdfast.engine.http1 import MAX_HEAD_BYTES, ProtocolError

Field = tuple[bytes, bytes]

TABLE_BYTES = 4096
_ENTRY_BYTES = 32
_STATIC = {field: at for at, field in reversed([*enumerate(HeaderTable.STATIC_TABLE, 1)])}
_STATIC_NAMES = {name: at for at, (name, _) in reversed([*enumerate(HeaderTable.STATIC_TABLE, 1)])}
_FIRST_DYNAMIC = len(HeaderTable.STATIC_TABLE) + 1
_MOST_REMEMBERED = 1_000
# Fields that are of a connection of HTTP/1, and an error in HTTP/2 (RFC 9113, 8.2.2); Host is :authority there.
_OF_HTTP1 = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_NOT_SENT = _OF_HTTP1 | {b"host"}


def request_fields(head: bytes, scheme: str) -> list[Field]:
    """The fields of a request whose head, without its empty line, was written for HTTP/1 by `http1.request_head`."""
    line, *lines = head.split(b"\r\n")
    method, path, _ = line.split(b" ")
    fields = [(name.lower(), value.strip()) for name, _, value in (each.partition(b":") for each in lines)]
    host = next((value for name, value in fields if name == b"host"), b"")
    named = {b":method": method, b":scheme": scheme.encode(), b":authority": host, b":path": path}
    return [*named.items(), *((name, value) for name, value in fields if name not in _NOT_SENT)]


class RequestBlocks:
    """The field sections of one connection's requests, in the order in which they are sent."""

    __slots__ = ("_begin", "_known", "_numbers", "_room", "_scheme")

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme
        self._room = TABLE_BYTES
        self._numbers: dict[Field, int] = {}
        self._known: dict[bytes, bytes] = {}
        self._begin = b""

    def limit_table(self, most_bytes: int) -> None:
        """The server's SETTINGS_HEADER_TABLE_SIZE."""
        if most_bytes < TABLE_BYTES and self._room >= 0:
            self._room = -1
            self._numbers.clear()
            self._known.clear()
            self._begin = b"\x20"

    def known(self, head: bytes) -> bytes | None:
        """The section of every further request with this head; None where the next one may still look otherwise."""
        return self._known.get(head)

    def of(self, head: bytes) -> bytes:
        """The section of the next request, whose head is as `request_fields` takes it."""
        known = self._known.get(head)
        if known is not None:
            return known
        before = len(self._numbers)
        block = self._begin + b"".join(map(self._field, request_fields(head, self._scheme)))
        if len(self._numbers) != before:
            # What is added moves what was there.
            self._known.clear()
        elif not self._begin and len(self._known) < _MOST_REMEMBERED:
            self._known[head] = block
        self._begin = b""
        return block

    def _field(self, field: Field) -> bytes:
        if (at := _STATIC.get(field)) is not None:
            return integer(at, 7, 0x80)
        if (number := self._numbers.get(field)) is not None:
            return integer(_FIRST_DYNAMIC + len(self._numbers) - 1 - number, 7, 0x80)
        name, value = field
        size = len(name) + len(value) + _ENTRY_BYTES
        at = _STATIC_NAMES.get(name, 0)
        if size <= self._room:
            self._room -= size
            self._numbers[field] = len(self._numbers)
            begin = integer(at, 6, 0x40)
        else:
            begin = integer(at, 4, 0x00)
        return begin + (b"" if at else _string(name)) + _string(value)


class Head(NamedTuple):
    """What a reply's field section says, and what it does to the table.

    Attributes:
        status: 0 where it has none, as in trailers.
        length: its Content-Length; None where it has none.
        location: where a redirect leads; "" without one.
        encoding: its Content-Encoding in lower case.
        kind: its Content-Type in lower case, without parameters.
        broken: why it breaks HTTP/2, in words; "" where it does not.
        depends: the same bytes mean this only until the table changes.
        adds: the fields that it enters into the table.
    """

    status: int
    length: int | None
    location: str
    encoding: str
    kind: str
    broken: str
    depends: bool
    adds: tuple[Field, ...]


class ReplyBlocks:
    """Reads the field sections of one connection's replies, in the order in which they come."""

    __slots__ = ("_always", "_decoder", "_owed", "_until_changed")

    def __init__(self) -> None:
        self._decoder = hpack.Decoder(MAX_HEAD_BYTES)
        self._always: dict[bytes, Head] = {}
        self._until_changed: dict[bytes, Head] = {}
        # What a section that came again and again has entered, and the table does not know yet.
        self._owed: tuple[tuple[Field, ...], int] = ((), 0)

    def known(self, block: bytes) -> Head | None:
        """What a section says that was read before and still means the same; None of any other."""
        return self._until_changed.get(block) or self._always.get(block)

    def repeated(self, head: Head, times: int) -> None:
        """A section that is still known has come again, so often."""
        if head.adds and times:
            fields, owed = self._owed
            if fields is not head.adds:
                self._pay()
                fields, owed = head.adds, 0
            self._owed = fields, owed + times
            self._until_changed.clear()

    def read(self, block: bytes) -> Head:
        """What a section says.

        Raises:
            ProtocolError: it cannot be read, and so neither can any that follows.
        """
        if (known := self.known(block)) is not None:
            self.repeated(known, 1)
            return known
        self._pay()
        before = self._decoder.header_table_size
        try:
            fields = [(bytes(each[0]), bytes(each[1])) for each in self._decoder.decode(block, raw=True)]
        except (hpack.HPACKError, ValueError, KeyError, IndexError, OverflowError) as error:
            # Of damaged bytes, the library has raised all of these.
            words = str(error)[:200] or type(error).__name__
            raise ProtocolError(f"{BROKEN}: a head cannot be read ({words})") from error
        depends, entered = forms(block)
        adds = tuple(field for field, enters in zip(fields, entered, strict=True) if enters)
        head = _head(fields, depends, adds)
        if adds or self._decoder.header_table_size != before:
            self._until_changed.clear()
        if not depends:
            _remember(self._always, block, head)
        elif not adds and self._decoder.header_table_size == before:
            _remember(self._until_changed, block, head)
        return head

    def _pay(self) -> None:
        """Brings the table to where it is for the server."""
        fields, times = self._owed
        self._owed = ((), 0)
        if times:
            table = self._decoder.header_table
            # What fills it once more than it holds leaves the same behind, however often it comes again.
            size = sum(len(name) + len(value) + _ENTRY_BYTES for name, value in fields)
            for _ in range(min(times, table.maxsize // size + 2)):
                for name, value in fields:
                    table.add(name, value)


def _remember(known: dict[bytes, Head], block: bytes, head: Head) -> None:
    if len(known) >= _MOST_REMEMBERED:
        known.clear()
    known[block] = head


def forms(block: bytes) -> tuple[bool, list[bool]]:
    """In which forms the fields of a section are written that can be read (RFC 7541, 6).

    Returns:
        Whether any of them depends on what was entered before, or changes the table's size; and of each field, whether
        it is entered.
    """
    depends, entered, at = False, [], 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            number, at = _integer_at(block, at, 7)
            entered.append(False)
        elif first & 0x40:
            number, at = _field_at(block, at, 6)
            entered.append(True)
        elif first & 0x20:
            number, at = _FIRST_DYNAMIC, _integer_at(block, at, 5)[1]
        else:
            number, at = _field_at(block, at, 4)
            entered.append(False)
        depends = depends or number >= _FIRST_DYNAMIC
    return depends, entered


def _field_at(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """Number of a literal field's name, and where the field ends."""
    number, at = _integer_at(block, at, bits)
    for _ in range(1 if number else 2):
        length, at = _integer_at(block, at, 7)
        at += length
    return number, at


def _integer_at(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """A number behind a prefix, and where it ends."""
    most = (1 << bits) - 1
    value, at = block[at] & most, at + 1
    if value < most:
        return value, at
    shift = 0
    while True:
        more, at = block[at], at + 1
        value += (more & 0x7F) << shift
        shift += 7
        if not more & 0x80:
            return value, at


def integer(value: int, bits: int, first: int) -> bytes:
    """A number behind a prefix (RFC 7541, 5.1).

    Args:
        bits: how many the first byte has for it.
        first: the others of the first byte.
    """
    most = (1 << bits) - 1
    if value < most:
        return bytes((first | value,))
    rest = bytearray((first | most,))
    value -= most
    while value >= 0x80:
        rest.append(value & 0x7F | 0x80)
        value >>= 7
    rest.append(value)
    return bytes(rest)


def _string(text: bytes) -> bytes:
    return integer(len(text), 7, 0x00) + text


def _head(fields: Sequence[Field], depends: bool, adds: tuple[Field, ...]) -> Head:  # noqa: FBT001 - a fact
    status, length, broken = 0, None, ""
    found = {b"location": b"", b"content-encoding": b"", b"content-type": b""}
    regular = False
    for name, value in fields:
        if name == b":status":
            if status or regular or not (len(value) == 3 and value.isdigit() and value[0] != ord("0")):
                broken = broken or f"a reply has the status {value[:60]!r}"
            else:
                status = int(value)
            continue
        if name.startswith(b":") or name in _OF_HTTP1 or name != name.lower() or not name:
            broken = broken or f"a reply has the field {name[:60]!r}"
        regular = True
        if name in found:
            found[name] = value
        elif name == b"content-length":
            if not value.isdigit() or len(value) > 18 or (length is not None and length != int(value)):
                broken = broken or f"a reply has the Content-Length {value[:60]!r}"
            else:
                length = int(value)
    location, encoding, kind = (each.decode("latin-1").strip() for each in found.values())
    kind = kind.partition(";")[0].strip().lower()
    return Head(status, length, location, encoding.lower(), kind, broken, depends, adds)
