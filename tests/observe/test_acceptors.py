"""Which processes take connections from a listening socket, told from those that only hold it."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support.waiting import until

from holdfast.observe.acceptors import read_acceptors


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def seen(listener: socket.socket, connected: frozenset[int] | None = frozenset()):
    (acceptor,) = read_acceptors([os.getpid()], [os.fstat(listener.fileno()).st_ino], connected)
    return acceptor


def waits(listener: socket.socket) -> bool:
    return seen(listener).waits_on == (os.fstat(listener.fileno()).st_ino,)


@contextmanager
def thread_in(call: Callable[[], object], listener: socket.socket) -> Iterator[None]:
    """Runs a call that returns as soon as a connection has come."""
    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        with socket.create_connection(listener.getsockname()):
            thread.join()


def test_a_process_that_only_holds_the_socket_waits_for_nothing(listener):
    assert seen(listener).waits_on == ()
    assert seen(listener).parent == os.getppid()


def test_an_epoll_set_with_the_socket_in_it_is_a_wait(listener):
    with select.epoll() as epoll:
        epoll.register(listener, select.EPOLLIN)

        assert waits(listener)
        # A loop that a handler blocks has it too, and does not look.
        assert seen(listener).looks is False
        with thread_in(epoll.poll, listener):
            until(lambda: seen(listener).looks, "the thread looks at the set")


def polled(listener: socket.socket) -> object:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return poll.poll()


@pytest.mark.parametrize(
    "call",
    [polled, lambda listener: select.select([listener], [], []), lambda listener: listener.accept()[0].close()],
    ids=["poll", "select", "accept"],
)
def test_a_thread_in_a_call_on_the_socket_is_a_wait(listener, call):
    with thread_in(lambda: call(listener), listener):
        until(lambda: waits(listener), "the thread waits on the socket")
        found = seen(listener).waits_on

    assert found == (os.fstat(listener.fileno()).st_ino,)


def test_a_thread_in_select_on_something_else_is_not(listener):
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=lambda: select.select([ours], [], []))
    with ours:
        with theirs:
            thread.start()
            until(lambda: _waits_in_select(thread.native_id), "the thread is in select")
            found = seen(listener).waits_on
        thread.join()

    assert found == ()


def _waits_in_select(tid: int | None) -> bool:
    with open(f"/proc/self/task/{tid}/syscall") as file:
        return file.read().split()[0] in {"23", "270", "72"}


def test_connections_are_those_that_the_process_holds(listener):
    with socket.create_connection(listener.getsockname()), listener.accept()[0] as server:
        inode = os.fstat(server.fileno()).st_ino

        assert seen(listener, frozenset({inode, 1})).connections == 1
        assert seen(listener, None).connections is None


def test_what_a_worker_has_inherited_from_the_one_that_forked_it_is_not_its_own(listener):
    with socket.create_connection(listener.getsockname()), listener.accept()[0] as server:
        connected = frozenset({os.fstat(server.fileno()).st_ino})
        child = os.fork()
        if not child:
            select.select([listener], [], [])
            os._exit(0)
        try:
            pids, inodes = [os.getpid(), child], [os.fstat(listener.fileno()).st_ino]
            until(lambda: any(each.waits_on for each in read_acceptors(pids, inodes, connected)), "the child waits")
            found = {each.pid: each.connections for each in read_acceptors(pids, inodes, connected)}
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    assert found == {os.getpid(): 1, child: 0}


@pytest.mark.parametrize(("own", "rests"), [(True, False), (False, True)])
def test_a_process_that_waits_for_what_it_has_opened_itself_does_not_rest(listener, own, rests):
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        waited, _kept = socket.socketpair() if own else (ours, theirs)
        waited.recv(1)
        os._exit(0)
    try:
        pids, inodes = [os.getpid(), child], [os.fstat(listener.fileno()).st_ino]

        def found() -> bool | None:
            return {each.pid: each.rests for each in read_acceptors(pids, inodes, None)}[child]

        until(lambda: _calls(child) in {"45", "207"}, "the child receives")
        assert found() is rests
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        ours.close()
        theirs.close()


def _calls(pid: int) -> str:
    with open(f"/proc/{pid}/syscall") as file:
        return file.read().split()[0]


@pytest.mark.parametrize("looks", [False, True])
def test_an_epoll_set_that_was_inherited_counts_only_where_a_thread_looks_at_it(listener, looks):
    with select.epoll() as epoll:
        epoll.register(listener, select.EPOLLIN)
        child = os.fork()
        if not child:
            epoll.poll() if looks else signal.pause()
            os._exit(0)
        try:
            until(lambda: _calls(child) in ({"232", "22", "281"} if looks else {"34", "73"}), "the child waits")
            inode = os.fstat(listener.fileno()).st_ino
            found = {each.pid: each.waits_on for each in read_acceptors([os.getpid(), child], [inode], frozenset())}
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    assert found == {os.getpid(): (inode,), child: (inode,) if looks else ()}


def test_a_process_without_the_socket_is_left_out(listener):
    with socket.create_server(("127.0.0.1", 0)) as other:
        inode = os.fstat(other.fileno()).st_ino

    assert read_acceptors([os.getpid()], [inode], frozenset()) == ()
