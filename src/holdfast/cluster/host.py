"""What runs in a worker of the cluster: it keeps one load agent, and says how that is.

Each function is called in the worker's own process from far away and returns at once. A key names one host's part of
one load, because in a cluster on this machine several workers are the same process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TypedDict

import msgspec

from holdfast.cluster.frames import ALIVE, FAILURE, PROGRESS, READY, REPORT, Failure, Progress, Unframed, framed

_READ_BYTES = 1 << 20
_FORGOTTEN_AFTER_S = 600.0


class Host(TypedDict):
    """By which one host is told from another.

    Attributes:
        boot: of the kernel's start: the same for all processes of a machine.
        network: of the network namespace; containers on one machine have one each.
        name: what the machine calls itself.
    """

    boot: str
    network: int
    name: str


class Look(TypedDict):
    """How an agent is.

    Attributes:
        ready: it waits for the start.
        progress: as JSON of `Progress`; None before the start.
        failure: as JSON of `Failure`; None where it did not say that it cannot.
        report_bytes: size of what it recorded; None before the end.
        ended: how its process ended, in words; None while it runs.
    """

    ready: bool
    progress: bytes | None
    failure: bytes | None
    report_bytes: int | None
    ended: str | None


class _Agent:
    """One agent and what it has said."""

    def __init__(self, assignment: bytes) -> None:
        self.process = subprocess.Popen(
            # A session of its own: Ctrl-C on a terminal is not for it. -P: the worker's directory holds no modules.
            [sys.executable, "-P", "-m", "holdfast.cluster.agent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        self.said: dict[bytes, bytes] = {}
        self.looked_s = time.monotonic()
        self._given = threading.Event()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        threading.Thread(target=self._give, args=(assignment,), daemon=True).start()

    def _give(self, assignment: bytes) -> None:
        # In a thread: with many rows of data it is more than a pipe takes at once.
        assert self.process.stdin is not None
        data = memoryview(framed(READY, assignment))
        with contextlib.suppress(OSError):
            while data:
                data = data[self.process.stdin.write(data) or 0 :]
        os.set_blocking(self.process.stdin.fileno(), False)
        self._given.set()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        unframed = Unframed()
        while data := self.process.stdout.read(_READ_BYTES):
            for kind, content in unframed.feed(data):
                self.said[kind] = content

    def order(self, words: bytes, wait_s: float = 1.0) -> None:
        """Passes an order on, as far as the agent still takes any."""
        if self._given.wait(wait_s) and self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.write(words)

    def look(self) -> Look:
        """How it is now."""
        self.looked_s = time.monotonic()
        self.order(ALIVE, 0)
        ended = self._ended()
        report = self.said.get(REPORT)
        return Look(
            ready=READY in self.said,
            progress=self.said.get(PROGRESS),
            failure=self.said.get(FAILURE),
            report_bytes=None if report is None else len(report),
            ended=ended,
        )

    def _ended(self) -> str | None:
        """How it ended, in words, once all that it said is heard; None while it runs."""
        # Left unreaped, its number stays the group's.
        end = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if end is None:
            return None
        with contextlib.suppress(OSError):
            # Load processes that it left behind would keep the pipe open.
            os.killpg(self.process.pid, signal.SIGKILL)
        self._listening.join(0.1)
        if self._listening.is_alive():
            return None
        return f"exit code {end.si_status}" if end.si_code == os.CLD_EXITED else f"killed by {_name(end.si_status)}"

    def end(self) -> None:
        """Ends it with its load processes, if it still runs."""
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._listening.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


_agents: dict[str, _Agent] = {}


def greet() -> Host:
    """Which host this is."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return Host(boot=boot, network=os.stat("/proc/self/ns/net").st_ino, name=os.uname().nodename)


def clock() -> int:
    """CLOCK_MONOTONIC of this host, which its load processes read too."""
    return time.monotonic_ns()


def start_agent(key: str, assignment: bytes) -> None:
    """Starts an agent with its pickled `Assignment`."""
    for other, agent in list(_agents.items()):
        if time.monotonic() - agent.looked_s > _FORGOTTEN_AFTER_S:  # whoever started it is gone
            forget(other)
    _agents[key] = _Agent(assignment)


def look(key: str) -> Look | None:
    """How the agent is; None where there is none by that name. Tells it that somebody still asks."""
    agent = _agents.get(key)
    return None if agent is None else agent.look()


def order(key: str, words: bytes) -> None:
    """Passes an order on to the agent."""
    if key in _agents:
        _agents[key].order(words)


def report(key: str, first: int, last: int) -> bytes:
    """These bytes of what the agent recorded."""
    return _agents[key].said[REPORT][first:last]


def forget(key: str) -> None:
    """Ends the agent, if it still runs, and forgets what it said."""
    agent = _agents.pop(key, None)
    if agent is not None:
        agent.end()


def progress_of(seen: Look) -> Progress:
    """The agent's last word on how far it is."""
    return Progress() if seen["progress"] is None else msgspec.json.decode(seen["progress"], type=Progress)


def failure_of(seen: Look) -> Failure | None:
    """Why the agent cannot take part; None where it did not say so."""
    return None if seen["failure"] is None else msgspec.json.decode(seen["failure"], type=Failure)


def _name(number: int) -> str:
    return signal.Signals(number).name
