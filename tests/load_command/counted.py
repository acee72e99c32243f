"""A server that counts for itself what it got, and the command line, for the tests of what is sent."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "faults"))

from commandline import Holdfast, holdfast_in

SERVER = Path(__file__).with_name("counting_server.py")


@dataclass(frozen=True, slots=True)
class Counting:
    """A running server; what it counted is asked of it over a connection of its own."""

    url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    def seen(self) -> dict[str, object]:
        """How often it got what."""
        return self._told("/seen")

    def each(self) -> list[dict[str, object]]:
        """Every request that it got, in order."""
        return self._told("/each")

    def _told(self, path: str):
        address = self.url.removeprefix("unix:")
        if address == self.url:
            host, _, port = self.url.removeprefix("http://").partition(":")
            connection = socket.create_connection((host, int(port)))
        else:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(address)
        with connection, connection.makefile("rwb") as stream:
            stream.write(b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
            stream.flush()
            return json.loads(stream.read().partition(b"\r\n\r\n")[2])


@pytest.fixture
def holdfast(tmp_path: Path) -> Iterator[Holdfast]:
    """Starts command lines in a directory of the test; when it ends nothing of them may be left."""
    with holdfast_in(tmp_path) as command_line:
        yield command_line


@pytest.fixture(params=["tcp"])
def counting(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Counting]:
    """A counting server; parametrised indirectly with "unix" it listens on a Unix socket."""
    where = [str(tmp_path / "counting.sock")] if request.param == "unix" else []
    process = subprocess.Popen([sys.executable, str(SERVER), *where], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Counting(process.stdout.readline().strip(), process)
    finally:
        process.kill()
        process.communicate()
