"""Whether a front turns requests away by a rate is asked when the server has worked off what waited."""

from __future__ import annotations

import socketserver
import threading
import time
from types import SimpleNamespace
from typing import Any

from holdfast.model.places import Outcome
from holdfast.probing.patience import Patience
from holdfast.probing.slots import allot
from holdfast.probing.when_idle import ENOUGH, ask_when_idle


class TurnsAway(socketserver.StreamRequestHandler):
    """A rate that has nothing left."""

    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class WorksOff:
    """The record of a server that still runs one of those that waited when it is looked at first."""

    def __init__(self):
        self.looks = 0

    def in_service(self, _first, _last):
        self.looks += 1
        return int(self.looks < 3)

    def entered(self, _first, last):
        return last


def session(port) -> Any:
    """As much of a probe as single requests need."""
    return SimpleNamespace(
        recording=WorksOff(),
        slots=allot(10),
        address="127.0.0.1",
        port=port,
        experiment=SimpleNamespace(http2=False),
        head_of=lambda _slot: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        tls=None,
        front=None,
        interrupts=SimpleNamespace(asked=False),
        patience=Patience(),
        ends=SimpleNamespace(killed=dict),
        server=SimpleNamespace(exit_status=lambda: None),
        now_ns=time.monotonic_ns,
    )


def test_requests_are_sent_when_the_last_that_waited_has_left_the_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), TurnsAway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            sent = ask_when_idle(session(server.server_address[1]))
        finally:
            server.shutdown()

    assert [each.outcome for each in sent] == [Outcome.REJECTED] * ENOUGH
