"""Which address leads to which listening socket, by rule and by the kernel's own choice."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest
from support.waiting import until

from holdfast.model.accept_queue import AcceptQueue
from holdfast.model.timeline import Listener
from holdfast.observe.kernel import KernelView
from holdfast.observe.routes import routes_to


def listener(address, port=80, inode=1):
    return Listener(inode, address, port, depth=0, limit=5)


@pytest.mark.parametrize(
    ("addresses", "destination", "listens_on"),
    [
        (["127.0.0.1"], "127.0.0.1", "127.0.0.1"),
        (["0.0.0.0"], "127.0.0.1", "0.0.0.0"),
        (["::"], "::1", "::"),
        (["::1"], "::1", "::1"),
        (["0.0.0.0", "::"], "127.0.0.1", "0.0.0.0"),
        (["::1", "127.0.0.1"], "127.0.0.1", "127.0.0.1"),
        (["127.0.0.1", "0.0.0.0"], "127.0.0.1", "127.0.0.1"),
        (["192.0.2.7", "::"], "::1", "::"),
        (["192.0.2.7"], "192.0.2.7", "192.0.2.7"),
        (["127.0.0.2"], "127.0.0.2", "127.0.0.2"),
        (["::ffff:127.0.0.1"], "127.0.0.1", "::ffff:127.0.0.1"),
        (["::ffff:0.0.0.0"], "127.0.0.1", "::ffff:0.0.0.0"),
    ],
)
def test_a_port_is_reached_over_loopback_and_ipv4_where_that_is_possible(addresses, destination, listens_on):
    (route,) = routes_to([listener(each) for each in addresses], ())

    assert (route.address, route.port, route.listens_on) == (destination, 80, listens_on)
    assert {each.address for each in route.listeners} == {listens_on}


@pytest.mark.parametrize("also", [[], ["192.0.2.7"]])
def test_a_socket_for_both_families_is_reached_over_ipv4(also):
    (route,) = routes_to([listener("::", inode=7), *map(listener, also)], {7})

    assert (route.address, route.listens_on) == ("127.0.0.1", "::")


def test_a_socket_for_ipv6_alone_is_told_from_one_for_both_families():
    with KernelView() as kernel, socket.socket(socket.AF_INET6) as both, socket.socket(socket.AF_INET6) as six:
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for each in (both, six):
            each.bind(("::", 0))
            each.listen()
        inodes = [os.fstat(each.fileno()).st_ino for each in (both, six)]
        reached = []
        for each in (both, six):
            (route,) = routes_to(kernel.listeners(each.getsockname()[1]), kernel.dual_stack())
            socket.create_connection((route.address, route.port)).close()
            reached.append(route.address)
        takes_both = [each in kernel.dual_stack() for each in inodes]

    assert takes_both == [True, False]
    assert reached == ["127.0.0.1", "::1"]


def test_each_port_has_one_route_and_sockets_that_share_it_stay_together():
    shared = [listener("0.0.0.0", 8001, inode) for inode in (1, 2, 3)]

    routes = routes_to([listener("127.0.0.1", 9000), *shared, listener("::", 8001, 4)], ())

    assert [(route.port, len(route.listeners)) for route in routes] == [(8001, 3), (9000, 1)]


def test_of_a_shared_port_only_the_queue_that_a_route_leads_to_counts():
    with socket.socket() as four, socket.socket(socket.AF_INET6) as six, KernelView() as kernel:
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        four.bind(("0.0.0.0", 0))
        port = four.getsockname()[1]
        six.bind(("::", port))
        four.listen(3)
        six.listen(11)
        (route,) = routes_to(kernel.listeners(port), kernel.dual_stack())
        address = replace(route, shares_port=True).listen_address

        with socket.create_connection((route.address, port)):
            until(lambda: kernel.accept_queue(address).depth, "the connection in the queue")
            of_the_port = len(kernel.listeners(port)), kernel.accept_queue(port)
            of_the_address = len(kernel.listeners(address)), kernel.accept_queue(address)

    # Both are full with 4 and 12.
    assert of_the_port == (2, AcceptQueue(1, 15))
    assert of_the_address == (1, AcceptQueue(1, 3))
