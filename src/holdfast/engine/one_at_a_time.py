"""A lock between processes that are forked from one, which the kernel takes back from one that is lost."""

from __future__ import annotations

import fcntl
import os
import weakref


class OneAtATime:
    """A context that only one process is in at a time.

    It is a record lock (fcntl(2), F_SETLKW) on a file without a name: processes own such a lock, not descriptors, so
    that those which share the descriptor after a fork exclude each other, and the end of a process releases it.
    """

    __slots__ = ("__weakref__", "_descriptor")

    def __init__(self) -> None:
        """None is in it."""
        self._descriptor = os.memfd_create("holdfast", os.MFD_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def __enter__(self) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
