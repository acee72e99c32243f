"""What tests of the load do to drive a prober and to play the server by hand."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from holdfast.load.prober import Prober

MS = 1_000_000
PATIENCE_S = 20


def turn_until(prober: Prober, condition: Callable[[], object]) -> None:
    """Turns the prober until the condition holds; fails after a generous time on any machine."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"it did not come to that: {prober.outcome_counts()}"
        prober.turn(10 * MS)


def accept(listener: socket.socket) -> socket.socket:
    """The next connection, with the whole head of its request read."""
    connection = listener.accept()[0]
    connection.settimeout(PATIENCE_S)
    read = b""
    while b"\r\n\r\n" not in read:
        piece = connection.recv(65536)
        assert piece, "the prober closed before its request was complete"
        read += piece
    return connection
