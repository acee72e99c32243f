"""Texts of `/proc` as kernels print them."""

from __future__ import annotations

import os
import socket

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.model.timeline import ServerSocket
from holdfast.observe import procfs
from holdfast.observe.tcp import AF_INET, AF_INET6, ProtocolError, address_text, peer_text

HEAD = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TABLE = HEAD + (
    b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000  0 4711 1 0 100 0 0 10 0\n"
    b"   1: 0100007F:1F90 0200007F:C350 01 00000000:00000012 00:00000000 00000000  1000  0 4712 1 0 20 4 30 10 -1\n"
    b"   2: 0100007F:1F90 0200007F:C351 01 00000000:00000012 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1\n"
    b"   3: 0100007F:1F90 0200007F:C352 03 00000000:00000000 01:00000063 00000000  1000        0 0 1 0\n"
    b"   4: 0100007F:1F90 0200007F:C353 06 00000000:00000000 03:000016DA 00000000     0        0 0 3 0\n"
    b"   5: 0100007F:0050 0200007F:C354 01 00000000:00000000 00:00000000 00000000     0        0 9 1 0 20 4 30 10 -1\n"
)


@pytest.mark.parametrize(
    ("text", "sleeps"),
    [
        (b"230 0x1 0x1 0x7ffeb4668100 0x0 0x0 0x0 0x7ffeb46680e8 0x7f42dc6ed503\n", True),
        (b"270 0x0 0x0 0x0 0x0 0x7ffde8777850 0x0 0x7ffde8777840 0x7fcb66d1c954\n", True),
        (b"270 0x6 0x7ffe0 0x0 0x0 0x7ffde8777850 0x0 0x7ffde8777840 0x7fcb66d1c954\n", False),
        (b"232 0x0 0x7ffe0 0x40 0xffffffff 0x0 0x8 0x7ffde8777840 0x7fcb66d1c954\n", False),
        (b"running\n", False),
        (b"-1 0x7ffde8777840 0x7fcb66d1c954\n", False),
    ],
)
def test_only_a_call_that_waits_for_nothing_but_time_is_sleep(text, sleeps):
    assert procfs.only_sleeps(text, {35, 230}, {23, 270}) is sleeps


def test_a_listening_row_gives_the_depth_and_no_limit():
    listener = next(procfs.tcp_rows(TABLE, AF_INET))

    assert (listener.state, listener.address, listener.port, listener.inode) == ("LISTEN", "127.0.0.1", 8080, 4711)
    assert (listener.rqueue, listener.wqueue, listener.uid) == (3, None, 1000)


def test_rows_of_other_ports_are_left_out():
    assert len(list(procfs.tcp_rows(TABLE, AF_INET))) == 6
    assert {row.port for row in procfs.tcp_rows(TABLE, AF_INET, 8080)} == {8080}


def test_a_row_without_an_inode_is_accepted_only_if_its_server_has_closed_it():
    assert list(procfs.tcp_connections(TABLE, AF_INET, 8080).values()) == [
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

    record = next(procfs.tcp_rows(HEAD + row, AF_INET6))
    (peer,) = procfs.tcp_connections(HEAD + row, AF_INET6, 8080).values()

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


@pytest.mark.parametrize("name", [b"python", b"a) R 1 (b", b"(((", b")))", b" ", b"", b"\xff\xfe"])
def test_a_process_may_call_itself_what_it_likes(name):
    text = b"42 (" + name + b") S 7 42 40 0 -1 4194560 1 2 3 4 110 25 9 9 20 0 3 0 49831 313 394 1 2 3\n"

    stat = procfs.process_stat(text)

    assert (stat.pid, stat.name, stat.state) == (42, name.decode("utf-8", "replace"), "S")
    assert (stat.parent, stat.group, stat.session) == (7, 42, 40)
    assert (stat.cpu_ticks, stat.threads, stat.started_ticks) == (135, 3, 49831)


LIMITS = b"""Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max processes             96365                96365                processes
Max open files            256                  20000                files
"""


def test_limits_are_numbers_or_unlimited():
    assert procfs.soft_limit(LIMITS, b"Max open files") == 256
    assert procfs.soft_limit(LIMITS, b"Max processes") == 96365
    assert procfs.soft_limit(LIMITS, b"Max cpu time") is None
    with pytest.raises(ProtocolError):
        procfs.soft_limit(LIMITS, b"Max open")


def test_a_system_call_is_a_number_unless_the_thread_runs():
    assert procfs.syscall_number(b"232 0x4 0x7f 0x3e8 0x0 0x0 0x0 0x7ffd 0x7f12\n") == 232
    assert procfs.syscall_number(b"-1 0x7ffd 0x7f12\n") == -1
    assert procfs.syscall_number(b"running\n") is None


def test_a_link_to_a_socket_names_its_inode():
    assert procfs.socket_inode("socket:[4711]") == 4711
    for other in ("pipe:[4711]", "/dev/null", "socket:[]", "socket:[x]", "socket:[4711] (deleted)", "socket:[²]"):
        assert procfs.socket_inode(other) is None


def test_this_process_reads_itself():
    with open("/proc/self/stat", "rb") as file:
        stat = procfs.process_stat(file.read())
    with open("/proc/self/smaps_rollup", "rb") as file:
        memory = procfs.proportional_bytes(file.read())

    assert (stat.pid, stat.parent, stat.session) == (os.getpid(), os.getppid(), os.getsid(0))
    assert stat.state == "R"
    assert memory > 1_000_000
