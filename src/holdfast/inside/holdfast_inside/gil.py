"""Whether this interpreter runs with its lock (the GIL), and whether the frames of other threads may be read."""

from __future__ import annotations

import _thread
import os
import sys
import threading

from . import layout

_BUILT_WITHOUT = "t" in getattr(sys, "abiflags", "")
_ONE_THREAD_LINKS = 3
"""Of the directory of threads: itself, its parent, and one for each thread (Linux, fs/proc/base.c,
proc_task_getattr())."""
_knows_it_runs_in = os.getpid()
"""The process, as far as Python knows; of one that was forked without its knowledge it is the parent."""


def _note_fork() -> None:
    global _knows_it_runs_in  # noqa: PLW0603 - of the whole process
    _knows_it_runs_in = os.getpid()


os.register_at_fork(after_in_child=_note_fork)


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

    Not where some of them are the parent's (see `_lists_threads_of_its_parent`).

    Without the GIL these threads run meanwhile, and reading the locals or the callers of a frame that runs may crash
    the interpreter (CPython, Doc/howto/free-threading-python.rst, "Frame objects"). Where there is one thread alone,
    nothing else runs.
    """
    if _lists_threads_of_its_parent():
        return False
    if layout.GILS[state()] != "off":
        return True
    try:
        # Its number of links is told without a descriptor.
        return os.stat("/proc/self/task").st_nlink == _ONE_THREAD_LINKS
    except OSError:
        return False


def _lists_threads_of_its_parent() -> bool:
    """Whether Python may list threads that only the process has from which this one was forked.

    A program in C has to tell Python of a fork (PyOS_AfterFork_Child()), and uWSGI does not, unless it is told to
    (`py-call-osafterfork`). What a thread that was started before it leaves on the list lies in a stack that is
    another thread's by then, and to list the frames crashes the process (CPython, _PyThread_CurrentFrames()).
    """
    if os.getpid() == _knows_it_runs_in:
        return False
    try:
        there = set(map(int, os.listdir("/proc/self/task")))
    except OSError:
        return True
    mine = [each for each in list(threading._active.values()) if type(each).__name__ != "_DummyThread"]  # type: ignore[attr-defined]  # noqa: SLF001 - its lock may be held for ever
    alive = {getattr(each, "native_id", None) for each in mine if each is not threading.main_thread()} & there
    return _thread._count() > len(alive)  # noqa: SLF001 - those that Python has started
