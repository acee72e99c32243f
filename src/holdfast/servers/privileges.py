"""Lowered limits of the server process, set between fork and exec. Linux, by ctypes.

`RLIMIT_NPROC` does not bind root, nor anyone with CAP_SYS_RESOURCE or CAP_SYS_ADMIN
(kernel/fork.c, copy_process(); setrlimit(2)). To measure under it, root starts the server as
a user that owns no other process. That user keeps one capability, CAP_DAC_READ_SEARCH,
as an ambient one (capabilities(7)), so that it can still read the interpreter and the
application wherever they lie; it can write nothing more than that user could.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from holdfast.model.limits import ADDRESS_SPACE
from holdfast.procfs.read import list_pids
from holdfast.servers.limits import AskedLimit, impose

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522

_FIRST_SPARE_UID = 61184  # systemd's range for dynamic users: no account has one by default
_LAST_SPARE_UID = 65519

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def adopt_orphans(*, adopt: bool) -> None:
    """Makes this process the new parent of its descendants' orphans, or ends that (prctl(2), SUBREAPER).

    A server that daemonises stays in reach by it and cannot outlive the run.
    """
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)


def spare_uid() -> int | None:
    """A user id that no process has; None where this process may not change its own (it is not root).

    Any of four thousand: the first free one would be that of every run that begins at the same time, or in another
    container, where its processes are not seen; they would count against this user's limit too.
    """
    if os.geteuid() != 0:
        return None
    taken = set()
    for pid in list_pids():
        with suppress(OSError):
            taken.add(os.stat(f"/proc/{pid}").st_uid)
    spare = [uid for uid in range(_FIRST_SPARE_UID, _LAST_SPARE_UID) if uid not in taken]
    # To be spread, not secret: `secrets` loads libcrypto, 3 to 6 ms of CPU at each start (measured).
    return random.choice(spare) if spare else None  # noqa: S311


def in_child(limits: Sequence[AskedLimit], *, uid: int | None, parent: int) -> Callable[[], None]:
    """What the child does between fork and exec: dies with its parent, takes its limits, changes its user."""

    def prepare() -> None:
        impose(each for each in limits if each.kind.name != ADDRESS_SPACE)
        if uid is not None:
            _become(uid)
        # After the change of user, which clears it (prctl(2), PR_SET_PDEATHSIG).
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        # Last, because what we had ourselves, of which this is a copy, may be more than the server is to have.
        impose(each for each in limits if each.kind.name == ADDRESS_SPACE)

    return prepare


def _become(uid: int) -> None:
    _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    keep = 1 << _CAP_DAC_READ_SEARCH
    sets = (_Sets * 2)(_Sets(keep, keep, keep), _Sets(0, 0, 0))
    header = _Header(_CAPABILITY_VERSION_3, 0)
    # Without the capability (a container that withholds it) the server still runs if
    # that user may read its files; if not, its own error message says which.
    if _libc.capset(ctypes.byref(header), ctypes.byref(sets)) == 0:
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)
