"""Whatever bytes come from the kernel: records or ProtocolError, wherever the bytes are cut."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.timeline import ServerSocket
from holdfast.observe import sock_diag, socket_tables
from holdfast.observe.tcp import AF_INET, AF_INET6, STATES, TcpRecord
from holdfast.procfs import parse as procfs
from holdfast.procfs.parse import ProtocolError

SEQUENCE = 7
DONE = struct.pack("=IHHIIi", 20, 3, 2, SEQUENCE, 99, 0)
ERROR = struct.pack("=IHHIIi", 36, 2, 0, SEQUENCE, 99, -2) + bytes(16)
NOOP = struct.pack("=IHHII", 16, 1, 0, SEQUENCE, 99)


def message(body, kind=20, sequence=SEQUENCE):
    padding = bytes(-len(body) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, 2, sequence, 99) + body + padding


def inet_record(family, state, ports, addresses, numbers, timer=0):
    # include/uapi/linux/inet_diag.h inet_diag_msg with the inet_diag_sockid inside, in words of its own.
    head = struct.pack("=BBBB", family, state, 0, 0)
    sockid = struct.pack(">HH", *ports) + b"".join(addresses) + struct.pack("=III", 0, 1, 2)
    return head + sockid + struct.pack("=IIIII", timer, *numbers)


words = st.integers(0, 2**32 - 1)
ports = st.tuples(st.integers(0, 65535), st.integers(0, 65535))
addresses = st.tuples(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
records = st.builds(
    inet_record,
    st.sampled_from([AF_INET, AF_INET6]),
    st.sampled_from(sorted(STATES)),
    ports,
    addresses,
    st.tuples(words, words, words, words),
)
attributes = st.binary(max_size=60)
messages = st.builds(lambda record, tail: message(record + tail), records, attributes)
dumps = st.builds(
    lambda parts, noops: NOOP * noops + b"".join(parts) + DONE, st.lists(messages, max_size=8), st.integers(0, 2)
)


@st.composite
def mutated(draw):
    data = bytearray(draw(dumps))
    for _ in range(draw(st.integers(1, 6))):
        position = draw(st.integers(0, len(data) - 1))
        data[position] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=20))


foreign = st.one_of(st.binary(max_size=400), mutated(), dumps, st.just(ERROR))


def answer_to(parts):
    answer = sock_diag.Answer(SEQUENCE)
    for part in parts:
        answer.feed(part)
    return answer


def outcome(parts):
    """Everything that can be read from an answer fed in these parts, or the class of its error."""
    try:
        answer = answer_to(parts)
    except ProtocolError as error:
        return type(error)
    return answer.done, answer.pending, bytes(answer.data), answer.records, read(answer)


def read(answer):
    found = []
    readers: list[Callable[[sock_diag.Answer], object]] = [
        lambda answer: list(sock_diag.tcp_records(answer)),
        sock_diag.connections,
        sock_diag.queue_sums,
        lambda answer: list(sock_diag.unix_listeners(answer)),
        lambda answer: list(sock_diag.unix_sockets(answer, sock_diag.UnixListener(55, None, 0, 0))),
    ]
    for reader in readers:
        try:
            found.append(reader(answer))
        except ProtocolError as error:
            found.append(type(error))
    return found


def cut(data, cuts):
    edges = [0, *sorted(edge % (len(data) + 1) for edge in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@settings(deadline=None)  # a busy machine is no failure
@given(data=foreign)
def test_foreign_bytes_give_the_same_records_each_time_or_a_protocol_error(data):
    assert outcome([data]) == outcome([data])


@settings(deadline=None)  # a busy machine is no failure
@given(data=foreign, cuts=st.lists(st.integers(0, 10_000), max_size=8))
def test_where_a_stream_is_cut_does_not_matter(data, cuts):
    assert outcome(cut(data, cuts)) == outcome([data])


@settings(deadline=None)  # a busy machine is no failure
@given(data=dumps)
def test_a_stream_that_comes_byte_by_byte_is_the_same_stream(data):
    assert outcome([data[i : i + 1] for i in range(len(data))]) == outcome([data])


@settings(deadline=None)  # a busy machine is no failure
@given(
    family=st.sampled_from([AF_INET, AF_INET6]),
    ports=ports,
    numbers=st.tuples(words, words, words, words),
    timer=words,
)
def test_each_field_is_found_where_the_kernel_puts_it(family, ports, numbers, timer):
    addresses = (bytes([127, 0, 0, 1]) + bytes(12), bytes([127, 0, 0, 2]) + bytes(12))
    answer = answer_to([message(inet_record(family, 10, ports, addresses, numbers, timer)) + DONE])
    rqueue, wqueue, _uid, inode = numbers

    (record,) = sock_diag.tcp_records(answer)

    address, peer_address = {
        AF_INET: ("127.0.0.1", "127.0.0.2"),
        AF_INET6: ("7f00:1::", "7f00:2::"),
    }[family]
    assert record == TcpRecord(
        family, "LISTEN", address, ports[0], peer_address, ports[1], inode, rqueue, wqueue, timer
    )
    assert sock_diag.queue_sums(answer) == (1, rqueue, wqueue)
    assert answer.done


@settings(deadline=None)  # a busy machine is no failure
@given(data=dumps)
def test_the_short_way_to_connections_agrees_with_the_records(data):
    answer = answer_to([data])

    by_record = {
        (record.port, record.peer_port, record.address, record.peer_address): record
        for record in sock_diag.tcp_records(answer)
    }
    seen = sorted((sock.peer_port, sock.state) for sock in sock_diag.connections(answer).values())

    # Addresses that differ only where IPv4 has no bytes are one in the records and two on the short way.
    assert {port for port, _ in seen} == {record.peer_port for record in by_record.values()}
    assert len(seen) <= len(answer.records)


def test_a_connection_that_is_shown_twice_counts_once_and_as_it_was_last():
    addresses = (bytes(16), bytes(15) + b"\1")
    half_open = message(inet_record(AF_INET6, 3, (80, 5000), addresses, (0, 0, 0, 0)))
    complete = message(inet_record(AF_INET6, 1, (80, 5000), addresses, (0, 0, 0, 12)))

    (connection,) = sock_diag.connections(answer_to([half_open + complete + DONE])).values()

    assert (connection.state, connection.accepted) == ("ESTABLISHED", True)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (ERROR, "errno 2"),
        (struct.pack("=IHHIIi", 20, 3, 2, SEQUENCE, 99, -105), "errno 105"),
        (struct.pack("=IHHIIi", 20, 2, 0, SEQUENCE, 99, 0), "acknowledgement"),
        (message(bytes(72), sequence=8), "dump 8"),
        (message(bytes(72), kind=21), "type 21"),
        (struct.pack("=IHHII", 15, 20, 2, SEQUENCE, 0), "15 bytes"),
        (struct.pack("=IHHII", 2**31, 20, 2, SEQUENCE, 0), "2147483648 bytes"),
        (DONE + NOOP, "dump 7"),
        (DONE + b"x", "after the end"),
    ],
)
def test_an_answer_of_the_wrong_form_says_what_is_wrong(data, complaint):
    with pytest.raises(ProtocolError, match=complaint):
        answer_to([data])


@pytest.mark.parametrize(
    "body",
    [bytes(71), bytes(72), inet_record(AF_INET, 14, (1, 2), (bytes(16),) * 2, (0,) * 4)],
    ids=["too short", "no family", "no such state"],
)
def test_a_record_of_the_wrong_form_is_an_error_on_every_way(body):
    answer = answer_to([message(body) + DONE])

    with pytest.raises(ProtocolError):
        list(sock_diag.tcp_records(answer))
    with pytest.raises(ProtocolError):
        sock_diag.connections(answer)


def unix_record(*attributes):
    body = struct.pack("=BBBBIII", 1, 1, 10, 0, 55, 1, 2)
    for kind, value in attributes:
        body += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return message(body)


def test_a_unix_listener_is_read_from_its_attributes():
    queue = (4, struct.pack("=II", 3, 128))
    answer = answer_to([unix_record((0, b"/run/app\0"), queue), unix_record(queue, (0, b"\0app")), unix_record(queue)])

    assert list(sock_diag.unix_listeners(answer)) == [
        sock_diag.UnixListener(55, name, 3, 128) for name in ("/run/app", "@app", None)
    ]


@pytest.mark.parametrize("parts", [[], [(4, b"short")], [(0, b"/run/app")]])
def test_a_unix_listener_without_its_queue_is_an_error(parts):
    with pytest.raises(ProtocolError):
        list(sock_diag.unix_listeners(answer_to([unix_record(*parts)])))


def test_the_clients_in_a_unix_listeners_queue_are_read_with_it():
    parts = (0, b"/run/app\0"), (1, struct.pack("=II", 7, 9)), (3, struct.pack("=III", 5, 0, 6))
    answer = answer_to([unix_record(*parts, (4, struct.pack("=II", 3, 128)))])

    (listener,) = sock_diag.unix_listeners(answer)

    assert (listener.waiting, listener.file_inode) == ((5, 0, 6), 7)


@pytest.mark.parametrize(("inode", "its_own"), [(9, True), (9 + (5 << 32), True), (8, False), (0, False)], ids=str)
def test_a_sockets_file_is_known_by_as_much_of_its_number_as_the_kernel_tells(inode, its_own):
    listener = sock_diag.UnixListener(55, "/run/app", 0, 7, struct.pack("=II", 9, 1))

    assert listener.is_file(inode) is its_own
    assert not sock_diag.UnixListener(55, "/run/app", 0, 7).is_file(inode)


def test_the_ends_of_a_unix_listeners_connections_are_those_of_its_name_and_file():
    def end(peer, name=b"/run/app\0", file=9):
        return unix_record((0, name), (1, struct.pack("=II", file, 1)), (2, struct.pack("=I", peer)))

    answer = answer_to([end(11), end(12, file=8), end(13, name=b"/run/apple\0"), end(0), unix_record()])
    listener = sock_diag.UnixListener(55, "/run/app", 0, 7, struct.pack("=II", 9, 1))

    assert list(sock_diag.unix_sockets(answer, listener)) == [
        ServerSocket("", 11, "ESTABLISHED", accepted=True),
        ServerSocket("", 0, "CLOSE_WAIT", accepted=True),
    ]


TABLE = (
    b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000  0 4711 1 0 100 0 0 10 0\n"
    b"   1: 0100007F:1F90 0200007F:C350 01 00000000:00000012 00:00000000 00000000  1000  0 4712 1 0 20 4 30 10 -1\n"
)
STAT = b"42 (a (b) c) Z 7 42 40 0 -1 4194560 1 2 3 4 110 25 9 9 20 0 3 0 49831 313 394" + b" 1" * 26 + b" 9\n"
LIMITS = b"Limit   Soft Limit\nMax open files            256                  20000                files     \n"


@st.composite
def altered(draw, text):
    data = bytearray(text)
    for _ in range(draw(st.integers(0, 8))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.sampled_from(b"0123456789ABCDEFabc:() \n\0\xff-+_."))
    return bytes(data[: draw(st.integers(0, len(data)))])


texts = st.one_of(st.binary(max_size=200), altered(TABLE), altered(STAT), altered(LIMITS))


@settings(deadline=None)  # a busy machine is no failure
@given(text=texts, family=st.sampled_from([AF_INET, AF_INET6]), port=st.sampled_from([0, 8080]))
def test_foreign_text_gives_the_same_records_each_time_or_a_protocol_error(text, family, port):
    parsers: list[Callable[[], object]] = [
        lambda: list(socket_tables.tcp_rows(text, family, port)),
        lambda: socket_tables.tcp_connections(text, family, port),
        lambda: procfs.process_stat(text),
        lambda: procfs.proportional_bytes(text),
        lambda: procfs.soft_limit(text, b"Max open files"),
        lambda: procfs.syscall_number(text),
        lambda: procfs.core_times(text),
        lambda: procfs.only_sleeps(text, {35}, {23}),
        lambda: procfs.private_pages(text),
        lambda: procfs.port_range(text),
        lambda: procfs.single_number(text),
    ]
    for parse in parsers:
        try:
            parsed = parse()
        except ProtocolError:
            continue
        assert parsed == parse()
