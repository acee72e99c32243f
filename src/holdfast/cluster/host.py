"""What runs in a worker of the cluster: it keeps load agents, and says how they are.

Each function is called remotely in the worker's own process, and returns at once. A key names one host's share of one
load, because in a cluster on this machine several workers are the same process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Pipe
from typing import TypedDict

import msgspec

from holdfast.cluster.frames import ALIVE, FAILURE, PROGRESS, READY, REPORT, ROWS, Failure, Progress
from holdfast.procfs.read import read_stats

_FORGOTTEN_AFTER_S = 600.0
_SCAN_EACH_S = 2.0  # a machine may have thousands of processes, 12 us each
_STOPPED = frozenset("Tt")  # proc_pid_stat(5)


class Host(TypedDict):
    """What tells one host from another.

    Attributes:
        boot: id of the kernel's boot, the same for all processes of a machine.
        network: id of the network namespace; containers on one machine have one each.
        name: what the machine calls itself.
    """

    boot: str
    network: int
    name: str


class Look(TypedDict):
    """The state of an agent.

    Attributes:
        ready: it waits for the start.
        progress: as JSON of `Progress`; None before the start.
        failure: as JSON of `Failure`; None if it did not say that it cannot take part.
        rows: how many messages with rows it has sent.
        report_bytes: size of its report; None before the end.
        ended: how its process ended, in words; None while it runs.
        stopped_s: how long it, or a load process of it, has been stopped by a signal; 0.0: none is.
    """

    ready: bool
    progress: bytes | None
    failure: bytes | None
    rows: int
    report_bytes: int | None
    ended: str | None
    stopped_s: float


class _Agent:
    """One agent, the last message of each kind that it sent, and those with rows that have not been fetched."""

    def __init__(self, assignment: bytes) -> None:
        agents_in, self._to_agent = Pipe(duplex=False)
        self._from_agent, agents_out = Pipe(duplex=False)
        with agents_in, agents_out:
            self.process = subprocess.Popen(
                # A session of its own: Ctrl-C on a terminal is not for it. -P: the worker's directory has no modules.
                [sys.executable, "-P", "-m", "holdfast.cluster.agent"],
                stdin=agents_in.fileno(),
                stdout=agents_out.fileno(),
                start_new_session=True,
            )
        self.said: dict[bytes, bytes] = {}
        self._rows: list[bytes] = []
        self._fetched = 0
        self.looked_s = time.monotonic()
        self._stopped_at_s: float | None = None
        self._next_scan_s = 0.0
        self._assigned = threading.Event()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        threading.Thread(target=self._assign, args=(assignment,), daemon=True).start()

    def _assign(self, assignment: bytes) -> None:
        # In a thread: with many rows of data it is more than a pipe takes at once.
        with contextlib.suppress(OSError):
            self._to_agent.send_bytes(assignment)
            os.set_blocking(self._to_agent.fileno(), False)
        self._assigned.set()

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while message := self._from_agent.recv_bytes():
                if message[:1] == ROWS:
                    self._rows.append(message[1:])
                else:
                    self.said[message[:1]] = message[1:]

    def order(self, order: bytes, wait_s: float = 1.0) -> None:
        """Passes an order on, if the agent still takes any."""
        if self._assigned.wait(wait_s):
            with contextlib.suppress(OSError):
                self._to_agent.send_bytes(order)

    def look(self) -> Look:
        """Tells it that its load is still wanted; returns its state."""
        self.looked_s = time.monotonic()
        self.order(ALIVE, 0)
        ended = self._ended()
        report = self.said.get(REPORT)
        return Look(
            ready=READY in self.said,
            progress=self.said.get(PROGRESS),
            failure=self.said.get(FAILURE),
            rows=self._fetched + len(self._rows),
            report_bytes=None if report is None else len(report),
            ended=ended,
            stopped_s=self._stopped_s(),
        )

    def _stopped_s(self) -> float:
        if self.looked_s < self._next_scan_s:
            return 0.0 if self._stopped_at_s is None else self.looked_s - self._stopped_at_s
        self._next_scan_s = self.looked_s + _SCAN_EACH_S
        # It leads its load processes' group.
        if not any(each.group == self.process.pid and each.state in _STOPPED for each in read_stats()):
            self._stopped_at_s = None
            return 0.0
        self._stopped_at_s = self._stopped_at_s or self.looked_s
        return self.looked_s - self._stopped_at_s

    def rows_from(self, first: int) -> list[bytes]:
        """The messages with rows from this one on, and forgets those before it, which have arrived."""
        del self._rows[: first - self._fetched]
        self._fetched = first
        return [*self._rows]

    def _ended(self) -> str | None:
        """How it ended, in words, once everything that it sent is read; None while it runs."""
        # While it is not reaped, its process id stays the group's.
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
        self._from_agent.close()
        self._to_agent.close()


_agents: dict[str, _Agent] = {}


def read_identity() -> Host:
    """Reads which host this is."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return Host(boot=boot, network=os.stat("/proc/self/ns/net").st_ino, name=os.uname().nodename)


def read_clock() -> int:
    """Reads CLOCK_MONOTONIC of this host, as its load processes do."""
    return time.monotonic_ns()


def start_agent(key: str, assignment: bytes) -> None:
    """Starts an agent.

    Args:
        assignment: as `cluster.assignment` encodes it.
    """
    for other, agent in list(_agents.items()):
        if time.monotonic() - agent.looked_s > _FORGOTTEN_AFTER_S:  # the host that started it is gone
            forget(other)
    _agents[key] = _Agent(assignment)


def look(key: str) -> Look | None:
    """Tells the agent that its load is still wanted; returns its state, None if no agent has that key."""
    agent = _agents.get(key)
    return None if agent is None else agent.look()


def send_order(key: str, order: bytes) -> None:
    """Passes an order on to the agent."""
    if key in _agents:
        _agents[key].order(order)


def read_rows(key: str, first: int) -> list[bytes]:
    """Reads the agent's messages with rows, from this one on; those before it have arrived and are forgotten."""
    agent = _agents.get(key)
    return [] if agent is None else agent.rows_from(first)


def read_report(key: str, first: int, last: int) -> bytes:
    """Reads these bytes of the agent's report."""
    return _agents[key].said[REPORT][first:last]


def forget(key: str) -> None:
    """Ends the agent, if it still runs, and forgets what it said."""
    agent = _agents.pop(key, None)
    if agent is not None:
        agent.end()


def progress_of(seen: Look) -> Progress:
    """How far the agent last said it was."""
    return Progress() if seen["progress"] is None else msgspec.json.decode(seen["progress"], type=Progress)


def failure_of(seen: Look) -> Failure | None:
    """Why the agent cannot take part; None if it did not say so."""
    return None if seen["failure"] is None else msgspec.json.decode(seen["failure"], type=Failure)


def _name(number: int) -> str:
    return signal.Signals(number).name
