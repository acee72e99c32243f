"""holdfast as a person runs it: the real command line in a process of its own, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from holdfast.inside.holdfast_inside import layout
from holdfast.probing.ports import keep_port
from support.waiting import LOOK_S, PATIENCE_S, until

_MARK = "HOLDFAST_TESTED_BY"
_AT_ONCE = 4
_HOLDS = Path("/dev/shm")

# Both holdfast and its servers start twice as fast when what they import is compiled once, also where the environment
# says that nothing compiled is to be written next to its source.
COMPILED = {
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(Path(__file__).parents[2] / ".pytest_cache" / "bytecode"),
}

PROGRAM = (sys.executable, "-m", "holdfast")


def end_group(leader: int) -> None:
    """Ends a process group, multiprocessing's resource trackers last: without them, semaphores stay in /dev/shm."""

    def members() -> list[int]:
        return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _group(pid) == leader]

    for pid in members():
        if "resource_tracker" not in _command(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    deadline, pause = time.monotonic() + 2, threading.Event()
    while any("resource_tracker" in _command(pid) for pid in members()) and time.monotonic() < deadline:
        pause.wait(LOOK_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _group(pid: int) -> int:
    with contextlib.suppress(OSError):
        return os.getpgid(pid)
    return 0


@dataclass(frozen=True, slots=True)
class Ended:
    """A command line that has run to its end.

    Attributes:
        exit: its code, negative where a signal ended it.
    """

    exit: int
    out: str
    err: str

    @property
    def what(self) -> str:
        """First line of the error: what happened."""
        return self.err.splitlines()[0] if self.err else ""

    def json(self) -> Any:
        """What it printed, where that is JSON."""
        assert self.out, self.err
        return json.loads(self.out)


class Running:
    """A command line that runs.

    Attributes:
        port: that of its server, unless the command line says otherwise.
    """

    def __init__(self, process: subprocess.Popen[str], port: int, mark: str) -> None:
        self.process = process
        self.pid = process.pid
        self.port = port
        self._mark = f"{_MARK}={mark}".encode()

    def ended(self, within_s: float = PATIENCE_S) -> Ended:
        """Waits for its end."""
        out, err = self.process.communicate(timeout=within_s)
        return Ended(self.process.returncode, out or "", err or "")

    def signal(self, number: int) -> None:
        """Signals holdfast alone."""
        os.kill(self.pid, number)

    def stop(self) -> None:
        """Returns when holdfast stands still, or has ended."""
        self.signal(signal.SIGSTOP)
        until(lambda: _state(self.pid) in "TZ", "a holdfast that stands still")

    def press_ctrl_c(self) -> None:
        """Signals what a terminal would: the whole group in the foreground."""
        os.killpg(self.pid, signal.SIGINT)

    def processes(self) -> list[int]:
        """Whatever runs because of it, itself left out; the oldest first."""
        found = []
        for name in os.listdir("/proc"):
            if name.isdecimal() and int(name) != self.pid:
                with contextlib.suppress(OSError):
                    if self._mark in Path("/proc", name, "environ").read_bytes().split(b"\0"):
                        found.append(int(name))
        return sorted(found, key=_started)

    def server(self) -> int:
        """The server's first process: it leads the session of the others."""
        until(lambda: [each for each in self.processes() if _is_server(each)], "the server's process")
        return next(each for each in self.processes() if _is_server(each))

    def directories(self) -> list[Path]:
        """Directories of its runs."""
        return list(_HOLDS.glob(f"holdfast-{self.pid}-*"))

    def log(self) -> str:
        """What its server has written."""
        for directory in self.directories():
            with contextlib.suppress(OSError):
                return (directory / "server.log").read_text(errors="replace")
        return ""

    def in_service(self) -> list[int]:
        """The pid of each handler that is entered and not left, as the recorder has it."""
        return self._handlers(lambda state, _release: state == layout.ENTERED)

    def held(self) -> list[int]:
        """The same for those that have not been released yet."""
        return self._handlers(lambda state, release: state == layout.ENTERED and release == layout.HELD)

    def until_held(self, count: int = 3) -> None:
        """Returns when so many requests are in service; one alone may be the first, which is let go at once."""
        self._until(lambda: len(self.held()) >= count, f"{count} requests held")

    def _until(self, reached: Callable[[], bool], what: str) -> None:
        until(lambda: reached() or self.process.poll() is not None, what)
        assert self.process.poll() is None, self.ended()

    def _handlers(self, wanted: Callable[[int, int], bool]) -> list[int]:
        for directory in self.directories():
            with contextlib.suppress(OSError):
                if found := _handlers((directory / "record").read_bytes(), wanted):
                    return found
        return []

    def until_ramping(self) -> None:
        """Returns when the first request of the ramp is in service, which stays there."""
        self._until(self._first_is_held, "the ramp's first request held")

    def _first_is_held(self) -> bool:
        for directory in self.directories():
            with contextlib.suppress(OSError):
                record = (directory / "record").read_bytes()
                if len(record) >= layout.HEADER.size:
                    return record[layout.state_offset(layout.HEADER.unpack_from(record)[2])] == layout.ENTERED
        return False

    def until_listening(self) -> None:
        until(lambda: is_taken(self.port) or self.process.poll() is not None, "listening server")

    def nothing_is_left(self, within_s: float = 0.0) -> None:
        """No process, no file in memory, no listening socket."""
        until(lambda: not self.processes(), f"the end of {[_command(each) for each in self.processes()]}", within_s)
        assert not self.directories()
        assert not is_taken(self.port)


def _is_server(pid: int) -> bool:
    # The interpreter that is asked for its packages leads a session too.
    with contextlib.suppress(OSError):
        return os.getsid(pid) == pid and b"HOLDFAST_TOKEN=" in Path("/proc", str(pid), "environ").read_bytes()
    return False


def _started(pid: int) -> int:
    with contextlib.suppress(OSError):
        stat = Path("/proc", str(pid), "stat").read_text()
        return int(stat[stat.rindex(")") + 2 :].split()[19])
    return 0


def _state(pid: int) -> str:
    stat = Path("/proc", str(pid), "stat").read_text()
    return stat[stat.rindex(")") + 2]


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path("/proc", str(pid), "cmdline").read_text().replace("\0", " ")
    return ""


def _handlers(record: bytes, wanted: Callable[[int, int], bool]) -> list[int]:
    if len(record) < layout.HEADER.size:
        return []
    slots = layout.HEADER.unpack_from(record)[2]
    states, releases = (
        record[each : each + slots] for each in (layout.state_offset(slots), layout.release_offset(slots))
    )
    first = layout.slot_offset(slots)
    return [
        layout.SLOT.unpack_from(record, first + id * layout.SLOT_BYTES)[0]
        for id, (state, release) in enumerate(zip(states, releases, strict=True))
        if wanted(state, release)
    ]


def is_taken(port: int) -> bool:
    """Whether anybody listens on the port, on whatever address."""
    family, everywhere = (socket.AF_INET6, "::") if HAS_IPV6 else (socket.AF_INET, "0.0.0.0")
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if HAS_IPV6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            probe.bind((everywhere, port))
        except OSError:
            return True
    return False


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


HAS_IPV6 = _has_ipv6()


class Holdfast:
    """Starts command lines in one directory and ends whatever of them still runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.temporary = directory / ".temporary"
        self.temporary.mkdir()
        self.runs = directory / ".state" / "runs.sqlite"
        self._started: list[Running] = []
        self._kept: list[socket.socket] = []

    def free_port(self) -> int:
        """A port for a command line, kept until the last look at what is left: another's server could listen there."""
        port, kept = keep_port()
        if kept is not None:
            self._kept.append(kept)
        return port

    def start(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        env: dict[str, str | None] | None = None,
        program: Sequence[str] = PROGRAM,
        port: int | None = None,
        **popen: Any,
    ) -> Running:
        """Starts `holdfast ARGUMENTS`; a probe gets a --port of its own, by which its listener is known.

        Args:
            env: variables beside the usual ones; None takes one away.
            program: what to start instead of holdfast itself, followed by the arguments.
        """
        mark, port = secrets.token_hex(8), port or self.free_port()
        command = [str(each) for each in arguments]
        if command[:1] == ["probe"] and "--port" not in command:
            command[1:1] = ["--port", str(port)]
        changes: dict[str, str | None] = {"HOLDFAST_RUNS": str(self.runs), "TMPDIR": str(self.temporary), _MARK: mark}
        changes |= {**COMPILED, "VIRTUAL_ENV": None, **(env or {})}
        given: dict[str, str | None] = {**os.environ, **changes}
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        process = subprocess.Popen(
            [*program, *command],
            cwd=cwd or self.directory,
            env={name: value for name, value in given.items() if value is not None},
            text=True,
            errors="replace",
            **{"start_new_session": True, **streams, **popen},
        )
        self._started.append(Running(process, port, mark))
        return self._started[-1]

    def run(self, *arguments: str | Path, within_s: float = PATIENCE_S, **how: Any) -> Ended:
        """Runs it to its end and looks that nothing is left."""
        running = self.start(*arguments, **how)
        ended = running.ended(within_s)
        running.nothing_is_left()
        return ended

    def run_together(self, command_lines: Iterable[Sequence[str | Path]], *, cwds: Iterable[Path] = ()) -> list[Ended]:
        """Runs them a few at a time, because most of a run is waiting, and looks that nothing of any is left.

        Args:
            cwds: the directory of each; where there is none, that of all.
        """
        waiting: deque[Running] = deque()
        ended: list[Ended] = []

        def take() -> None:
            running = waiting.popleft()
            ended.append(running.ended())
            running.nothing_is_left()

        for each, cwd in zip_longest(command_lines, cwds):
            waiting.append(self.start(*each, cwd=cwd))
            if len(waiting) == _AT_ONCE:
                take()
        while waiting:
            take()
        return ended

    def close(self) -> None:
        for running in self._started:
            with contextlib.suppress(OSError):
                os.killpg(running.pid, signal.SIGKILL)
            running.process.wait()
            for each in running.processes():
                with contextlib.suppress(OSError):
                    os.kill(each, signal.SIGKILL)
            for stream in (running.process.stdout, running.process.stderr):
                if stream is not None:
                    stream.close()
        for kept in self._kept:
            kept.close()

    def check(self) -> None:
        """Of everything that was started nothing may be left, whatever the test was about."""
        for running in self._started:
            running.nothing_is_left()
        assert not list(self.temporary.iterdir())


@contextlib.contextmanager
def holdfast_in(directory: Path) -> Iterator[Holdfast]:
    holdfast = Holdfast(directory)
    try:
        yield holdfast
        holdfast.check()
    finally:
        holdfast.close()


def after_mounts(*mounts: str) -> list[str]:
    """A program that runs holdfast where some directories are others, seen by nothing else."""
    return in_mount_namespace(" && ".join([*mounts, 'exec "$@"']))


def in_mount_namespace(script: str) -> list[str]:
    """A program that runs this script, with holdfast's command line as its arguments, where it may mount.

    Skips the test where there can be none.
    """
    program = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "-"]
    if not shutil.which("unshare") or subprocess.run([*program, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs a mount namespace of its own: root, or a kernel that gives one to users")
    return [*program, *PROGRAM]
