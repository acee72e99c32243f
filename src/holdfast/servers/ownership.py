"""Whose a file is: what decides which code is run is taken only from the person's own files, or root's.

As git does since CVE-2022-24765 (git-config(1), safe.directory): a file that another user has put into a directory
above ours must not decide what we run.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

_ROOT = 0


def why_not_ours(path: Path) -> str | None:
    """Why another user could have written what is there; None where only this user or root can have.

    Both the file and its directory are looked at: a user who may write there can put another file in its place.

    Raises:
        OSError: it cannot be looked at.
    """
    return _why_not(path, path.stat()) or _why_not(path.parent, path.parent.stat())


def _why_not(path: Path, status: os.stat_result) -> str | None:
    if status.st_uid not in _trusted_users():
        return f"{path} belongs to {user_name(status.st_uid)}."
    if status.st_mode & stat.S_IWOTH:
        return f"{path} can be written by every user."
    if status.st_mode & stat.S_IWGRP and not _is_private(status.st_gid):
        return f"{path} can be written by a group with other members."
    return None


def _trusted_users() -> frozenset[int]:
    """This user, root, and who has become root by sudo, as git takes them."""
    users = {_ROOT, os.geteuid()}
    by_sudo = os.environ.get("SUDO_UID", "")
    if os.geteuid() == _ROOT and by_sudo.isdecimal():
        users.add(int(by_sudo))
    return frozenset(users)


def _is_private(gid: int) -> bool:
    """Whether a group has no members but trusted users: many systems give each user one, and let it write."""
    trusted = _trusted_users()
    names = {user_name(uid) for uid in trusted}
    try:
        group = grp.getgrgid(gid)
    except KeyError:
        return gid in trusted
    return set(group.gr_mem) <= names and (gid == _ROOT or group.gr_name in names)


def user_name(uid: int) -> str:
    """What a user is called, or the number where there is no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
