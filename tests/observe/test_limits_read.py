"""The limits of real processes, and how much of them is used."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import until

from holdfast.observe.limits import look_at_limits, read_limits, read_other_limits

MIB = 1 << 20
LIMITED = """
import resource as r
r.setrlimit(r.RLIMIT_NOFILE, (123, r.getrlimit(r.RLIMIT_NOFILE)[1]))
r.setrlimit(r.RLIMIT_NPROC, (77, 88))
r.setrlimit(r.RLIMIT_AS, (600 << 20, r.RLIM_INFINITY))
print(flush=True)
input()
"""
# Another user's, since its own threads alone are to be counted; SYS_ADMIN and SYS_RESOURCE go with the user.
AS_NOBODY = """
import os, resource as r, sys, threading
os.setgroups([]); os.setgid({user}); os.setuid({user})
r.setrlimit(r.RLIMIT_NPROC, ({limit}, {limit}))
started = 0
try:
    while True:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        started += 1
except RuntimeError:
    print(started, flush=True)
input()
"""
FORKS = """
import os, signal
print(os.getpid(), flush=True)
input()
refused = 0
for _ in range({number}):
    try:
        if os.fork() == 0:
            signal.pause()
    except OSError as error:
        refused += error.errno == {eagain}
print(refused, flush=True)
input()
"""
UNUSED_USER = 65533


def test_limits_are_those_of_the_process(program):
    server = program(LIMITED)
    server.line()

    found = read_limits(server.pid)

    assert (found.nofile, found.nproc, found.address_space) == (123, 77, 600 * MIB)
    assert read_other_limits(server.pid).address_space == 600 * MIB


def test_the_machine_has_a_limit_of_threads():
    limits = [int(Path("/proc/sys/kernel", name).read_text()) for name in ("threads-max", "pid_max")]

    assert read_other_limits(os.getpid()).threads_max == min(limits)


def test_a_look_has_what_each_process_uses_of_its_limits(program):
    server = program(
        "import os, threading\nheld = [os.open('/dev/null', os.O_RDONLY) for _ in range(40)]\n"
        "for _ in range(3): threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        f"{LIMITED}"
    )
    server.line()

    look = look_at_limits([server.pid], [server.pid], 17)

    assert look is not None
    (seen,) = look.processes
    assert (look.at_ns, seen.pid, seen.threads, seen.nofile) == (17, server.pid, 4, 123)
    assert seen.descriptors == len(os.listdir(f"/proc/{server.pid}/fd")) >= 43
    assert seen.descriptors <= seen.table_size
    assert 3 * 8 * MIB < seen.virtual_bytes < (seen.address_space or 0) == 600 * MIB
    assert seen.stack_bytes == _soft(resource.RLIMIT_STACK)
    assert look.machine_threads is not None
    assert look.machine_threads >= 4


def _soft(kind: int) -> int | None:
    soft = resource.getrlimit(kind)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def test_of_a_process_that_has_ended_there_is_no_look(program):
    server = program("pass")
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)

    assert look_at_limits([server.pid], [server.pid], 1) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_threads_of_the_user_are_counted_up_to_the_limit_that_the_kernel_sets(program):
    server = program(AS_NOBODY.format(user=UNUSED_USER, limit=12))
    # setrlimit(2), RLIMIT_NPROC: the main thread counts too.
    assert server.line() == "11"

    look = look_at_limits([server.pid], [server.pid], 1)

    assert look is not None
    assert (look.user_tasks, look.nproc) == (12, 12)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_threads_of_the_user_are_not_counted_where_the_machine_is_far_from_as_many(program):
    far = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    server = program(f"import os; os.setgid({UNUSED_USER}); os.setuid({UNUSED_USER}); print(flush=True); input()")
    server.line()

    look = look_at_limits([server.pid], [server.pid], 1)

    assert look is not None
    assert look.machine_threads is not None
    assert far == resource.RLIM_INFINITY or far > 2 * look.machine_threads
    assert (look.user_tasks, look.nproc) == (None, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is not bound by it")
def test_a_limit_that_does_not_bind_root_is_not_looked_at(program):
    server = program(LIMITED)
    server.line()

    look = look_at_limits([server.pid], [server.pid], 1)

    assert look is not None
    assert (look.user_tasks, look.nproc) == (None, None)


@contextlib.contextmanager
def cgroup(parent: Path) -> Iterator[Path]:
    """A new cgroup, or the test is skipped where none can be made."""
    directory = parent / f"holdfast-test-{secrets.token_hex(4)}"
    try:
        directory.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    try:
        yield directory
    finally:
        directory.rmdir()


@pytest.fixture
def tasks_group() -> Iterator[Path]:
    """A cgroup that limits tasks."""
    unified = Path("/sys/fs/cgroup/cgroup.subtree_control")
    if unified.exists() and "pids" not in unified.read_text().split():
        pytest.skip("the root's cgroup does not limit tasks below it")
    with cgroup(Path("/sys/fs/cgroup") if unified.exists() else Path("/sys/fs/cgroup/pids")) as directory:
        yield directory


def test_a_cgroup_of_tasks_is_found_with_what_it_refused(program, tasks_group):
    outer, inner = tasks_group, tasks_group / "inner"
    inner.mkdir()
    server = program(FORKS.format(number=8, eagain=errno.EAGAIN))
    server.line()
    try:
        if not (inner / "pids.max").exists():
            pytest.skip("tasks are not limited two levels down")
        # The outer one is the stricter one.
        (outer / "pids.max").write_text("5")
        (inner / "pids.max").write_text("50")
        (inner / "cgroup.procs").write_text(str(server.pid))
        assert read_other_limits(server.pid).pids_max == 5
        before = look_at_limits([server.pid], [server.pid], 1)

        server.tell()
        # Four fit beside the program itself (kernel: cgroup-v2.rst, pids.max).
        assert server.line() == "4"

        after = look_at_limits([server.pid], [server.pid], 2)
        assert before is not None
        assert before.tasks is not None
        assert after is not None
        assert after.tasks is not None
        assert (before.tasks.used, before.tasks.limit, after.tasks.used) == (1, 5, 5)
        assert (after.tasks.refusals or 0) - (before.tasks.refusals or 0) == 4
    finally:
        server.end()
        until(lambda: not (inner / "cgroup.procs").read_text(), "the end of its processes")
        inner.rmdir()
