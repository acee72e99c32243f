from __future__ import annotations

import time

from support.waiting import until

from holdfast.observe.snapshot import take_snapshot


def port_of(listener):
    return listener.getsockname()[1]


def depth_of(view, listener):
    return lambda: view.accept_queue(port_of(listener)).depth


def test_a_snapshot_while_nothing_moves_is_still_and_shows_who_waits(sock_diag_view, listen, connect):
    listener = listen(16)
    connect(listener)
    until(lambda: sock_diag_view.accept_queue(port_of(listener)).depth == 1, "the connection in the queue")

    taken = take_snapshot(
        sock_diag_view, port_of(listener), depth_of(sock_diag_view, listener), lambda: None, time.monotonic_ns
    )

    assert taken.still
    assert taken.began_ns <= taken.ended_ns
    assert [each.depth for each in taken.listeners] == [1]
    assert [each.accepted for each in taken.sockets] == [False]


def test_a_snapshot_during_which_a_connection_comes_is_not_still(sock_diag_view, listen, connect):
    listener = listen(16)

    taken = take_snapshot(
        sock_diag_view,
        port_of(listener),
        depth_of(sock_diag_view, listener),
        lambda: connect(listener),
        time.monotonic_ns,
    )

    assert not taken.still
    assert [each.depth for each in taken.listeners] == [0]
