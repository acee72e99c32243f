"""Requests that are sent as soon as connect(2) has returned, before any turn: and those that must not be."""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import closing

import pytest
from driving import MS, accept, turn_until

from holdfast.engine.columns import Columns
from holdfast.engine.connecting import connections_to
from holdfast.engine.kept import KeptConnections
from holdfast.model.places import Outcome

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_over_loopback_a_request_is_connected_and_sent_before_the_first_turn(listen, probe):
    listener = listen()
    prober = probe(listener)

    prober.open(1)

    columns = prober.columns
    assert (prober.established, prober.connecting) == (1, 0)
    assert columns.due[0] <= columns.opened[0] <= columns.connected[0] <= columns.sent[0]
    with accept(listener) as connection:
        connection.sendall(ANSWER)
        turn_until(prober, lambda: prober.ended)
    assert prober.outcome_counts() == {Outcome.ANSWERED: 1}
    assert columns.sent[0] <= columns.done[0]


def test_a_request_whose_syn_meets_a_full_accept_queue_is_neither_connected_nor_sent(listen, probe):
    # The kernel takes one more than the backlog, and drops the SYN of the next (listen(2); tcp_conn_request()).
    listener = listen(backlog=0)
    prober = probe(listener)

    prober.open(2)

    for _ in range(3):
        assert (prober.established, prober.connecting) == (1, 1)
        assert (prober.columns.connected[1], prober.columns.sent[1]) == (0, 0)
        prober.turn(10 * MS)


def test_a_request_that_waited_for_its_handshake_is_sent_once(listen, probe):
    listener = listen(backlog=0)
    prober = probe(listener)
    prober.open(2)

    with accept(listener):
        # Its SYN is repeated after a second (RFC 6298).
        turn_until(prober, lambda: prober.established == 2)

        with accept(listener) as late:
            late.sendall(ANSWER)
            turn_until(prober, lambda: prober.ended)
            # Our end is closed now, and nothing came after the head that `accept` has read.
            assert late.recv(100) == b""
    assert prober.columns.outcome[1] == Outcome.ANSWERED
    assert prober.columns.opened[1] < prober.columns.connected[1] <= prober.columns.sent[1]


def test_a_refused_request_ends_before_the_first_turn_and_was_never_sent(listen, probe):
    listener = listen()
    prober = probe(listener)
    listener.close()

    prober.open(1)

    assert prober.outcome_counts() == {Outcome.REFUSED: 1}
    assert (prober.columns.connected[0], prober.columns.sent[0]) == (0, 0)
    assert prober.columns.done[0] > 0
    assert prober.failure is None


def test_a_reset_while_the_connection_waits_in_the_accept_queue_is_a_reset_of_a_connection(listen, probe):
    listener = listen()
    prober = probe(listener)
    prober.open(1)

    # What is in its accept queue is reset (inet_csk_listen_stop()).
    listener.close()

    turn_until(prober, lambda: prober.ended)
    assert prober.outcome_counts() == {Outcome.RESET: 1}
    assert prober.columns.connected[0] > 0


def test_a_reset_right_after_accept_is_a_reset(listen, probe):
    listener = listen()
    prober = probe(listener)
    prober.open(1)
    with listener.accept()[0] as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    turn_until(prober, lambda: prober.ended)

    assert prober.outcome_counts() == {Outcome.RESET: 1}


def test_a_request_that_does_not_fit_into_the_send_buffer_goes_on_when_there_is_room(listen, probe):
    listener = listen()
    body = b"x" * (16 << 20)
    prober = probe(listener, body=body)

    prober.open(1)

    assert prober.columns.sent[0] > 0
    sent_ns = prober.columns.sent[0]
    with accept_slowly(prober, listener, len(body)) as connection:
        connection.sendall(ANSWER)
        turn_until(prober, lambda: prober.ended)
    assert prober.outcome_counts() == {Outcome.ANSWERED: 1}
    assert prober.columns.sent[0] == sent_ns


def accept_slowly(prober, listener, body_bytes):
    """The next connection, with a request that is read while it is sent."""
    connection = listener.accept()[0]
    connection.setblocking(False)
    read = b""

    def has_all() -> bool:
        nonlocal read
        try:
            read += connection.recv(1 << 20)
        except BlockingIOError:
            return False
        head, found, rest = read.partition(b"\r\n\r\n")
        return bool(head and found) and len(rest) == body_bytes

    turn_until(prober, has_all)
    connection.setblocking(True)
    return connection


# struct tcp_info (linux/tcp.h), behind eight bytes, 24 numbers of four, four of eight, one of four: segments that came
# in, and bytes that were not sent yet.
SEGS_IN = 8 + 24 * 4 + 4 * 8 + 4
NOT_SENT = SEGS_IN + 4
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def told_by_the_kernel(connection, at):
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int.from_bytes(info[at : at + 4], sys.byteorder)


def connections_for(listener, rows):
    connections = connections_to(*listener.getsockname(), lambda _row: REQUEST, Columns(rows))
    assert isinstance(connections, KeptConnections)
    return closing(connections)


@pytest.mark.parametrize("small", [False, True])
def test_where_requests_are_small_the_first_carries_the_last_of_the_handshake(listen, small):
    listener = listen()
    with connections_for(listener, 1) as connections:
        if small:
            connections.expect_small()

        connections.open(0)

        with accept(listener) as connection:
            # SYN, ACK, request: RFC 9293, 3.5.
            assert told_by_the_kernel(connection, SEGS_IN) == (2 if small else 3)


def test_small_requests_on_a_kept_connection_are_sent_at_once(listen):
    listener = listen()
    with connections_for(listener, 20) as connections:
        connections.expect_small()
        connections.refill(range(1, 20))
        connections.open(0)

        with accept(listener) as connection:
            for row in range(19):
                connection.sendall(ANSWER)
                turn_until(connections, lambda done=row + 1: connections.ended == done)

                (own,) = filter(None, connections._by_fd)
                assert told_by_the_kernel(own.sock, NOT_SENT) == 0
                assert connection.recv(100) == REQUEST
