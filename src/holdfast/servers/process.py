"""One server process group: started, watched and ended. Nothing of it outlives `close()`."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Self

from holdfast.errors import EnvironmentFailure, HoldfastError
from holdfast.model.frozen import frozen
from holdfast.procfs.read import is_alive, read, read_if_readable, read_stats
from holdfast.servers.guardian import Guardian
from holdfast.servers.limits import AskedLimit, higher_than_allowed
from holdfast.servers.no_program import no_program
from holdfast.servers.ownership import user_name
from holdfast.servers.privileges import adopt_orphans, in_child
from holdfast.servers.server_log import ServerLog

GRACE_S = 0.3
_TRACKER_S = 1.0  # it unlinks a few hundred names in some ms; on a busy machine it may wait for a core
_LOOK_S = 0.002
_KILL_S = 5.0  # a process in an uninterruptible wait outlives SIGKILL; do not wait for it forever
_SURE = 2


@frozen
class Command:
    """What to run.

    Attributes:
        token: value of HOLDFAST_TOKEN in `environment`; marks every process of this run.
        uid: run as this user; None keeps our own.
        limits: under which it starts.
        later_limits: that are set on it once it runs.
        grace_s: how long it may take to end by itself, so that it can clean up.
        ends_with_workers: once its other processes have ended, its first one has nothing to clean up.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path
    log: Path
    token: str
    limits: tuple[AskedLimit, ...] = ()
    later_limits: tuple[AskedLimit, ...] = ()
    uid: int | None = None
    stop_signal: int = int(signal.SIGTERM)
    grace_s: float = GRACE_S
    ends_with_workers: bool = False


class ServerProcess:
    """A running server: leader of its own session, with all its descendants.

    Invariant: after `close()`, or with a guardian after our own sudden end, no process of it is left, whatever it did
    in between (forked, daemonised, ignored signals, was stopped). Descendants are recognised by the run's token in
    their environment, by descent, or by their session.

    Attributes:
        pid: of its first process.
        log: what it writes.
    """

    def __init__(self, command: Command, guardian: Guardian | None = None) -> None:
        """Starts it.

        Args:
            guardian: of `guardian_of`, with the command's token; it is told what it cannot know.

        Raises:
            EnvironmentFailure: it could not be executed.
            UsageError: a limit is higher than the one in force.
        """
        self.command = command
        self._guardian = guardian
        self.log = ServerLog(command.log)
        self._told: set[int] = set()
        self._not_its_own = _children()
        self._successor: int | None = None
        self._ends_by: float | None = None
        self._background: set[int] = set()
        adopt_orphans(adopt=True)
        try:
            self._child = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=self.log.fileno(),
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=in_child(command.limits, uid=command.uid, parent=os.getpid()),  # noqa: PLW1509 - no threads
            )
        except (OSError, subprocess.SubprocessError) as error:
            self.log.close()
            adopt_orphans(adopt=False)
            raise _not_started(command, error) from error
        self.pid = self._child.pid
        if guardian is not None:
            guardian.tell(self.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        left = self.close()
        if left:
            raise _not_ended(left, error)

    def roots(self) -> tuple[int, ...]:
        """Its first process and the orphans of it that we adopted: all its processes descend from these."""
        adopted = sorted(_children() - self._not_its_own - {self.pid})
        for pid in adopted:
            self._tell_guardian(_session(pid))
        return (self.pid, *adopted)

    def stops(self, pids: AbstractSet[int]) -> None:
        """Says which processes of it are stopped for a moment, so that they run again if we do not for longer."""
        if self._guardian is not None:
            self._guardian.stops(pids)

    def _tell_guardian(self, session: int | None) -> None:
        ours = (None, self.pid, os.getsid(0))
        if self._guardian is not None and session not in ours and session not in self._told:
            assert session is not None
            self._told.add(session)
            self._guardian.tell(session)

    def exit_status(self) -> int | None:
        """None while it runs; else the exit code of its first process, negative for a signal.

        It still runs if its first process ended well and left others behind, as a daemon does.
        """
        self.log.cut()  # here, since this is asked all the time
        status = self._child.poll()
        if status == 0 and self._runs_on():
            return None
        return status

    def _runs_on(self) -> bool:
        if self._successor is None or not _lives(self._successor):
            self._successor = next((pid for pid in sorted(self._strays()) if _lives(pid)), None)
        return self._successor is not None

    def begin_to_end(self) -> None:
        """Asks it to end, for which `close()` waits; a second call does nothing."""
        if self._ends_by is not None:
            return
        self._background = {pid for pid in self.roots() if pid != self.pid}
        self._signal_group(self.command.stop_signal)
        self._signal_group(signal.SIGCONT)
        _kill(self._background, self.command.stop_signal)
        _kill(self._background, signal.SIGCONT)
        self._ends_by = time.monotonic() + self.command.grace_s

    def close(self) -> dict[int, int | None]:
        """Ends it and everything that it started.

        Returns:
            The processes that still run because we may not signal them, each with its user; otherwise none.
        """
        try:
            return self._end()
        finally:
            self.log.close()
            adopt_orphans(adopt=False)

    def _end(self) -> dict[int, int | None]:
        self.begin_to_end()
        ends_by = self._ends_by or 0.0
        while (self._child.poll() is None or _still_there(self._background)) and time.monotonic() < ends_by:
            self.log.cut()
            if self.command.ends_with_workers and not any(map(is_alive, _children_of(self.pid))):
                break
            time.sleep(_LOOK_S)
        if not _trackers(self._strays()):
            self._signal_group(signal.SIGKILL)
        # Processes that left the group are killed one by one. A killed orphan that we adopted is found (as a zombie
        # of ours) until it is reaped, so none is forgotten before it is gone.
        foreign = _until_none(lambda left: _still_there(left | self._strays()))
        if still := _foreign(_still_there(foreign | self._strays())):
            return still
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_KILL_S)
        return {}

    def _signal_group(self, number: int) -> None:
        # Once it is reaped its number may be reused; what is left of the group is then among the strays.
        if self._child.poll() is None:
            with contextlib.suppress(PermissionError):  # all of it runs as another user: a command like sudo
                os.killpg(self.pid, number)

    def _strays(self) -> set[int]:
        parents, mark = _parents(), _mark(self.command.token)
        roots = {pid for pid in parents if _has_mark(pid, mark)} | set(self.roots())
        if self._child.poll() is not None:
            roots.discard(self.pid)
        # Children of ours that run as another user may be hidden from the list of processes (proc(5), hidepid).
        return roots | {pid for pid in parents if _descends(pid, roots, parents)}


def guardian_of(token: str, scratch: Path) -> Guardian:
    """Ends the server of this token and removes a directory if we are killed; neither needs to be there yet.

    Raises:
        OSError: as `Guardian`.
    """
    return Guardian(lambda told: _end_orphans(told, _mark(token), scratch))


def _end_orphans(sessions: AbstractSet[int], mark: bytes, scratch: Path) -> None:
    """What the guardian does: it has no children, so there is nothing to reap."""
    _until_none(lambda _left: {pid for pid in _parents() if _session(pid) in sessions or _has_mark(pid, mark)})
    shutil.rmtree(scratch, ignore_errors=True)


def _until_none(found: Callable[[set[int]], set[int]]) -> set[int]:
    """Kills the processes that it finds, until none is left.

    Args:
        found: the processes that are there now, given those that were there before.

    Returns:
        Those that we may not signal. One look may miss a child: its list is not whole while another child ends
        (`get_children_pid()` in the kernel's fs/proc/array.c).
    """
    left, foreign = set[int](), set[int]()
    empty_looks = 0
    deadline = time.monotonic() + _KILL_S
    patience = time.monotonic() + _TRACKER_S
    # Twice: while /proc is read, a listed process may fork a child that is not listed, and end before its turn.
    while empty_looks < _SURE and time.monotonic() < deadline:
        left = found(left)
        foreign |= _foreign(left).keys()
        left -= foreign
        empty_looks = 0 if left else empty_looks + 1
        _kill(left - _trackers(left) if time.monotonic() < patience else left)
        time.sleep(_LOOK_S if left else 0)
    return foreign


def _trackers(pids: set[int]) -> set[int]:
    """The processes that clean up after Python's `multiprocessing` in /dev/shm, once all others are gone.

    They then end by themselves; if they were killed with the others, every semaphore and shared block would stay.
    """
    tracks = b"multiprocessing.resource_tracker"
    return {pid for pid in pids if tracks in (read_if_readable(f"/proc/{pid}/cmdline") or b"")}


def _foreign(pids: AbstractSet[int]) -> dict[int, int | None]:
    """Those of these processes that we may not signal, each with its user; None where it is hidden."""
    found: dict[int, int | None] = {}
    for pid in pids:
        try:
            os.kill(pid, 0)
        except PermissionError:
            found[pid] = None
            with contextlib.suppress(OSError):
                found[pid] = Path("/proc", str(pid)).stat().st_uid
        except OSError:
            continue
    return found


def _not_ended(left: Mapping[int, int | None], error: BaseException | None) -> EnvironmentFailure:
    """The error that processes of the server still run.

    Args:
        left: these, each with its user; None where it is hidden.
        error: what had gone wrong before.
    """
    users = " and ".join(sorted({"another user" if uid is None else user_name(uid) for uid in left.values()}))
    pids = " ".join(map(str, sorted(left)))
    before = f"\nBefore that: {error.what}\n{error.why}" if isinstance(error, HoldfastError) else ""
    return EnvironmentFailure(
        f"The server could not be ended: it runs as {users}, whom you may not signal.",
        f"These processes of it still run: {pids}.{before}",
        f"End them as root: sudo kill {pids}. To measure a server that changes its user, run holdfast as root.",
    )


def _mark(token: str) -> bytes:
    return f"HOLDFAST_TOKEN={token}".encode()


def _kill(pids: set[int], number: int = signal.SIGKILL) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _parents() -> dict[int, int]:
    return {stat.pid: stat.parent for stat in read_stats()}


def _children() -> set[int]:
    """Our own children, adopted orphans included."""
    return _children_of(os.getpid())


def _children_of(process: int) -> set[int]:
    found, threads = set[int](), Path("/proc", str(process), "task")
    # 20 us, where a look at every process of the machine takes as long for each of them.
    for thread in _listed(threads):
        try:
            found |= set(map(int, read(f"{thread}/children").split()))
        except OSError:
            if thread.exists():  # a kernel without CONFIG_PROC_CHILDREN
                return {pid for pid, parent in _parents().items() if parent == process}
    return found


def _listed(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def _lives(pid: int) -> bool:
    """Whether a process has not ended; a child of ours that has is reaped."""
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)
    return is_alive(pid)


def _descends(pid: int, ancestors: set[int], parents: Mapping[int, int]) -> bool:
    while pid > 1:
        if pid in ancestors:
            return True
        pid = parents.get(pid, 0)
    return False


def _has_mark(pid: int, mark: bytes) -> bool:
    return mark in (read_if_readable(f"/proc/{pid}/environ") or b"").split(b"\0")


def _still_there(pids: set[int]) -> set[int]:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.waitpid(pid, os.WNOHANG)
    return {pid for pid in pids if _exists(pid)}


def _exists(pid: int) -> bool:
    """Whether a process is there, a zombie included. /proc may hide it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _first_bytes(command: Command) -> bytes:
    """The beginning of the program; b"" where it cannot be read."""
    name = command.argv[0]
    found = name if os.sep in name else shutil.which(name, path=command.environment.get("PATH"))
    with contextlib.suppress(OSError), (command.cwd / (found or name)).open("rb") as file:
        return file.read(4096)
    return b""


def _not_started(command: Command, error: Exception) -> HoldfastError:
    too_high = higher_than_allowed(command.limits)
    if too_high is not None:
        return too_high
    if not command.cwd.is_dir():
        return EnvironmentFailure(
            f"The server could not be started in {command.cwd}.", str(error), "Run holdfast in a directory that exists."
        )
    program = command.argv[0]
    if isinstance(error, OSError) and error.errno == errno.ENOEXEC:
        return no_program(program, _first_bytes(command))
    return EnvironmentFailure(
        f"{program} could not be started.",
        str(error),
        "Check that the file exists and may be run, and how many processes and open files you may have (ulimit -a).",
    )
