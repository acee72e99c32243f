"""The frame of each thread of this process."""

from __future__ import annotations

import gc
import sys
import types
from typing import Dict


def innermost() -> Dict[int, types.FrameType]:
    """The innermost frame of each thread.

    Until 3.11.8, Python collects garbage while it lists them, with its lock on the list of threads: a finalizer that
    gives up the GIL then, and a thread that ends meanwhile, wait for each other for ever, and the whole server with
    them (https://github.com/python/cpython/issues/106883).
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()  # noqa: SLF001 - the documented way
    finally:
        if collects:
            gc.enable()
