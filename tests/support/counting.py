"""A server that counts for itself what it got, for the tests of what is sent."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        seen: dict[str, object] = self._told("/seen")
        return seen

    def each(self) -> list[dict[str, object]]:
        """Every request that it got, in order."""
        each: list[dict[str, object]] = self._told("/each")
        return each

    def _told(self, path: str) -> Any:
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


@contextlib.contextmanager
def counting_server(*where: str) -> Iterator[Counting]:
    """Runs a counting server.

    Args:
        where: the path of a Unix socket or an address; none is a free port of the loopback.
    """
    process = subprocess.Popen([sys.executable, str(SERVER), *where], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Counting(process.stdout.readline().strip(), process)
    finally:
        process.kill()
        process.communicate()
