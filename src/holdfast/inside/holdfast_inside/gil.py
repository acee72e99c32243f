"""Whether this interpreter runs with its lock (the GIL), and what may not be done without it."""

from __future__ import annotations

import os
import sys

from . import layout

_BUILT_WITHOUT = "t" in getattr(sys, "abiflags", "")
_ONE_THREAD_LINKS = 3
"""Of the directory of threads: itself, its parent, and one for each thread (Linux, fs/proc/base.c,
proc_task_getattr())."""


def state() -> int:
    """Which of layout.GILS holds in this process now.

    An extension module that has not declared that it does without the GIL enables it again for good when it is
    imported (CPython, Python/import.c, _PyImport_CheckGILForModule).
    """
    if not _BUILT_WITHOUT:
        return layout.GILS.index("always")
    if not sys._is_gil_enabled():  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way
        return layout.GILS.index("off")
    return layout.GILS.index("asked for" if getattr(sys.flags, "gil", None) == 1 else "on")


def frames_can_be_read() -> bool:
    """Whether the frames of other threads may be read.

    Without the GIL these threads run meanwhile, and reading the locals or the callers of a frame that runs may crash
    the interpreter (CPython, Doc/howto/free-threading-python.rst, "Frame objects"). Where there is one thread alone,
    nothing else runs.
    """
    if layout.GILS[state()] != "off":
        return True
    try:
        # Its number of links is told without a descriptor.
        return os.stat("/proc/self/task").st_nlink == _ONE_THREAD_LINKS
    except OSError:
        return False
