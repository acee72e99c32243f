"""Loads from several hosts against a server that counts for itself what it got."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hosts import Host, Network, network, why_not
from support.commandline import Holdfast
from support.counting import SERVER
from support.waiting import until

_ASK = "import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1] + '/seen').read())"


@dataclass(frozen=True, slots=True)
class CountingThere:
    """A server that runs on one of the hosts; what it counted is asked of it from there."""

    url: str
    host: Host

    def seen(self) -> dict[str, object]:
        there = ("ip", "netns", "exec", self.host.namespace)
        asked = subprocess.run([*there, sys.executable, "-c", _ASK, self.url], capture_output=True, check=True)
        return json.loads(asked.stdout)


@dataclass(frozen=True, slots=True)
class Site:
    """A network with a server on one host, a scheduler on another, and a host from which the load is asked for."""

    network: Network
    counting: CountingThere
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
        yield Site(made, CountingThere(log.read_text().strip(), server), asking, made.scheduler(asking), holdfast)
