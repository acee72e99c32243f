"""Descriptors, ports and processes that the load itself lacks: which, how many it takes, and what gives them."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import subprocess
import sys

import pytest
from support.commandline import PROGRAM
from support.lateness import apart_from_lateness

from holdfast.engine.local_limits import connections_of_one_process, failure_in_words, remedy

ANSWERED, INCONCLUSIVE, ENVIRONMENT = 0, 3, 4

# A network namespace of its own, whose one address that is not loopback has twenty ports towards the listener.
FEW_PORTS = """
import pathlib, socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["ip", "address", "add", "192.0.2.7/32", "dev", "lo"], check=True)
pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40019")
listener = socket.create_server(("192.0.2.7", 8000), backlog=100)
sys.exit(subprocess.run([sys.executable, "-m", "holdfast", "load", *sys.argv[1:]]).returncode)
"""


def limited(nofile: int) -> list[str]:
    return ["prlimit", f"--nofile={nofile}", *PROGRAM]


def test_too_few_descriptors_for_one_process_are_told_with_the_command_that_raises_them(holdfast, counting):
    held = [f"{counting.url}/silent", "--burst", "100", "--timeout", "1"]

    ended = holdfast.run("load", *held, "--processes", "1", "--json", "-", program=limited(64))

    assert ended.exit == INCONCLUSIVE
    result = json.loads(ended.out)
    assert result["outcomes"]["failed"] > 0
    (words,) = apart_from_lateness(result["warnings"])
    assert "RLIMIT_NOFILE" in words
    processes = re.search(r"--processes (\d+)", words)[1]
    for program, more in (
        (limited(int(re.search(r"`ulimit -n (\d+)`", words)[1])), ("--processes", "1")),
        (limited(64), ("--processes", processes)),
        (limited(64), ()),
    ):
        enough = json.loads(holdfast.run("load", *held, *more, "--json", "-", program=program).out)
        assert enough["outcomes"]["unanswered"] == 100, (program, more)


def test_clients_that_remember_are_dealt_out_among_as_many_processes_as_their_descriptors_need(holdfast, counting):
    held = [f"{counting.url}/silent", "--clients", "100", "--requests", "100", "--timeout", "1", "--cookies"]

    enough = json.loads(holdfast.run("load", *held, "--json", "-", program=limited(64)).out)
    assert enough["outcomes"]["unanswered"] == 100

    in_one = json.loads(holdfast.run("load", *held, "--processes", "1", "--json", "-", program=limited(64)).out)
    assert in_one["outcomes"]["failed"] > 0
    (words,) = apart_from_lateness(in_one["warnings"])
    assert "RLIMIT_NOFILE" in words
    assert re.search(r"--processes (\d+)", words)


def test_too_few_descriptors_for_clients_that_share_something_are_told_with_the_command_that_raises_them(
    holdfast, counting, tmp_path
):
    (tmp_path / "own.py").write_text("def sign(answer, values):\n    return {}\n")
    held = [f"{counting.url}/silent", "--clients", "100", "--requests", "100", "--timeout", "1"]
    held += ["--hook", f"{tmp_path / 'own.py'}:sign"]

    ended = holdfast.run("load", *held, "--json", "-", program=limited(64))

    assert ended.exit == INCONCLUSIVE
    result = json.loads(ended.out)
    assert result["outcomes"]["failed"] > 0
    assert result["offered"] == 100
    words, *reasons = apart_from_lateness(result["warnings"])
    # The hook's journey says of each outcome why there was nothing to give to it.
    failed, unanswered = (result["outcomes"][each] for each in ("failed", "unanswered"))
    assert [each.partition(",")[0] for each in sorted(reasons)] == sorted(
        [f"{failed} failed", f"{unanswered} unanswered"]
    )
    assert "RLIMIT_NOFILE" in words
    assert "--processes" not in words
    enough = limited(int(re.search(r"`ulimit -n (\d+)`", words)[1]))
    assert json.loads(holdfast.run("load", *held, "--json", "-", program=enough).out)["outcomes"]["unanswered"] == 100


def test_rows_for_which_there_is_no_memory_end_in_words(holdfast, counting):
    program = ["prlimit", "--as=2000000000", *PROGRAM]

    ended = holdfast.run("load", counting.url, "--clients", "1", "--for", "300s", program=program)

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: There is not enough memory for the rows of 50,000,000 requests."


def test_clients_that_remember_get_as_many_rows_as_there_is_memory_for(holdfast, counting):
    program = ["prlimit", "--as=800000000", *PROGRAM]

    ended = holdfast.run("load", counting.url, "--clients", "1", "--requests", "50", "--cookies", program=program)

    assert ended.exit == ANSWERED, ended.err
    assert "50 answered" in ended.out


def test_a_load_process_that_cannot_be_started_ends_in_words(holdfast, counting):
    ended = holdfast.run("load", counting.url, "--burst", "3000", program=limited(24))

    assert ended.exit == ENVIRONMENT
    assert re.match(r"holdfast: Load process \d+ of \d+ could not be started.", ended.what)
    assert "ulimit -n" in ended.err
    assert "Traceback" not in ended.err


def test_too_few_source_ports_are_told_with_how_many_addresses_it_takes():
    namespace = ["unshare", "--net"]
    if not shutil.which("ip") or subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a network namespace takes root and iproute2")
    load = ["http://192.0.2.7:8000/", "--allow-remote", "192.0.2.7", "--burst", "50", "--timeout", "1", "--json", "-"]
    program = [*namespace, sys.executable, "-c", FEW_PORTS, *load]

    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == INCONCLUSIVE, ended.stderr
    result = json.loads(ended.stdout)
    assert result["outcomes"]["unanswered"] == 20
    assert result["outcomes"]["failed"] == 30
    (words,) = apart_from_lateness(result["warnings"])
    assert words.startswith("No source port is left for the load (net.ipv4.ip_local_port_range): ")
    assert "50 connections at once to one address and port need as many, and a source address has 20" in words
    assert "give 5 addresses" in words
    assert "sysctl -w net.ipv4.ip_local_port_range=" in words


@pytest.mark.parametrize(
    ("number", "setting"),
    [
        (errno.ENFILE, "fs.file-max"),
        (errno.ENOSPC, "fs.epoll.max_user_watches"),
        (errno.ENOBUFS, "net.ipv4.tcp_mem"),
        (errno.ENOMEM, "memory"),
    ],
)
def test_what_the_whole_system_lacks_is_told_with_its_setting(number, setting):
    assert setting in failure_in_words(OSError(number, os.strerror(number)))[1]
    assert setting in remedy(number, 1_000_000, 19_000)


def test_a_load_process_has_room_for_what_is_said():
    open_now = len(os.listdir("/proc/self/fd")) - 1

    room = connections_of_one_process()

    assert room + open_now < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
