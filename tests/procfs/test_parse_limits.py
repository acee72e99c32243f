"""What `/proc` and cgroups say of limits, in the forms of the kernel's documentation, and in any others."""

from __future__ import annotations

import os
import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.procfs import parse
from holdfast.procfs.parse import CgroupMount, ProcessStatus, ProtocolError
from holdfast.procfs.read import read

# proc(5), /proc/pid/status.
STATUS = b"""Name:\tgun: (icorn)
Umask:\t0022
State:\tS (sleeping)
Pid:\t17248
Uid:\t1000\t1001\t1002\t1003
Gid:\t100\t101\t102\t103
FDSize:\t256
VmPeak:\t  131168 kB
VmSize:\t  131164 kB
Threads:\t7
CapEff:\t0000000001200000
"""
# cgroups(7), /proc/pid/cgroup, and proc(5), /proc/pid/mountinfo.
CGROUP = b"9:name=systemd:/\n8:pids:/a\n2:cpu,cpuacct:/user.slice/u:1\n0::/user.slice/user 1000\n"
MOUNTS = rb"""31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
39 31 0:36 /docker/4f /sys/fs/cgroup/pids\040x rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 master:2 - cgroup2 cgroup2 rw,nsdelegate
"""


def test_a_status_has_the_users_the_table_of_descriptors_and_the_address_space():
    found = parse.process_status(STATUS)

    assert (found.uid, found.gid) == (1000, 100)
    assert (found.threads, found.table_size, found.virtual_bytes) == (7, 256, 131164 * 1024)
    # CAP_SYS_ADMIN is 21, CAP_SYS_RESOURCE 24 (linux/capability.h).
    assert found.capabilities == 1 << 21 | 1 << 24


def test_of_a_process_that_has_ended_only_the_users_are_there():
    ended = b"".join(line for line in STATUS.splitlines(keepends=True) if not line.startswith((b"Vm", b"FDS")))

    assert parse.process_status(ended).table_size == 0
    assert parse.process_status(ended).virtual_bytes == 0


def test_this_process_has_the_limits_that_it_reads():
    limits = read("/proc/self/limits")
    status = parse.process_status(read("/proc/self/status"))

    for name, kind in ((b"Max open files", resource.RLIMIT_NOFILE), (b"Max address space", resource.RLIMIT_AS)):
        soft = resource.getrlimit(kind)[0]
        assert parse.soft_limit(limits, name) == (None if soft == resource.RLIM_INFINITY else soft)
    assert (status.uid, status.gid) == (os.getuid(), os.getgid())
    assert status.virtual_bytes > 10_000_000
    assert status.table_size >= len(os.listdir("/proc/self/fd"))


def test_cgroups_are_found_by_their_controllers_and_that_of_version_2_by_none():
    assert parse.cgroups(CGROUP) == {
        "name=systemd": "/",
        "pids": "/a",
        "cpu": "/user.slice/u:1",
        "cpuacct": "/user.slice/u:1",
        "": "/user.slice/user 1000",
    }


def test_hierarchies_are_found_where_they_are_mounted():
    assert parse.cgroup_mounts(MOUNTS) == (
        CgroupMount(1, ("rw", "cpu", "cpuacct"), "/", "/sys/fs/cgroup/cpu,cpuacct"),
        CgroupMount(1, ("rw", "pids"), "/docker/4f", "/sys/fs/cgroup/pids x"),
        CgroupMount(2, (), "/", "/sys/fs/cgroup/unified"),
    )


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (b"max\n", None),
        (b"512\n", 512),
        (b"0\n", 0),
        # PAGE_COUNTER_MAX in bytes, of pages of 4 and of 64 KiB (include/linux/page_counter.h).
        (b"9223372036854771712\n", None),
        (b"9223372036854710272\n", None),
    ],
)
def test_a_limit_of_a_cgroup_is_a_number_or_none(text, limit):
    assert parse.group_limit(text) == limit


def test_events_are_counted_by_name():
    assert parse.event_count(b"low 0\nhigh 3\nmax 17\noom 1\noom_kill 0\n", b"max") == 17
    assert parse.event_count(b"max 0\n", b"max") == 0
    with pytest.raises(ProtocolError):
        parse.event_count(b"low 0\n", b"max")


def test_the_threads_of_the_machine_are_behind_the_slash_of_the_load():
    assert parse.machine_threads(b"0.20 0.18 0.12 1/805 11206\n") == 805


def test_only_the_first_user_namespace_maps_every_user_to_itself():
    assert parse.maps_every_user_to_itself(b"         0          0 4294967295\n")
    assert not parse.maps_every_user_to_itself(b"         0     100000      65536\n")
    assert not parse.maps_every_user_to_itself(b"0 1000 1\n1 100000 65536\n")


# Each with the type of its record, and a file of that form.
FORMS = {
    "status": (parse.process_status, ProcessStatus, STATUS),
    "limits": (
        lambda text: parse.soft_limit(text, b"Max open files"),
        int | None,
        b"Max open files  256  999  files\n",
    ),
    "cgroup": (parse.cgroups, dict, CGROUP),
    "mountinfo": (parse.cgroup_mounts, tuple, MOUNTS),
    "pids.max": (parse.group_limit, int | None, b"512\n"),
    "pids.events": (lambda text: parse.event_count(text, b"max"), int, b"max 3\n"),
    "loadavg": (parse.machine_threads, int, b"0.20 0.18 0.12 1/805 11206\n"),
    "uid_map": (parse.maps_every_user_to_itself, bool, b"0 0 4294967295\n"),
}
every_form = pytest.mark.parametrize("name", FORMS)


def is_a_record_or_refused(name: str, text: bytes) -> bool:
    form, kind, _ = FORMS[name]
    try:
        return isinstance(form(text), kind)
    except ProtocolError:
        return True


@every_form
@given(text=st.binary(max_size=200))
def test_foreign_bytes_are_a_record_or_a_protocol_error(name, text):
    assert is_a_record_or_refused(name, text)


@every_form
@given(data=st.data())
def test_a_file_that_is_damaged_is_a_record_or_a_protocol_error(name, data):
    text = FORMS[name][2]
    at, cut = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 20))

    assert is_a_record_or_refused(name, text[:at] + data.draw(st.binary(max_size=5)) + text[at + cut :])


def test_the_memory_that_is_available_is_that_of_the_machine_in_bytes():
    text = b"MemTotal:       24622540 kB\nMemFree:         3105784 kB\nMemAvailable:   22735552 kB\nBuffers: 9 kB\n"

    assert parse.available_bytes(text) == 22735552 * 1024
    assert 0 < parse.available_bytes(read("/proc/meminfo")) < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with pytest.raises(ProtocolError):
        parse.available_bytes(b"MemTotal: 1 kB\n")
