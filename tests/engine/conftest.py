"""Real listeners on the loopback, driven step by step by the test itself: no thread, no sleep, no chance."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from driving import PATIENCE_S
from hypothesis import settings
from support.answering import answering_server

from holdfast.engine.http1 import host_field, request_head
from holdfast.engine.prober import Prober

settings.register_profile("load", deadline=None)  # a busy machine is no failure
settings.load_profile("load")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """That of a server that answers."""
    with answering_server() as port:
        yield port


@pytest.fixture
def listen() -> Iterator[Callable[..., socket.socket]]:
    """Opens listening sockets that nobody accepts from unless the test does."""
    opened: list[socket.socket] = []

    def listen_(backlog: int = 128, address: str = "127.0.0.1") -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, 0), family=family, backlog=backlog)
        listener.settimeout(PATIENCE_S)
        opened.append(listener)
        return listener

    yield listen_
    for listener in opened:
        listener.close()


@pytest.fixture
def probe() -> Iterator[Callable[..., Prober]]:
    """Opens probers towards a listener."""
    opened: list[Prober] = []

    def probe_(listener: socket.socket, capacity: int = 100, sources: tuple[str, ...] = (), body: bytes | None = None):
        address, port = listener.getsockname()[:2]
        head = request_head("GET", "/", host_field(address, port), body=body)
        prober = Prober(address, port, lambda _: head, capacity, sources)
        opened.append(prober)
        return prober

    yield probe_
    for prober in opened:
        prober.close()
