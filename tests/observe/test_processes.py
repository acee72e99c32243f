"""Process trees, their use of the machine and their rest, on real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from support.waiting import until

from holdfast.observe.activity import settled
from holdfast.observe.limits import ProcessLimits, read_limits
from holdfast.observe.processes import (
    find_holders,
    find_listeners,
    read_abort_on_overflow,
    read_activity,
    read_process_tree,
    read_somaxconn,
    read_usage,
)

# A child with a child of its own, and a process whose parent has ended.
FAMILY = """
import os

def say_and_rest(name):
    os.write(1, f"{name} {os.getpid()}\\n".encode())
    os.read(0, 1)
    os._exit(0)

if os.fork() == 0:
    if os.fork() == 0:
        say_and_rest("grandchild")
    say_and_rest("child")
short_lived = os.fork()
if short_lived == 0:
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent:
            pass
        say_and_rest("orphan")
    os._exit(0)
os.waitpid(short_lived, 0)
os.write(1, f"root {os.getpid()}\\n".encode())  # said last: from here on no zombie is among them
os.read(0, 1)
"""


def named_pids(program, count):
    return {name: int(pid) for name, pid in (program.line().split() for _ in range(count))}


def test_a_tree_is_the_root_its_descendants_and_those_whose_parents_have_ended(program):
    root = program(FAMILY)
    family = named_pids(root, 4)

    assert read_process_tree(root.pid) == tuple(sorted(family.values()))


def test_a_process_tree_keeps_its_children_when_its_root_has_ended(program):
    root = program(FAMILY)
    family = named_pids(root, 4)

    os.kill(root.pid, signal.SIGKILL)
    root._process.wait()

    assert read_process_tree(root.pid) == tuple(sorted(set(family.values()) - {root.pid}))


def test_processes_that_are_not_related_are_not_in_the_tree(program):
    one, other = program("input()"), program("input()")

    assert read_process_tree(one.pid) == (one.pid,)
    assert {one.pid, other.pid, os.getpid()} <= set(read_process_tree(os.getpid()))


def test_a_process_that_has_ended_has_no_tree_no_usage_and_no_limits(kernel, program):
    ended = program("pass")
    ended._process.wait()
    pid = ended.pid

    assert read_process_tree(pid) == ()
    assert read_usage([pid], 1) is None
    assert read_limits(pid) == ProcessLimits(None, None, None, None)
    assert read_activity([pid]).processes == ()
    assert find_listeners([pid], kernel) == ()
    assert find_holders([1], [pid]) == {1: ()}


def test_a_listener_is_found_with_every_process_that_holds_it(kernel, program):
    server = program(
        textwrap.dedent("""
        import os, socket
        shared, own = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        os.set_inheritable(shared.fileno(), True)
        child = os.fork()
        if child == 0:
            own.close()
        else:
            print(child, shared.getsockname()[1], own.getsockname()[1], flush=True)
        os.read(0, 1)
        """)
    )
    child, shared, own = map(int, server.line().split())

    def seen():
        return {each.port: each.pids for each in find_listeners(read_process_tree(server.pid), kernel)}

    expected = {shared: tuple(sorted([server.pid, child])), own: (server.pid,)}
    while seen() != expected:
        assert server._process.poll() is None


def test_the_holder_of_a_listener_is_found_among_all_processes_when_it_left_its_tree(kernel, program):
    root = program(
        textwrap.dedent("""
        import os, socket
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                listener = socket.create_server(("127.0.0.1", 0))
                print(os.getpid(), listener.getsockname()[1], flush=True)
                os.read(0, 1)
            os._exit(0)
        """)
    )
    daemon, port = map(int, root.line().split())
    try:
        inode = kernel.listeners(port)[0].inode

        assert daemon not in read_process_tree(root.pid)
        assert find_holders([inode]) == {inode: (daemon,)}
    finally:
        os.kill(daemon, signal.SIGKILL)


def test_each_opened_descriptor_counts_as_one(program):
    server = program("opened = []\nwhile input() != 'end':\n    opened.append(open('/dev/null')); print(flush=True)")
    server.tell()
    server.line()
    before = read_usage([server.pid], 1)

    for opened in range(1, 11):
        server.tell()
        server.line()
        now = read_usage([server.pid], 2)
        assert now.descriptors == before.descriptors + opened
        assert (now.processes, now.threads) == (1, 1)


def test_each_thread_and_process_counts_as_one(program):
    server = program(
        textwrap.dedent("""
        import os, threading
        for _ in range(3):
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        child = os.posix_spawn("/bin/cat", ["cat"], {})
        print(child, flush=True)
        os.waitpid(child, 0)
        """)
    )
    server.line()

    seen = read_usage(read_process_tree(server.pid), 9)

    assert (seen.at_ns, seen.processes, seen.threads) == (9, 2, 5)


def test_memory_that_a_process_writes_to_is_counted(program):
    server = program("print(flush=True); input(); block = bytearray(b'x') * 50_000_000; print(flush=True); input()")
    server.line()
    before = read_usage([server.pid], 1)

    server.tell()
    server.line()

    grown = read_usage([server.pid], 2).memory_bytes - before.memory_bytes
    assert 45_000_000 < grown < 60_000_000


def test_memory_that_a_fork_shares_is_counted_once(program):
    server = program("import os\nblock = bytearray(b'x') * 50_000_000\nos.fork()\nprint(flush=True); input()")
    server.line()
    server.line()

    assert 50_000_000 < read_usage(read_process_tree(server.pid), 1).memory_bytes < 80_000_000


def test_cpu_that_a_process_burns_is_counted(program):
    server = program(
        "import time\nwhile time.process_time() < 0.2: pass\nprint(time.process_time(), flush=True); input()"
    )
    burnt = float(server.line())

    assert abs(read_usage([server.pid], 1).cpu_s - burnt) < 0.05


def test_the_kernel_settings_are_read_as_the_kernel_has_them():
    with open("/proc/sys/net/core/somaxconn") as file:
        assert read_somaxconn() == int(file.read())
    assert read_abort_on_overflow() in (True, False)


def test_a_process_that_waits_for_work_settles(program):
    server = program(
        textwrap.dedent("""
        import os, threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        if os.fork() == 0:
            os.read(0, 1)
        print(flush=True)
        os.read(0, 1)
        """)
    )
    server.line()

    until(
        lambda: settled(read_activity(read_process_tree(server.pid)), read_activity(read_process_tree(server.pid))),
        "a server at rest",
    )
    assert len(read_activity(read_process_tree(server.pid)).processes) == 2


def test_a_process_that_works_does_not_settle(program):
    server = program("print(flush=True)\nwhile True: pass")
    server.line()

    before = read_activity([server.pid])
    while read_usage([server.pid], 1).cpu_s < 0.3:
        assert not settled(before, read_activity([server.pid]))


def test_a_server_that_wakes_on_a_timer_settles(program):
    server = program("import select\nprint(flush=True)\nwhile True: select.select([0], [], [], 0.01)")
    server.line()

    until(lambda: settled(read_activity([server.pid]), read_activity([server.pid])), "a server at rest")
    assert len(read_activity([server.pid]).processes) == 1


def test_processes_that_end_while_they_are_read_are_left_out(kernel):
    for _ in range(15):
        children = [subprocess.Popen([sys.executable, "-S", "-c", "pass"]) for _ in range(4)]
        pids = [child.pid for child in children]
        while any(child.poll() is None for child in children):
            read_process_tree(pids[0])
            read_usage(pids, 1)
            read_activity(pids)
            find_listeners(pids, kernel)
            for pid in pids:
                read_limits(pid)
        assert read_usage(pids, 1) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has other people's processes to hide from itself")
def test_what_other_people_run_is_unknown_and_not_an_error():
    script = textwrap.dedent("""
        import os, socket, sys
        from dataclasses import astuple
        from holdfast.observe.kernel import KernelView
        from holdfast.observe.processes import *
        os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
        other = int(sys.argv[1])
        listener = socket.create_server(("127.0.0.1", 0), backlog=6)
        client = socket.socket()
        client.connect(listener.getsockname())
        with KernelView() as view:
            port = listener.getsockname()[1]
            print(view.source, *astuple(view.accept_queue(port)), len(view.server_sockets(port)))
            print(find_listeners([other], view), find_holders(view.listening_inodes(), [other]).get(0))
        print(other in read_process_tree(other))
        print([thread.syscall for thread in read_activity([other]).processes[0].threads][:1])
        seen = read_usage([other], 1)
        print(seen is None or seen.descriptors > 2)
        client.close(); listener.close()
    """)
    done = subprocess.run([sys.executable, "-c", script, str(os.getpid())], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout.splitlines() == ["sock_diag 1 6 1", "() None", "True", "[None]", "True"]
