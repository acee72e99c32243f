"""Which git revision a directory is at, and whether its tracked files differ from that."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.model.revision import Revision

_PATIENCE_S = 2.0
"""A repository of 100,000 files takes half a second; git that waits for a file system must not hold up a saved run."""
# No hook of the repository's own is run, nothing is written to its index, and git asks for no password.
_STATUS = ("git", "-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch", "--untracked-files=no")
_IGNORE = "--ignore-submodules=dirty"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Looking:
    """A look at a directory's revision that is under way, so that other work need not wait for git."""

    def __init__(self, directory: Path) -> None:
        self._git: subprocess.Popen[bytes] | None = None
        self._why = ""
        self._top = _repository_around(directory)
        if self._top is None:
            self._why = f"{directory} is not in a git repository"
            return
        try:
            self._git = subprocess.Popen(
                [*_STATUS, _IGNORE],
                cwd=directory,
                env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            self._why = f"git cannot be run: {error.strerror}"

    def found(self) -> Revision:
        """What it found; waits for git for no longer than two seconds."""
        if self._git is None:
            commit = None if self._top is None else _commit_in_files(self._top)
            return Revision(commit, None, self._why)
        try:
            told, complaint = self._git.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.end()
            commit = None if self._top is None else _commit_in_files(self._top)
            return Revision(commit, None, f"git did not answer within {_PATIENCE_S:g} s")
        if self._git.returncode:
            words = complaint.decode(errors="replace").strip().partition("\n")[0]
            return Revision(None, None, f"git says: {words}")
        return _revision_in(told.decode(errors="replace"))

    def end(self) -> None:
        """Ends git, where it still runs."""
        if self._git is not None:
            if self._git.poll() is None:
                self._git.kill()
            self._git.communicate()


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
    command = ("git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    commit = done.stdout.decode(errors="replace").strip()
    return commit if not done.returncode and _COMMIT.fullmatch(commit) else None


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
