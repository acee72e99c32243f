"""Informational replies (1xx) are not the first byte of the reply."""

from __future__ import annotations

import time

from driving import accept, turn_until

from holdfast.model.places import Outcome


def test_informational_replies_do_not_set_the_first_byte(listen, probe):
    listener = listen()
    prober = probe(listener)
    (row,) = prober.open(1)
    turn_until(prober, lambda: prober.established)
    peer = accept(listener)
    columns, received = prober.columns, 0

    # In pieces, so that a part of an interim head is seen before anything says what it is.
    for piece in (b"HTTP/1.1 10", b"3 Early Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"):
        received += len(piece)
        peer.sendall(piece)
        turn_until(prober, lambda seen=received: columns.received[row] == seen)
    assert columns.first[row] == 0

    began_ns = time.monotonic_ns()
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    turn_until(prober, lambda: columns.first[row])
    peer.sendall(b"ok")
    turn_until(prober, lambda: prober.ended)
    peer.close()

    assert began_ns <= columns.first[row] <= columns.done[row]
    assert (columns.status[row], columns.outcome[row]) == (200, Outcome.ANSWERED)


def test_an_informational_reply_before_one_in_one_piece_leaves_the_first_byte_with_the_last(listen, probe):
    listener = listen()
    prober = probe(listener)
    (row,) = prober.open(1)
    turn_until(prober, lambda: prober.established)
    peer = accept(listener)

    peer.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    turn_until(prober, lambda: prober.columns.received[row])
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    turn_until(prober, lambda: prober.ended)
    peer.close()

    assert prober.columns.first[row] == 0
    assert prober.columns.status[row] == 200
