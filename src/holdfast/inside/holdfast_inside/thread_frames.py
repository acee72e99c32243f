"""The frame of each thread of this process."""

from __future__ import annotations

import gc
import os
import sys
import types
from typing import Dict

_collects = False
"""Whether garbage is to be collected again once the threads are listed."""


def innermost() -> Dict[int, types.FrameType]:
    """The innermost frame of each thread.

    Until 3.11.8, Python collects garbage while it lists them, with its lock on the list of threads: a finalizer that
    gives up the GIL then, and a thread that ends meanwhile, wait for each other for ever, and the whole server with
    them (https://github.com/python/cpython/issues/106883).
    """
    global _collects  # noqa: PLW0603 - of the whole process, and of one that is forked from it meanwhile
    if not (3, 11) <= sys.version_info < (3, 11, 9):
        return sys._current_frames()  # noqa: SLF001 - the documented way
    _collects = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()  # noqa: SLF001
    finally:
        _collect_again()


def _collect_again() -> None:
    global _collects  # noqa: PLW0603 - see above
    if _collects:
        _collects = False
        gc.enable()


os.register_at_fork(after_in_child=_collect_again)
