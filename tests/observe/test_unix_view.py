"""What the kernel says of real Unix sockets: their queues, and which client waits in them."""

from __future__ import annotations

import os
import socket

import pytest

from holdfast.model.accept_queue import AcceptQueue
from holdfast.model.timeline import Listener, ServerSocket
from holdfast.observe.kernel import KernelView
from holdfast.observe.routes import UnixListenAddress


def inode_of(sock):
    return os.fstat(sock.fileno()).st_ino


@pytest.fixture
def listener(sockets, tmp_path):
    """Listens on `tmp_path/s` with a backlog of 7; nobody accepts unless the test does."""
    found = sockets.enter_context(socket.socket(socket.AF_UNIX))
    found.bind(str(tmp_path / "s"))
    found.listen(7)
    return found


@pytest.fixture
def join(sockets):
    def join_one(listener):
        client = sockets.enter_context(socket.socket(socket.AF_UNIX))
        client.setblocking(False)
        client.connect(listener.getsockname())
        return client

    return join_one


@pytest.mark.parametrize("backlog", [0, 1, 7, 16, 128])
def test_a_full_queue_of_a_unix_socket_holds_one_more_than_its_backlog(sock_diag_view, listener, join, backlog):
    # net/unix/af_unix.c unix_recvq_full() is `>`; who does not wait for room gets EAGAIN.
    listener.listen(backlog)
    for _ in range(backlog + 1):
        join(listener)

    with pytest.raises(BlockingIOError):
        join(listener)

    address = UnixListenAddress(inode_of(listener))
    assert sock_diag_view.accept_queue(address) == AcceptQueue(backlog + 1, backlog)
    assert sock_diag_view.listeners(address) == (
        Listener(inode_of(listener), listener.getsockname(), 0, depth=backlog + 1, limit=backlog),
    )


def test_each_client_of_a_unix_socket_is_seen_waiting_or_accepted(sock_diag_view, listener, join, sockets):
    clients = [join(listener) for _ in range(5)]
    for _ in range(2):
        sockets.enter_context(listener.accept()[0])

    seen = {each.peer_port: each for each in sock_diag_view.server_sockets(UnixListenAddress(inode_of(listener)))}

    expected = zip(clients, [True, True, False, False, False], strict=True)
    assert seen == {
        inode_of(client): ServerSocket("", inode_of(client), "ESTABLISHED", accepted) for client, accepted in expected
    }


def test_the_ends_that_a_process_has_accepted_are_among_its_descriptors(sock_diag_view, listener, join, sockets):
    for _ in range(5):
        join(listener)
    accepted = [sockets.enter_context(listener.accept()[0]) for _ in range(2)]

    seen = sock_diag_view.connection_inodes(UnixListenAddress(inode_of(listener)))

    assert seen == {inode_of(each) for each in accepted}


def test_who_has_left_is_counted_until_the_server_is_done_with_it(sock_diag_view, listener, join, sockets):
    clients = [join(listener) for _ in range(3)]
    accepted = sockets.enter_context(listener.accept()[0])
    address = UnixListenAddress(inode_of(listener))

    clients[0].close()
    clients[2].close()
    left = [each for each in sock_diag_view.server_sockets(address) if each.peer_port == 0]
    accepted.close()

    assert sorted((each.state, each.accepted) for each in left) == [("CLOSE_WAIT", False), ("CLOSE_WAIT", True)]
    still = sorted((each.peer_port, each.accepted) for each in sock_diag_view.server_sockets(address))
    assert still == [(0, False), (inode_of(clients[1]), False)]


def test_a_name_that_was_given_to_another_listener_is_not_mistaken(sock_diag_view, listener, join, sockets):
    join(listener)
    path = listener.getsockname()
    os.unlink(path)
    other = sockets.enter_context(socket.socket(socket.AF_UNIX))
    other.bind(path)
    other.listen(3)
    clients = [join(other), join(other)]
    sockets.enter_context(other.accept()[0])

    assert sock_diag_view.accept_queue(UnixListenAddress(inode_of(listener))) == AcceptQueue(1, 7)
    assert {each.peer_port for each in sock_diag_view.server_sockets(UnixListenAddress(inode_of(other)))} == set(
        map(inode_of, clients)
    )


def test_a_thousand_clients_in_one_queue_are_all_told(sock_diag_view, listener, join, tmp_path):
    # More than a page of one netlink message: a dump's parts have 32 KiB once a reader has shown room for them.
    listener.listen(4096)
    clients = [join(listener) for _ in range(900)]

    seen = sock_diag_view.server_sockets(UnixListenAddress(inode_of(listener)))

    assert {each.peer_port for each in seen} == set(map(inode_of, clients))


def test_without_sock_diag_a_unix_socket_is_not_seen_at_all(listener):
    with KernelView("/proc/net/tcp") as view:
        address = UnixListenAddress(inode_of(listener))
        assert (
            view.accept_queue(address),
            view.listeners(address),
            view.server_sockets(address),
        ) == (AcceptQueue(), (), ())
