"""Hosts of their own on this machine: a network namespace each, joined by a bridge, and what runs on them.

Everything is named after the process that made it, and gone when the block is over.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from support.waiting import until

PATIENCE_S = 60.0
WIRE = Path(__file__).with_name("wire.py")
SCHEDULER_PORT = 8786
_NETWORK = "10.211.77"


def why_not() -> str | None:
    """Why there can be no such hosts here; None where there can."""
    if os.geteuid() != 0:
        return "network namespaces take root"
    for program in ("ip", "unshare"):
        if shutil.which(program) is None:
            return f"there is no {program} (iproute2, util-linux)"
    for command in (("unshare", "--net", "true"), ("unshare", "--time", "--monotonic", "1", "--fork", "true")):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return f"'{' '.join(command)}' is not permitted"
    return None


@dataclass(frozen=True, slots=True)
class Host:
    """A network namespace with one address."""

    namespace: str
    address: str

    def pids(self, *words: str) -> list[int]:
        """Processes on it, with these words in their command lines."""
        told = subprocess.run(("ip", "netns", "pids", self.namespace), capture_output=True, text=True, check=True)
        return [pid for pid in map(int, told.stdout.split()) if set(words) <= set(_command(pid))]


def _command(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []


class Network:
    """A bridge, hosts on it, and programs on them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._prefix = f"hf{os.getpid()}"
        self._switch = f"{self._prefix}-switch"
        self._namespaces: list[str] = []
        self._programs: list[subprocess.Popen[bytes]] = []
        self._hosts = 0

    def begin(self) -> None:
        """Makes the bridge."""
        self._namespace(self._switch)
        self._in_switch("link", "add", "bridge", "type", "bridge")
        self._in_switch("link", "set", "bridge", "up")

    def host(self, name: str, delay_ms: float = 0.0, lost: float = 0.0) -> Host:
        """A further host; its frames take so long in each direction, and such a share of them is lost."""
        self._hosts += 1
        port = f"port{self._hosts}"
        host = Host(f"{self._prefix}-{name}", f"{_NETWORK}.{self._hosts}")
        self._namespace(host.namespace)
        if delay_ms or lost:
            wire = self._start(
                [sys.executable, str(WIRE), host.namespace, "eth0", self._switch, port, str(delay_ms), str(lost)],
                stdout=subprocess.PIPE,
            )
            assert wire.stdout is not None
            assert wire.stdout.readline() == b"up\n"
        else:
            ip("-n", host.namespace, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", self._switch)
        self._in_switch("link", "set", port, "master", "bridge")
        self._in_switch("link", "set", port, "up")
        ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", "eth0")
        ip("-n", host.namespace, "link", "set", "eth0", "up")
        return host

    def cut_off(self, host: Host) -> None:
        """Nothing reaches the host from now on, and nobody is told."""
        ip("-n", host.namespace, "link", "set", "eth0", "down")

    def run(self, host: Host, *command: str, ahead_s: int = 0) -> tuple[subprocess.Popen[bytes], Path]:
        """Starts a program on a host, and says where its words go.

        Args:
            ahead_s: by so much its CLOCK_MONOTONIC is ahead of everybody else's.
        """
        log = self.directory / f"{host.namespace}-{len(self._programs)}.log"
        clock = ("unshare", "--time", "--monotonic", str(ahead_s), "--fork", "--kill-child") if ahead_s else ()
        with log.open("wb") as words:
            process = self._start(
                [*clock, "ip", "netns", "exec", host.namespace, *command], stdout=words, stderr=subprocess.STDOUT
            )
        return process, log

    def scheduler(self, host: Host) -> str:
        """Starts a Dask scheduler; gives its address."""
        address = f"tcp://{host.address}:{SCHEDULER_PORT}"
        options = ("--host", host.address, "--port", str(SCHEDULER_PORT), "--no-dashboard")
        _, log = self.run(host, *DASK, "scheduler", *options, "--dashboard-address", f"{host.address}:0")
        until(lambda: "Scheduler at" in log.read_text(), "a scheduler")
        return address

    def worker(self, host: Host, scheduler: str, ahead_s: int = 0) -> subprocess.Popen[bytes]:
        """Starts a Dask worker, and waits until it has joined."""
        process, log = self.run(host, *worker_command(scheduler, self.directory, host.address), ahead_s=ahead_s)
        until(lambda: "Registered to" in log.read_text(), f"a worker: {log.read_text()}")
        return process

    def close(self) -> None:
        for process in reversed(self._programs):
            end(process)
        for namespace in self._namespaces:
            for pid in Host(namespace, "").pids():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            ip("netns", "del", namespace)

    def _namespace(self, name: str) -> None:
        ip("netns", "add", name)
        self._namespaces.append(name)
        ip("-n", name, "link", "set", "lo", "up")

    def _in_switch(self, *words: str) -> None:
        ip("-n", self._switch, *words)

    def _start(
        self, command: Sequence[str], stdout: int | IO[bytes], stderr: int | None = None
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
        )
        self._programs.append(process)
        return process


DASK = (sys.executable, "-m", "dask")


def worker_command(scheduler: str, directory: Path, address: str) -> tuple[str, ...]:
    """What starts a worker with one thread, whose files are the test's."""
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(directory))
    return (*DASK, "worker", scheduler, "--host", address, *options)


def ip(*words: str) -> None:
    """ip(8)."""
    subprocess.run(("ip", *words), check=True, capture_output=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a program with all that it started; asks first, because Dask has semaphores in /dev/shm."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextlib.contextmanager
def network(directory: Path) -> Iterator[Network]:
    made = Network(directory)
    try:
        made.begin()
        yield made
    finally:
        made.close()
