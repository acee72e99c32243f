"""What the kernel says of real listening sockets and connections, by either interface."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct

import pytest
from pyroute2.netlink.diag import DiagSocket
from support.waiting import until

from holdfast.errors import EnvironmentFailure
from holdfast.model.accept_queue import AcceptQueue
from holdfast.model.timeline import Listener, ServerSocket
from holdfast.observe import socket_interfaces
from holdfast.observe.kernel import KernelView
from holdfast.observe.sock_diag import LISTENING, tcp_request
from holdfast.probing.ports import check_unix_shown


def port_of(listener):
    return listener.getsockname()[1]


def inode_of(sock):
    return os.fstat(sock.fileno()).st_ino


@pytest.mark.parametrize("backlog", [0, 1, 7, 16, 128])
def test_a_full_accept_queue_holds_one_more_than_the_backlog(kernel, listen, connect, sockets, backlog):
    # include/net/sock.h sk_acceptq_is_full: the queue is full when its depth is greater than the backlog.
    listener = listen(backlog)
    port = port_of(listener)
    for _ in range(backlog + 1):
        connect(listener)

    until(lambda: kernel.accept_queue(port).depth == backlog + 1, "the connections in the queue")
    beyond = sockets.enter_context(socket.socket())
    beyond.settimeout(0)
    beyond.connect_ex(listener.getsockname())

    # The SYN of the next one is dropped; it would be sent again after a second.
    assert select.select([], [beyond], [], 0.1) == ([], [], [])
    queue = kernel.accept_queue(port)
    assert queue == AcceptQueue(backlog + 1, backlog if kernel.source == "sock_diag" else None)
    assert queue.full == (kernel.source == "sock_diag")
    assert len(kernel.server_sockets(port)) == backlog + 1


def test_a_listener_is_described_by_inode_address_port_and_queue(sock_diag_view, listen):
    listener = listen(16)

    assert sock_diag_view.listeners(port_of(listener)) == (
        Listener(inode_of(listener), "127.0.0.1", port_of(listener), depth=0, limit=16),
    )


def test_a_port_on_which_nothing_listens_has_no_depth(kernel, sockets):
    bound = sockets.enter_context(socket.socket())
    bound.bind(("127.0.0.1", 0))
    port = port_of(bound)

    assert kernel.accept_queue(port) == AcceptQueue()
    assert kernel.listeners(port) == ()
    assert kernel.server_sockets(port) == ()


def test_listeners_that_share_a_port_are_told_apart_and_their_queues_added(kernel, listen, connect):
    first = listen(8, reuse_port=True)
    second = listen(4, port=port_of(first), reuse_port=True)
    for _ in range(5):
        connect(first)

    port = port_of(first)
    until(lambda: kernel.accept_queue(port).depth == 5, "the connections in the queue")
    listeners = kernel.listeners(port)

    assert {listener.inode for listener in listeners} == {inode_of(first), inode_of(second)}
    assert sum(listener.depth for listener in listeners) == 5
    # Queues of 8 + 1 and 4 + 1 hold 14, and are full when there is one more than 13.
    assert kernel.accept_queue(port).limit == (13 if kernel.source == "sock_diag" else None)


def test_connections_in_the_accept_queue_are_not_accepted_yet(kernel, listen, connect, sockets):
    listener = listen()
    clients = [connect(listener) for _ in range(3)]
    port = port_of(listener)
    until(lambda: kernel.accept_queue(port).depth == 3, "the connections in the queue")

    held, _ = listener.accept()
    sockets.enter_context(held)

    first = clients[0].getsockname()[1]
    assert sorted(kernel.server_sockets(port), key=lambda sock: sock.peer_port != first) == [
        ServerSocket("127.0.0.1", first, "ESTABLISHED", accepted=True),
        *(
            ServerSocket("127.0.0.1", sock.peer_port, "ESTABLISHED", accepted=False)
            for sock in kernel.server_sockets(port)
            if sock.peer_port != first
        ),
    ]
    assert {sock.peer_port for sock in kernel.server_sockets(port)} == {client.getsockname()[1] for client in clients}
    assert kernel.accept_queue(port).depth == 2


def test_a_client_that_left_the_accept_queue_is_seen_waiting_for_its_close(kernel, listen, connect):
    listener = listen()
    client = connect(listener)
    address, peer_port = client.getsockname()
    client.close()
    port = port_of(listener)

    closed = (ServerSocket(address, peer_port, "CLOSE_WAIT", accepted=False),)

    until(lambda: kernel.server_sockets(port) == closed, "the connections' states")
    assert kernel.accept_queue(port).depth == 1


def test_a_connection_that_its_server_closed_is_in_no_queue(kernel, listen, connect):
    # Its inode is 0 again, as that of a connection which was never accepted.
    listener = listen()
    client = connect(listener)
    held, (address, peer_port) = listener.accept()
    held.close()

    closed = (ServerSocket(address, peer_port, "FIN_WAIT2", accepted=True),)

    until(lambda: kernel.server_sockets(port_of(listener)) == closed, "the connections' states")
    assert client.recv(1) == b""


def test_a_reset_connection_stays_in_the_depth_but_is_no_socket_any_more(kernel, listen, connect):
    listener = listen()
    client = connect(listener)
    port = port_of(listener)
    until(lambda: kernel.accept_queue(port).depth == 1, "the connections in the queue")

    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()

    until(lambda: kernel.server_sockets(port) == (), "the connections' states")
    assert kernel.accept_queue(port).depth == 1


@pytest.mark.parametrize(("bound_to", "address"), [("127.0.0.1", "127.0.0.1"), ("::", "::1"), ("::", "127.0.0.1")])
def test_a_handshake_without_its_last_step_is_syn_recv(kernel, listen, connect, bound_to, address):
    # tcp(7) TCP_DEFER_ACCEPT: the kernel ignores the client's ACK until data comes.
    listener = listen(address=bound_to)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 10)
    port = port_of(listener)
    client = connect(listener, address)

    half_open = (ServerSocket(address, client.getsockname()[1], "SYN_RECV", accepted=False),)
    assert kernel.server_sockets(port) == half_open
    assert kernel.accept_queue(port).depth == 0

    client.send(b"G")
    until(lambda: kernel.accept_queue(port).depth == 1, "the connections in the queue")
    assert [sock.state for sock in kernel.server_sockets(port)] == ["ESTABLISHED"]


def test_a_dual_stack_listener_shows_clients_of_both_kinds_under_their_own_addresses(kernel, listen, connect):
    listener = listen(address="::")
    port = port_of(listener)
    clients = [connect(listener, "127.0.0.1"), connect(listener, "::1")]
    until(lambda: kernel.accept_queue(port).depth == 2, "the connections in the queue")

    seen = {(sock.peer_address, sock.peer_port) for sock in kernel.server_sockets(port)}

    assert seen == {client.getsockname()[:2] for client in clients}
    assert [listener.address for listener in kernel.listeners(port)] == ["::"]


def test_sock_diag_and_proc_net_tcp_show_the_same_sockets(listen, connect):
    listener = listen(address="::")
    for address in ["127.0.0.1", "::1"] * 10:
        connect(listener, address)
    for _ in range(5):
        listener.accept()[0].close()
    port = port_of(listener)

    with KernelView("sock_diag") as netlink, KernelView("/proc/net/tcp") as table:
        until(lambda: set(netlink.server_sockets(port)) == set(table.server_sockets(port)), "the connections' states")

        assert len(netlink.server_sockets(port)) == 20
        assert [
            Listener(each.inode, each.address, each.port, each.depth, None) for each in netlink.listeners(port)
        ] == list(table.listeners(port))


def test_an_answer_of_many_parts_is_read_whole_and_each_connection_once(kernel, listen, connect):
    listener = listen(4000)
    clients = [connect(listener) for _ in range(700)]
    port = port_of(listener)
    until(lambda: kernel.accept_queue(port).depth == 700, "the connections in the queue")

    seen = [sock.peer_port for sock in kernel.server_sockets(port)]

    assert sorted(seen) == sorted(client.getsockname()[1] for client in clients)


def test_pyroute2_reads_the_same_listeners(sock_diag_view, listen, connect):
    listener = listen(16, address="::1")
    listen(5)
    connect(listener, "::1")
    until(lambda: sock_diag_view.accept_queue(port_of(listener)).depth == 1, "the connections in the queue")

    ours = sock_diag_view.listening_inodes()

    theirs = [*oracle(socket.AF_INET, LISTENING), *oracle(socket.AF_INET6, LISTENING)]
    for inode in map(inode_of, [listener]):
        assert [
            (row["idiag_src"], row["idiag_sport"], row["idiag_rqueue"], row["idiag_wqueue"])
            for row in theirs
            if row["idiag_inode"] == inode
        ] == [(ours[inode].address, ours[inode].port, ours[inode].depth, ours[inode].limit)]


def test_pyroute2_reads_the_same_connections(sock_diag_view, listen, connect, sockets):
    listener = listen()
    for _ in range(50):
        connect(listener)
    for _ in range(20):
        sockets.enter_context(listener.accept()[0])
    port = port_of(listener)
    until(lambda: sock_diag_view.accept_queue(port).depth == 30, "the connections in the queue")

    theirs = {
        (row["idiag_dst"], row["idiag_dport"], row["idiag_inode"] != 0)
        for row in oracle(socket.AF_INET, 1 << 1)
        if row["idiag_sport"] == port
    }

    assert {(s.peer_address, s.peer_port, s.accepted) for s in sock_diag_view.server_sockets(port)} == theirs
    assert len(theirs) == 50


def oracle(family, states):
    with DiagSocket() as diag:
        diag.bind()
        return list(diag.get_sock_stats(family=family, states=states))


def test_unix_listeners_show_their_queues_too(sock_diag_view, sockets, tmp_path):
    path = str(tmp_path / "listener")
    named, abstract = (sockets.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
    named.bind(path)
    named.listen(5)
    abstract.bind(b"\0" + str(tmp_path).encode())
    abstract.listen(9)
    for _ in range(2):
        sockets.enter_context(socket.socket(socket.AF_UNIX)).connect(path)

    by_inode = {each.inode: each for each in sock_diag_view.unix_listeners()}

    assert (by_inode[inode_of(named)].path, by_inode[inode_of(named)].depth) == (path, 2)
    assert by_inode[inode_of(named)].limit == 5
    assert by_inode[inode_of(abstract)].path == f"@{tmp_path}"
    assert by_inode[inode_of(abstract)].limit == 9


# 99 is no netlink protocol: the kernel refuses the socket. On 2 (NETLINK_USERSOCK) no part of the
# kernel listens: it refuses the request.
@pytest.mark.parametrize("protocol", [99, 2])
def test_without_sock_diag_the_table_in_proc_is_read(monkeypatch, listen, protocol):
    monkeypatch.setattr(socket_interfaces, "NETLINK_SOCK_DIAG", protocol)
    listener = listen()

    with KernelView() as view:
        assert view.source == "/proc/net/tcp"
        assert view.listeners(port_of(listener))[0].inode == inode_of(listener)
        assert view.unix_listeners() is None
        with pytest.raises(EnvironmentFailure, match="Unix sockets cannot be probed"):
            check_unix_shown(view)


def test_a_system_that_shows_no_sockets_is_named_as_the_cause(monkeypatch, tmp_path):
    monkeypatch.setattr(socket_interfaces, "NETLINK_SOCK_DIAG", 99)
    monkeypatch.setattr(socket_interfaces, "_TABLES", dict.fromkeys((2, 10), str(tmp_path / "tcp")))

    with pytest.raises(EnvironmentFailure, match="socket tables cannot be read"):
        KernelView()


def test_a_dump_that_was_not_read_to_its_end_spoils_only_the_next_look(sock_diag_view, listen):
    listener = listen(3)
    port = port_of(listener)
    sock_diag_view._interface._socket.send(tcp_request(socket.AF_INET, LISTENING, 0, 77))

    with pytest.raises(EnvironmentFailure):
        sock_diag_view.accept_queue(port)

    assert sock_diag_view.accept_queue(port) == AcceptQueue(0, 3)


def test_a_kernel_without_ipv6_has_no_ipv6_table_to_miss(monkeypatch, listen, tmp_path):
    monkeypatch.setitem(socket_interfaces._TABLES, socket.AF_INET6, str(tmp_path / "tcp6"))
    listener = listen()

    with KernelView("/proc/net/tcp") as view:
        assert view.accept_queue(port_of(listener)) == AcceptQueue(0, None)


# Between opening a socket and keeping it, an interrupt leaves the socket to the collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_look_that_is_interrupted_anywhere_does_not_spoil_the_next_one(sock_diag_view, listen, connect):
    listener = listen(4000)
    for _ in range(600):
        connect(listener)
    port = port_of(listener)
    until(lambda: sock_diag_view.accept_queue(port).depth == 600, "the connections in the queue")

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for delay_us in range(100, 4000, 40):
            with pytest.raises(KeyboardInterrupt):
                look_until_interrupted(sock_diag_view, port, delay_us / 1e6)
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert len(sock_diag_view.server_sockets(port)) == 600
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def look_until_interrupted(view, port, delay_s):
    # Python drops an exception that is raised inside a destructor or a callback; then the next one counts.
    signal.setitimer(signal.ITIMER_REAL, delay_s, 1)
    while True:
        view.server_sockets(port)


def interrupt(_number, _frame):
    raise KeyboardInterrupt


def test_looking_costs_one_descriptor_in_all(listen):
    port = port_of(listen())
    before = len(os.listdir("/proc/self/fd"))

    with KernelView("sock_diag") as view:
        for _ in range(20):
            view.accept_queue(port)
            view.server_sockets(port)
        assert len(os.listdir("/proc/self/fd")) == before + 1

    assert len(os.listdir("/proc/self/fd")) == before
