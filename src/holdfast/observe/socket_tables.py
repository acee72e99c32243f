"""Rows of `/proc/net/tcp` and `tcp6` -> records. Pure.

Input is the bytes of a whole table as they were read. Bytes of the wrong form raise ProtocolError and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from holdfast.model.timeline import ServerSocket
from holdfast.observe.tcp import (
    AF_INET,
    AF_INET6,
    LISTEN,
    TcpRecord,
    accepted,
    address_text,
    peer_text,
    state_name,
)
from holdfast.procfs import parse
from holdfast.procfs.parse import ProtocolError

_WORDS_LITTLE = sys.byteorder == "little"
_ADDRESS_DIGITS = {AF_INET: 8, AF_INET6: 32}


def tcp_rows(text: bytes, family: int, port: int = 0) -> Iterator[TcpRecord]:
    """Rows of `/proc/net/tcp` or `tcp6`.

    A LISTEN row shows the accept queue's depth as rx_queue and no limit (net/ipv4/tcp_ipv4.c
    get_tcp4_sock); a SYN_RECV or TIME_WAIT row has inode 0 (get_openreq4, get_timewait4_sock).

    Args:
        family: AF_INET for `tcp`, AF_INET6 for `tcp6`.
        port: only rows with this local port; 0 is every row.
    """
    for row in _rows(text, port):
        state = parse.hexadecimal(row[3])
        address, local_port = _endpoint(row[1], family)
        peer, peer_port = _endpoint(row[2], family)
        written, _, unread = row[4].partition(b":")
        yield TcpRecord(
            family=family,
            state=state_name(state),
            address=address_text(family, address),
            port=local_port,
            peer_address=address_text(family, peer),
            peer_port=peer_port,
            inode=parse.number(row[9]),
            rqueue=parse.hexadecimal(unread),
            wqueue=None if state == LISTEN else parse.hexadecimal(written),
        )


def tcp_connections(text: bytes, family: int, port: int) -> dict[bytes, ServerSocket]:
    """Server-side sockets of one local port, by the identity of the connection. Raises ProtocolError."""
    found: dict[bytes, ServerSocket] = {}
    for row in _rows(text, port):
        state = parse.hexadecimal(row[3])
        if state != LISTEN:
            peer, peer_port = _endpoint(row[2], family)
            held = accepted(state, parse.number(row[9]))
            found[row[1] + row[2]] = ServerSocket(peer_text(family, peer), peer_port, state_name(state), held)
    return found


def _rows(text: bytes, port: int) -> Iterator[list[bytes]]:
    ending = b":%04X" % port
    for line in text.splitlines()[1:]:
        row = line.split()
        if len(row) < 10:
            raise ProtocolError(f"not a row of a socket table: {line[:80]!r}")
        if not port or row[1].endswith(ending):
            yield row


def _endpoint(text: bytes, family: int) -> tuple[bytes, int]:
    """Address in network order and port, from the kernel's hexadecimal words in its own byte order."""
    digits, _, port = text.partition(b":")
    if len(digits) != _ADDRESS_DIGITS[family]:
        raise ProtocolError(f"not an address of a socket table: {text[:80]!r}")
    try:
        packed = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise ProtocolError(f"not an address of a socket table: {text[:80]!r}") from None
    if len(packed) * 2 != len(digits):
        raise ProtocolError(f"not an address of a socket table: {text[:80]!r}")
    if _WORDS_LITTLE:
        packed = b"".join(packed[word : word + 4][::-1] for word in range(0, len(packed), 4))
    return packed, parse.hexadecimal(port)
