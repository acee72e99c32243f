"""Requests that are offered one by one: was one let in, or will it only be turned away later?"""

from __future__ import annotations

import socket
import threading
import time

import pytest

from holdfast.engine.prober import Prober
from holdfast.probing.background import lets_in_again

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def answering(listener, kept, after_s):
    """Keeps so many connections without an answer, and turns away each other one that long after it came."""

    def turn_away(connection):
        with connection:
            # Its clock is what this server turns requests away by.
            time.sleep(after_s)
            connection.recv(65536)
            connection.sendall(AWAY)

    keeps = []
    while True:
        try:
            connection = listener.accept()[0]
        except OSError:
            break
        if len(keeps) < kept:
            keeps.append(connection)
        else:
            threading.Thread(target=turn_away, args=(connection,), daemon=True).start()
    for each in keeps:
        each.close()


@pytest.mark.parametrize(
    ("kept", "after_s", "let_in"),
    [
        (0, 0, False),  # all are turned away at once
        (2, 0, True),
        (0, 0.3, False),  # the second is on its way when the first is turned away
        (2, 0.3, True),
        (5, 0, False),  # none is turned away: there is room
    ],
)
def test_what_is_turned_away_only_later_has_not_been_let_in(kept, after_s, let_in):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answering, args=(listener, kept, after_s))
        server.start()
        try:
            with Prober("127.0.0.1", listener.getsockname()[1], lambda _: HEAD, 5) as prober:

                def turn(reached, limit_s):
                    end = time.monotonic() + limit_s
                    while not reached() and time.monotonic() < end:
                        prober.turn(1_000_000)

                assert lets_in_again(prober, 5, turn) is let_in
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.join()
