"""Loads from several hosts against a server that counts for itself what it got."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "faults"))

from commandline import Holdfast, holdfast_in
from hosts import Host, Network, network, until, why_not

SERVER = Path(__file__).parents[1] / "load_command" / "counting_server.py"
_ASK = "import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1] + '/seen').read())"


@dataclass(frozen=True, slots=True)
class Counting:
    """A running server; what it counted is asked of it from where it is."""

    url: str
    host: Host | None = None

    def seen(self) -> dict[str, object]:
        there = ("ip", "netns", "exec", self.host.namespace) if self.host else ()
        asked = subprocess.run([*there, sys.executable, "-c", _ASK, self.url], capture_output=True, check=True)
        return json.loads(asked.stdout)


@dataclass(frozen=True, slots=True)
class Site:
    """A network with a server on one host, a scheduler on another, and a host from which the load is asked for."""

    network: Network
    counting: Counting
    asking: Host
    scheduler: str
    holdfast: Holdfast

    def start(self, *arguments: str, path: str = "/", **how: object):
        """Starts `holdfast load` on the asking host."""
        there = ("ip", "netns", "exec", self.asking.namespace, sys.executable, "-m", "holdfast")
        url = self.counting.url + path
        allowed = ("--allow-remote", self.counting.host.address, "--cluster", self.scheduler)
        return self.holdfast.start("load", url, *arguments, *allowed, "--json", "-", program=there, **how)

    def load(self, *arguments: str, path: str = "/"):
        ended = self.start(*arguments, path=path).ended()
        assert ended.out, ended.err
        return ended.exit, json.loads(ended.out), ended.err


@pytest.fixture
def holdfast(tmp_path: Path) -> Iterator[Holdfast]:
    """Starts command lines in a directory of the test; when it ends nothing of them may be left."""
    with holdfast_in(tmp_path) as command_line:
        yield command_line


@pytest.fixture
def counting() -> Iterator[Counting]:
    """A counting server on this machine's loopback."""
    process = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Counting(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def site(tmp_path: Path, holdfast: Holdfast) -> Iterator[Site]:
    """A site without workers yet."""
    reason = why_not()
    if reason is not None:
        pytest.skip(f"hosts in network namespaces: {reason}")
    directory = tmp_path / "hosts"
    directory.mkdir()
    with network(directory) as made:
        server, asking = made.host("server"), made.host("asking")
        _, log = made.run(server, sys.executable, str(SERVER), server.address)
        until(lambda: log.read_text().endswith("\n"), "the server")
        yield Site(made, Counting(log.read_text().strip(), server), asking, made.scheduler(asking), holdfast)
