"""What files of `/proc` say of processes, as kernels print them and as this kernel prints its own."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from holdfast.procfs import parse
from holdfast.procfs.parse import ProtocolError
from holdfast.procfs.read import is_alive, read_stat


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
    assert parse.only_sleeps(text, {35, 230}, {23, 270}) is sleeps


@pytest.mark.parametrize("name", [b"python", b"a) R 1 (b", b"(((", b")))", b" ", b"", b"\xff\xfe"])
def test_a_process_may_call_itself_what_it_likes(name):
    text = b"42 (" + name + b") S 7 42 40 0 -1 4194560 1 2 3 4 110 25 9 9 20 0 3 0 49831 313 394 1 2 3\n"

    stat = parse.process_stat(text)

    assert (stat.pid, stat.name, stat.state) == (42, name.decode("utf-8", "replace"), "S")
    assert (stat.parent, stat.group, stat.session) == (7, 42, 40)
    assert (stat.cpu_ticks, stat.threads, stat.started_ticks) == (135, 3, 49831)


LIMITS = b"""Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max processes             96365                96365                processes
Max open files            256                  20000                files
"""


def test_limits_are_numbers_or_unlimited():
    assert parse.soft_limit(LIMITS, b"Max open files") == 256
    assert parse.soft_limit(LIMITS, b"Max processes") == 96365
    assert parse.soft_limit(LIMITS, b"Max cpu time") is None
    with pytest.raises(ProtocolError):
        parse.soft_limit(LIMITS, b"Max open")


def test_a_system_call_is_a_number_unless_the_thread_runs():
    assert parse.syscall_number(b"232 0x4 0x7f 0x3e8 0x0 0x0 0x0 0x7ffd 0x7f12\n") == 232
    assert parse.syscall_number(b"-1 0x7ffd 0x7f12\n") == -1
    assert parse.syscall_number(b"running\n") is None


def test_a_link_to_a_socket_names_its_inode():
    assert parse.socket_inode("socket:[4711]") == 4711
    for other in ("pipe:[4711]", "/dev/null", "socket:[]", "socket:[x]", "socket:[4711] (deleted)", "socket:[²]"):
        assert parse.socket_inode(other) is None


def test_this_process_reads_itself():
    with open("/proc/self/stat", "rb") as file:
        stat = parse.process_stat(file.read())
    with open("/proc/self/smaps_rollup", "rb") as file:
        memory = parse.proportional_bytes(file.read())

    assert (stat.pid, stat.parent, stat.session) == (os.getpid(), os.getppid(), os.getsid(0))
    assert stat.state == "R"
    assert memory > 1_000_000


def test_a_zombie_tells_how_it_ended():
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", "import os; os.abort()"])
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        stat = read_stat(pid)
        alive = is_alive(pid)
    finally:
        os.waitpid(pid, 0)

    assert (stat.state, os.WTERMSIG(stat.wait_status), alive) == ("Z", signal.SIGABRT, False)
    assert (read_stat(pid), is_alive(pid)) == (None, False)


def test_private_pages_are_those_that_no_file_has():
    assert parse.private_pages(b"3961 1834 1201 569 0 412 0\n") == 633
    with pytest.raises(ProtocolError):
        parse.private_pages(b"3961 1834\n")


def test_a_range_of_ports_includes_both_ends():
    assert parse.port_range(b"32768\t60999\n") == range(32768, 61000)
    with pytest.raises(ProtocolError):
        parse.port_range(b"32768\n")


def test_a_time_namespace_may_be_ahead_or_behind():
    assert parse.monotonic_offset(b"monotonic        -100         5\nboottime            0         0\n") == (-100, 5)
    with pytest.raises(ProtocolError):
        parse.monotonic_offset(b"boottime 0 0\n")
