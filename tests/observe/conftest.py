"""Real sockets and processes for the observers to look at."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from holdfast.observe.kernel import KernelView
from holdfast.observe.socket_interfaces import Source

PATIENCE_S = 20


@pytest.fixture(params=["sock_diag", "/proc/net/tcp"])
def kernel(request: pytest.FixtureRequest) -> Iterator[KernelView]:
    """The kernel's view by each interface in turn."""
    source: Source = request.param
    with KernelView(source) as view:
        yield view


@pytest.fixture
def sock_diag_view() -> Iterator[KernelView]:
    with KernelView("sock_diag") as view:
        yield view


@pytest.fixture
def sockets() -> Iterator[contextlib.ExitStack]:
    """Closes what a test has opened."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def listen(sockets: contextlib.ExitStack) -> Callable[..., socket.socket]:
    """Opens a listening socket."""

    def open_one(
        backlog: int = 128, address: str = "127.0.0.1", port: int = 0, *, reuse_port: bool = False
    ) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = sockets.enter_context(socket.socket(family))
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
        listener.listen(backlog)
        return listener

    return open_one


@pytest.fixture
def connect(sockets: contextlib.ExitStack) -> Callable[..., socket.socket]:
    """Connects to a listening socket, from an IPv4 or an IPv6 address."""

    def open_one(listener: socket.socket, address: str = "127.0.0.1") -> socket.socket:
        return sockets.enter_context(socket.create_connection((address, listener.getsockname()[1]), PATIENCE_S))

    return open_one


class Program:
    """A Python program in a session of its own that a test talks to by lines."""

    def __init__(self, source: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def tell(self, line: str = "") -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.communicate()


@pytest.fixture
def program() -> Iterator[Callable[[str], Program]]:
    """Starts a program; it and its process group are ended afterwards."""
    started: list[Program] = []

    def start(source: str) -> Program:
        started.append(Program(source))
        return started[-1]

    try:
        yield start
    finally:
        for each in started:
            each.end()
