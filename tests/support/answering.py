"""A server that answers by path, on kept connections."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SERVER = Path(__file__).with_name("answering_server.py")


@contextlib.contextmanager
def answering_server(*certificate: Path) -> Iterator[int]:
    """Runs it and gives its port.

    Args:
        certificate: a PEM file with key and certificate, where it is to speak TLS.
    """
    server = subprocess.Popen([sys.executable, str(SERVER), *map(str, certificate)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.communicate()
