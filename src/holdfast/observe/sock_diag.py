"""Socket records over netlink: bytes <-> records.

Rules of this file: no I/O; numbers are in the machine's own byte order as netlink(7) has them,
ports and addresses in network order; bytes of the wrong form raise ProtocolError and nothing else.

Layouts: include/uapi/linux/netlink.h (nlmsghdr, nlattr), inet_diag.h (inet_diag_req_v2,
inet_diag_sockid, inet_diag_msg), unix_diag.h; meaning: sock_diag(7).

A dump of one port needs no filter program (INET_DIAG_REQ_BYTECODE): inet_diag_dump_icsk() in
net/ipv4/inet_diag.c skips every socket whose local port is not `id.idiag_sport`, unless that is 0,
before anything is copied, and so did its predecessors since Linux 2.6.12.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from holdfast.model.frozen import frozen
from holdfast.model.timeline import ServerSocket
from holdfast.observe.tcp import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    LISTEN,
    STATES,
    TcpRecord,
    TcpVolume,
    accepted,
    address_text,
    peer_text,
    state_name,
)
from holdfast.procfs.parse import ProtocolError

SOCK_DIAG_BY_FAMILY = 20
IPPROTO_TCP = 6
LISTENING = 1 << LISTEN
SYN_SENT = 1 << 2
# Every state but LISTEN. SYN_RECV includes the kernel's NEW_SYN_RECV; TIME_WAIT is included.
CONNECTED = sum(1 << state for state in range(1, 12)) & ~LISTENING

_FAMILIES = frozenset({AF_INET, AF_INET6})
_NLMSG_NOOP, _NLMSG_ERROR, _NLMSG_DONE = 1, 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP = 0x01, 0x300
_HEADER = Struct("=IHHII")  # nlmsghdr: len, type, flags, seq, pid
_HEADER_SEEN = Struct("=IHxxI4x")  # the same without flags and pid
_CODE = Struct("=i")
# inet_diag_req_v2: family, protocol, ext, pad, states; then sockid: sport, dport, src, dst, if, cookie
_INET_REQUEST = Struct("=BBBxI2s46x")
_INET_DIAG_INFO = 2
_INET_DIAG_SKV6ONLY = 11  # one byte of each listening IPv6 socket: IPV6_V6ONLY of ipv6(7); since Linux 4.2
# tcp_info (include/uapi/linux/tcp.h): last_data_sent and last_data_recv, how many ms ago; bytes_acked, bytes_received,
# since Linux 4.1
_VOLUMES = Struct("=44xI4xI64xQQ")
# inet_diag_msg: family, state, timer, retrans, sockid, expires, rqueue, wqueue, uid, inode
_INET_RECORD = Struct("=BBxx2s2s16s16s12xIII4xI")
# The same with both ports and both addresses as one: what makes a connection this one.
_INET_CONNECTION = Struct("=BBxx36s28xI")
_INET_QUEUES = Struct("=xB54xII8x")
# unix_diag_req: family, protocol, pad, states, ino, show, cookie
_UNIX_REQUEST = Struct("=BxxxIII8x")
_UNIX_RECORD = Struct("=BBBxI8x")  # unix_diag_msg: family, type, state, pad, ino, cookie
_ATTRIBUTE = Struct("=HH")  # nlattr: len, type
_UNIX_SHOW_NAME, _UNIX_SHOW_VFS, _UNIX_SHOW_PEER, _UNIX_SHOW_ICONS, _UNIX_SHOW_RQLEN = 0x01, 0x02, 0x04, 0x08, 0x10
_UNIX_DIAG_NAME, _UNIX_DIAG_VFS, _UNIX_DIAG_PEER, _UNIX_DIAG_ICONS, _UNIX_DIAG_RQLEN = range(5)
_RQLEN = Struct("=II")  # unix_diag_rqlen: rqueue, wqueue
_INODE = Struct("=I")
_INODE_BITS = 0xFFFF_FFFF
_SOCK_STREAM = 1

# The kernel's parts are at most 32 KiB (net/netlink/af_netlink.c netlink_dump); anything that
# claims a multiple of it is not netlink, and waiting for its end would be waiting for ever.
_LONGEST_MESSAGE = 1 << 20


class KernelRefusal(ProtocolError):  # noqa: N818 - the kernel's well-formed "no" is not a malformed answer
    """The kernel answered with an error code instead of records."""

    def __init__(self, errno: int) -> None:
        super().__init__(f"the kernel refused the request with errno {errno}")
        self.errno = errno


@frozen
class UnixListener:
    """One listening Unix socket.

    Attributes:
        path: file, or "@" and the name of an abstract socket; None where it has no name.
        depth: connections that wait to be accepted.
        limit: the backlog in force; the queue holds limit + 1 (net/unix/af_unix.c unix_recvq_full, `>`).
        file: inode and device of its file, as the kernel has them; b"" where it has none, or they were not asked for.
        waiting: inodes of the clients' ends of those connections, 0 where the client has left; where asked for.
    """

    inode: int
    path: str | None
    depth: int
    limit: int
    file: bytes = b""
    waiting: tuple[int, ...] = ()

    @property
    def file_inode(self) -> int:
        """Of its file, its lower 32 bits (unix_diag_vfs); 0 where that is not known."""
        return _INODE.unpack_from(self.file)[0] if len(self.file) >= _INODE.size else 0

    def is_file(self, inode: int) -> bool:
        """Whether a file of this number is its own, as far as the kernel tells it."""
        return self.file_inode != 0 and self.file_inode == inode & _INODE_BITS


def tcp_request(family: int, states: int, port: int, sequence: int, *, volumes: bool = False) -> bytes:
    """A dump of this network namespace's TCP sockets.

    Args:
        family: AF_INET or AF_INET6; the IPv4 connections of a dual-stack listener are AF_INET6.
        states: bit n asks for TCP state n, e.g. LISTENING, CONNECTED.
        port: local port of the sockets; 0 asks for all.
        sequence: number that the answer repeats.
        volumes: with what was sent and received.
    """
    more = 1 << (_INET_DIAG_INFO - 1) if volumes else 0
    body = _INET_REQUEST.pack(family, IPPROTO_TCP, more, states, port.to_bytes(2))
    return _with_header(body, sequence)


def unix_request(sequence: int, *, files: bool = True, waiting: bool = False) -> bytes:
    """A dump of this network namespace's listening Unix sockets, with their queues.

    Args:
        files: with names and files too.
        waiting: with the clients in the queues too.
    """
    show = _UNIX_SHOW_RQLEN | (_UNIX_SHOW_NAME | _UNIX_SHOW_VFS) * files | _UNIX_SHOW_ICONS * waiting
    return _with_header(_UNIX_REQUEST.pack(AF_UNIX, LISTENING, 0, show), sequence)


def unix_connected_request(sequence: int) -> bytes:
    """A dump of this network namespace's Unix sockets that are one end of a connection, with the other end.

    Those that wait to be accepted are not among them: they have no inode yet (net/unix/diag.c sk_diag_dump()).
    """
    show = _UNIX_SHOW_NAME | _UNIX_SHOW_VFS | _UNIX_SHOW_PEER
    return _with_header(_UNIX_REQUEST.pack(AF_UNIX, CONNECTED, 0, show), sequence)


def _with_header(body: bytes, sequence: int) -> bytes:
    size = _HEADER.size + len(body)
    flags = _NLM_F_REQUEST | _NLM_F_DUMP
    return _HEADER.pack(size, SOCK_DIAG_BY_FAMILY, flags, sequence, 0) + body


class Answer:
    """The kernel's answer to one dump, put together from the parts in which it comes.

    Attributes:
        data: everything that was fed.
        records: (start, end) of each record's bytes in `data`, in the kernel's order.
        done: the end of the dump has come.
    """

    __slots__ = ("_position", "_sequence", "data", "done", "records")

    def __init__(self, sequence: int) -> None:
        self.data = bytearray()
        self.records: list[tuple[int, int]] = []
        self.done = False
        self._sequence = sequence
        self._position = 0

    @property
    def pending(self) -> int:
        """Bytes at the end that are not a whole message yet; after a received datagram it must be 0."""
        return max(0, len(self.data) - self._position)

    def feed(self, part: bytes | bytearray | memoryview) -> None:
        """Takes further bytes; where they are cut does not matter.

        Raises:
            KernelRefusal: the kernel answered with an error.
            ProtocolError: not an answer to this request.
        """
        self.data += part
        data, position, total, unpack = self.data, self._position, len(self.data), _HEADER_SEEN.unpack_from
        while total - position >= _HEADER.size:
            size, kind, sequence = unpack(data, position)
            end = position + size
            if not _HEADER.size <= size <= _LONGEST_MESSAGE:
                raise ProtocolError(f"a netlink message of {size} bytes")
            if self.done or sequence != self._sequence:
                raise ProtocolError(f"a message of dump {sequence} where dump {self._sequence} was asked for")
            if end > total:
                break
            if kind == SOCK_DIAG_BY_FAMILY:
                self.records.append((position + _HEADER.size, end))
            elif kind != _NLMSG_NOOP:
                self._end(kind, position + _HEADER.size, end)
            position += size + 3 & ~3
        # May lie beyond the end: the padding of the last message need not be there.
        self._position = position
        if self.done and total > position:
            raise ProtocolError("bytes after the end of the dump")

    def _end(self, kind: int, start: int, end: int) -> None:
        if kind not in (_NLMSG_ERROR, _NLMSG_DONE):
            raise ProtocolError(f"a netlink message of unexpected type {kind}")
        # DONE carries the code of a dump that failed on its way (Linux >= 4.15), ERROR always one.
        code = _CODE.unpack_from(self.data, start)[0] if end - start >= _CODE.size else 0
        if code < 0:
            raise KernelRefusal(-code)
        if kind == _NLMSG_ERROR:
            raise ProtocolError("an acknowledgement that was not requested")
        self.done = True


def tcp_records(answer: Answer) -> Iterator[TcpRecord]:
    """The records of an answer to `tcp_request`. Raises ProtocolError."""
    for start, end in answer.records:
        _check_size(end - start, _INET_RECORD.size)
        family, state, port, peer_port, address, peer, timer, rqueue, wqueue, inode = _INET_RECORD.unpack_from(
            answer.data, start
        )
        _check_family(family)
        yield TcpRecord(
            family=family,
            state=state_name(state),
            address=address_text(family, address),
            port=int.from_bytes(port),
            peer_address=address_text(family, peer),
            peer_port=int.from_bytes(peer_port),
            inode=inode,
            rqueue=rqueue,
            wqueue=wqueue,
            timer_ms=timer,
        )


def tcp_volumes(answer: Answer) -> Iterator[TcpVolume]:
    """The records of an answer to `tcp_request` with volumes; those without them are left out. Raises ProtocolError."""
    for record, (start, end) in zip(tcp_records(answer), answer.records, strict=True):
        info = dict(_attributes(bytes(answer.data[start + _INET_RECORD.size : end]))).get(_INET_DIAG_INFO, b"")
        if len(info) >= _VOLUMES.size:
            sent_ago, received_ago, sent, received = _VOLUMES.unpack_from(info)
            last = sent > 0 and sent_ago <= received_ago
            yield TcpVolume(record.inode, record.port, record.peer_address, record.peer_port, sent, received, last)


def dual_stack(answer: Answer) -> Iterator[int]:
    """Inodes of the listening IPv6 sockets of an answer that say they take IPv4 too. Raises ProtocolError."""
    for record, (start, end) in zip(tcp_records(answer), answer.records, strict=True):
        attributes = dict(_attributes(bytes(answer.data[start + _INET_RECORD.size : end])))
        if record.family == AF_INET6 and attributes.get(_INET_DIAG_SKV6ONLY) == b"\0":
            yield record.inode


def queue_sums(answer: Answer) -> tuple[int, int, int]:
    """Listening sockets of an answer: how many, sum of their depths, sum of their limits."""
    count = depth = limit = 0
    for start, end in answer.records:
        _check_size(end - start, _INET_QUEUES.size)
        state, rqueue, wqueue = _INET_QUEUES.unpack_from(answer.data, start)
        if state == LISTEN:
            count += 1
            depth += rqueue
            limit += wqueue
    return count, depth, limit


def connections(answer: Answer) -> dict[bytes, ServerSocket]:
    """Server-side sockets of an answer, by the identity of the connection (ports and addresses).

    Of a connection that the kernel showed twice, because a handshake was completed while the table
    was read, the later record counts. Raises ProtocolError.
    """
    # Straight from bytes to ServerSocket: 5 ms for 5,000 sockets, instead of 12 ms by way of TcpRecord.
    data, unpack, size = answer.data, _INET_CONNECTION.unpack_from, _INET_CONNECTION.size
    found: dict[bytes, ServerSocket] = {}
    for start, end in answer.records:
        if end - start < size:
            _check_size(end - start, size)
        family, state, identity, inode = unpack(data, start)
        if family not in _FAMILIES or state not in STATES:
            _check_family(family)
            state_name(state)
        found[identity] = ServerSocket(
            peer_text(family, identity[20:]),
            identity[2] << 8 | identity[3],
            STATES[state],
            inode != 0 or accepted(state, inode),
        )
    return found


def unix_listeners(answer: Answer) -> Iterator[UnixListener]:
    """The stream sockets of an answer to `unix_request`. Raises ProtocolError."""
    for start, end in answer.records:
        inode, kind, attributes = _unix_record(answer, start, end)
        queue = attributes.get(_UNIX_DIAG_RQLEN, b"")
        _check_size(len(queue), _RQLEN.size)
        depth, limit = _RQLEN.unpack_from(queue)
        icons = attributes.get(_UNIX_DIAG_ICONS, b"")
        waiting = tuple(each for (each,) in _INODE.iter_unpack(icons[: len(icons) & ~3]))
        if kind == _SOCK_STREAM:
            name = _unix_path(attributes.get(_UNIX_DIAG_NAME))
            yield UnixListener(inode, name, depth, limit, attributes.get(_UNIX_DIAG_VFS, b""), waiting)


def unix_sockets(answer: Answer, listener: UnixListener) -> Iterator[ServerSocket]:
    """The server's ends of a listener's connections, out of an answer to `unix_connected_request`.

    An end has the name and the file of the listener that it came by. Of a client that has left, the
    inode is 0, and the server's end counts as CLOSE_WAIT. Raises ProtocolError.
    """
    for _, attributes in _unix_ends(answer, listener):
        peer = attributes.get(_UNIX_DIAG_PEER, b"")
        _check_size(len(peer), _INODE.size)
        yield unix_socket(_INODE.unpack_from(peer)[0], accepted=True)


def unix_inodes(answer: Answer, listener: UnixListener) -> Iterator[int]:
    """The inodes of the same ends, by which they are descriptors of the processes that have accepted them."""
    return (inode for inode, _ in _unix_ends(answer, listener) if inode)


def _unix_ends(answer: Answer, listener: UnixListener) -> Iterator[tuple[int, dict[int, bytes]]]:
    name = _kernel_name(listener.path)
    for start, end in answer.records:
        # Most belong to other users, or are our own ends; this check is three times as fast as reading them.
        if answer.data.find(name, start, end) < 0:
            continue
        inode, _, attributes = _unix_record(answer, start, end)
        if _unix_path(attributes.get(_UNIX_DIAG_NAME)) != listener.path:
            continue
        if attributes.get(_UNIX_DIAG_VFS, b"") == listener.file:
            yield inode, attributes


def unix_socket(peer_inode: int, *, accepted: bool) -> ServerSocket:
    """The server's end of a connection to a Unix socket; the client's end is named by its inode, 0 once it is gone."""
    return ServerSocket("", peer_inode, "ESTABLISHED" if peer_inode else "CLOSE_WAIT", accepted)


def _unix_record(answer: Answer, start: int, end: int) -> tuple[int, int, dict[int, bytes]]:
    _check_size(end - start, _UNIX_RECORD.size)
    _, kind, _, inode = _UNIX_RECORD.unpack_from(answer.data, start)
    return inode, kind, dict(_attributes(bytes(answer.data[start + _UNIX_RECORD.size : end])))


def _unix_path(name: bytes | None) -> str | None:
    if not name:
        return None
    if name.startswith(b"\0"):
        return "@" + name[1:].decode("utf-8", "surrogateescape")
    return name.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _kernel_name(path: str | None) -> bytes:
    return (path or "").removeprefix("@").encode("utf-8", "surrogateescape")


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while len(data) - position >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(data, position)
        if not _ATTRIBUTE.size <= size <= len(data) - position:
            raise ProtocolError(f"a netlink attribute of {size} bytes")
        yield kind, data[position + _ATTRIBUTE.size : position + size]
        position += size + 3 & ~3


def _check_size(size: int, least: int) -> None:
    if size < least:
        raise ProtocolError(f"a part of a socket's record of {size} bytes, expected at least {least}")


def _check_family(family: int) -> None:
    if family not in _FAMILIES:
        raise ProtocolError(f"a TCP socket of address family {family}")
