"""Rows of `/proc/net/tcp` as kernels print them."""

from __future__ import annotations

import socket

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.model.timeline import ServerSocket
from holdfast.observe import socket_tables
from holdfast.observe.tcp import AF_INET, AF_INET6, address_text, peer_text

HEAD = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TABLE = HEAD + (
    b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000  0 4711 1 0 100 0 0 10 0\n"
    b"   1: 0100007F:1F90 0200007F:C350 01 00000000:00000012 00:00000000 00000000  1000  0 4712 1 0 20 4 30 10 -1\n"
    b"   2: 0100007F:1F90 0200007F:C351 01 00000000:00000012 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1\n"
    b"   3: 0100007F:1F90 0200007F:C352 03 00000000:00000000 01:00000063 00000000  1000        0 0 1 0\n"
    b"   4: 0100007F:1F90 0200007F:C353 06 00000000:00000000 03:000016DA 00000000     0        0 0 3 0\n"
    b"   5: 0100007F:0050 0200007F:C354 01 00000000:00000000 00:00000000 00000000     0        0 9 1 0 20 4 30 10 -1\n"
)


def test_a_listening_row_gives_the_depth_and_no_limit():
    listener = next(socket_tables.tcp_rows(TABLE, AF_INET))

    assert (listener.state, listener.address, listener.port, listener.inode) == ("LISTEN", "127.0.0.1", 8080, 4711)
    assert (listener.rqueue, listener.wqueue) == (3, None)


def test_rows_of_other_ports_are_left_out():
    assert len(list(socket_tables.tcp_rows(TABLE, AF_INET))) == 6
    assert {row.port for row in socket_tables.tcp_rows(TABLE, AF_INET, 8080)} == {8080}


def test_a_row_without_an_inode_is_accepted_only_if_its_server_has_closed_it():
    assert list(socket_tables.tcp_connections(TABLE, AF_INET, 8080).values()) == [
        ServerSocket("127.0.0.2", 50000, "ESTABLISHED", accepted=True),
        ServerSocket("127.0.0.2", 50001, "ESTABLISHED", accepted=False),
        ServerSocket("127.0.0.2", 50002, "SYN_RECV", accepted=False),
        ServerSocket("127.0.0.2", 50003, "TIME_WAIT", accepted=True),
    ]


def test_an_ipv6_row_keeps_the_mapped_form_as_record_and_loses_it_as_peer():
    row = (
        b"   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000200007F:C350 01 "
        b"00000000:00000000 00:00000000 00000000  0  0 5 1 0 20 4 30 10 -1\n"
    )

    record = next(socket_tables.tcp_rows(HEAD + row, AF_INET6))
    (peer,) = socket_tables.tcp_connections(HEAD + row, AF_INET6, 8080).values()

    assert (record.address, record.peer_address) == ("::ffff:127.0.0.1", "::ffff:127.0.0.2")
    assert peer.peer_address == "127.0.0.2"


@settings(deadline=None)  # a busy machine is no failure
@given(packed=st.binary(min_size=16, max_size=16))
def test_an_address_is_written_as_the_c_library_writes_it(packed):
    # ::a.b.c.d without ffff has been withdrawn (RFC 4291, 2.5.5.1), and no kernel gives it to a connection.
    assume(packed[:12] != bytes(12))

    assert address_text(AF_INET6, packed) == socket.inet_ntop(socket.AF_INET6, packed)
    assert address_text(AF_INET, packed[:4]) == socket.inet_ntop(socket.AF_INET, packed[:4])
    assert peer_text(AF_INET6, bytes(10) + b"\xff\xff" + packed[:4]) == address_text(AF_INET, packed[:4])
