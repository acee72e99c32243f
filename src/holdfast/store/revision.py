"""Which git revision a directory is at, and whether its tracked files differ from that."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from holdfast.model.revision import Revision

_PATIENCE_S = 2.0
"""A repository of 100,000 files takes half a second; git that waits for a file system must not hold up a saved run."""
# No hook of the repository's own is run, nothing is written to its index, and git asks for no password.
_STATUS = (
    *("-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch", "--untracked-files=no"),
    "--ignore-submodules=dirty",
)
_PIECE = 65536
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Looking:
    """A look at a directory's revision that is under way, so that other work need not wait for git."""

    def __init__(self, directory: Path) -> None:
        self._git: _Git | None = None
        self._why = ""
        self._top = _repository_around(directory)
        if self._top is None:
            self._why = f"{directory} is not in a git repository"
            return
        try:
            self._git = _Git(("-C", str(directory), *_STATUS))
        except OSError as error:
            self._why = f"git cannot be run: {error.strerror}"

    def found(self) -> Revision:
        """What it found; waits for git for no longer than two seconds."""
        if self._git is None:
            commit = None if self._top is None else _commit_in_files(self._top)
            return Revision(commit, None, self._why)
        if not self._git.ended_within(_PATIENCE_S):
            self.end()
            commit = None if self._top is None else _commit_in_files(self._top)
            return Revision(commit, None, f"git did not answer within {_PATIENCE_S:g} s")
        told, complaint = self._git.told
        if self._git.status:
            words = complaint.decode(errors="replace").strip().partition("\n")[0]
            return Revision(None, None, f"git says: {words}")
        return _revision_in(told.decode(errors="replace"))

    def end(self) -> None:
        """Ends git, where it still runs."""
        if self._git is not None:
            self._git.end()


class _Git:
    """A git that was started; `subprocess` would add 0.4 MB to each load that is saved (measured).

    Attributes:
        told: what it has written to standard output and to standard error.
        status: as of `waitstatus_to_exitcode`; None while it runs.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        """Starts it; raises OSError where there is no git."""
        pipes = os.pipe(), os.pipe()
        into = [writing for _, writing in pipes]
        try:
            self._pid = os.posix_spawnp(
                "git",
                ("git", *arguments),
                {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    *((os.POSIX_SPAWN_DUP2, writing, at) for at, writing in enumerate(into, 1)),
                ],
                # Python ignores it, and what it starts would too.
                setsigdef=(signal.SIGPIPE,),
            )
        except OSError:
            for reading, _ in pipes:
                os.close(reading)
            raise
        finally:
            for writing in into:
                os.close(writing)
        self._told = {reading: b"" for reading, _ in pipes}
        self._open = set(self._told)
        self.status: int | None = None

    @property
    def told(self) -> tuple[bytes, bytes]:
        """See the class."""
        out, error = self._told.values()
        return out, error

    def ended_within(self, seconds: float) -> bool:
        """Reads what it writes until it ends, for so long at most; whether it has ended."""
        end_s = time.monotonic() + seconds
        poll = select.poll()
        for reading in self._open:
            poll.register(reading, select.POLLIN)
        while self._open:
            ready = poll.poll(max(0.0, end_s - time.monotonic()) * 1000)
            for reading, _ in ready:
                data = os.read(reading, _PIECE)
                self._told[reading] += data
                if not data:
                    poll.unregister(reading)
                    self._open.discard(reading)
            if not ready:
                return False
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return True

    def end(self) -> None:
        """Kills it, where it still runs, and closes its pipes; at most once."""
        if self.status is None:
            os.kill(self._pid, signal.SIGKILL)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        while self._told:
            os.close(self._told.popitem()[0])
        self._open.clear()


@contextmanager
def looking(directory: Path) -> Iterator[Looking]:
    """A look that is over when the block is."""
    look = Looking(directory)
    try:
        yield look
    finally:
        look.end()


def revision_of(name: str, directory: Path) -> str | None:
    """The full name of the commit that a person calls so: HEAD, a branch, a tag; None where git knows none."""
    if name.startswith("-"):
        return None
    try:
        git = _Git(("-C", str(directory), "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"))
    except OSError:
        return None
    try:
        if not git.ended_within(_PATIENCE_S) or git.status:
            return None
        commit = git.told[0].decode(errors="replace").strip()
        return commit if _COMMIT.fullmatch(commit) else None
    finally:
        git.end()


def _repository_around(directory: Path) -> Path | None:
    """The `.git` of the nearest directory above that has one: git is only started where it has something to say."""
    with contextlib.suppress(OSError):
        for each in (directory.absolute(), *directory.absolute().parents):
            if (each / ".git").exists():
                return each / ".git"
    return None


def _revision_in(status: str) -> Revision:
    """What `git status --porcelain=v2 --branch` says.

    Source: git-status(1), "Porcelain Format Version 2".
    """
    lines = status.splitlines()
    commit = next((line.split()[2] for line in lines if line.startswith("# branch.oid ")), "")
    changed = any(line and not line.startswith(("#", "?", "!")) for line in lines)
    if not _COMMIT.fullmatch(commit):
        return Revision(None, None, "the repository has no commit yet")
    return Revision(commit, changed)


def _commit_in_files(top: Path) -> str | None:
    """The commit that HEAD names, without git; None where it is not in a file of its own.

    Source: gitrepository-layout(5).
    """
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if top.is_file():
            top = (top.parent / top.read_text().partition("gitdir:")[2].strip()).resolve()
        shared = top / "commondir"
        common = (top / shared.read_text().strip()).resolve() if shared.is_file() else top
        head = (top / "HEAD").read_text().strip()
        name = head.partition("ref:")[2].strip()
        if not name:
            return head if _COMMIT.fullmatch(head) else None
        for place in (top, common):
            if (place / name).is_file():
                commit = (place / name).read_text().strip()
                return commit if _COMMIT.fullmatch(commit) else None
        for line in (common / "packed-refs").read_text().splitlines():
            commit, _, of = line.partition(" ")
            if of == name and _COMMIT.fullmatch(commit):
                return commit
    return None
