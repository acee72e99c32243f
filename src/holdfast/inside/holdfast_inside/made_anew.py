"""Holds a request in a view whose function may be made anew for each request, or by each thread: without a gate then.

Templates that each thread compiles for itself are such functions, and modules that are loaded again for each request.
The function is known by its code: where that lies and what it does, not which one it is. From the call of the
application on, a profile function of the thread waits for it to be called, and holds there. A request that is held
costs nothing more.
"""

from __future__ import annotations

import contextlib
import sys
import types
from typing import Iterator, Optional, Tuple

from . import calling, code_patch, finding, gate


@contextlib.contextmanager
def holding(held: gate.Held, view: finding.View) -> Iterator[None]:
    """Holds the request once where this thread first calls the view in this block.

    With `--call`, the body runs then, where it is.
    """
    running: Optional[Tuple[types.FrameType, calling.BodyRun]] = None

    def profile(frame: types.FrameType, event: str, argument: object) -> None:
        nonlocal running
        if running is not None:
            if event == "return" and frame is running[0]:
                sys.setprofile(None)
                running[1].end(argument)
            return
        # Of several greenlets on this thread, another one may have come to it.
        if event != "call" or not _is_of(frame.f_code, view, held) or gate.current.get() is not held:
            return
        sys.setprofile(None)
        if code_patch.is_gate(frame.f_code):
            return
        run = held.run_in_place()
        if run is not None:
            running = frame, run
            run.begin()
            sys.setprofile(profile)

    if sys.getprofile() is not None:
        # A profiler of the person's own keeps its place.
        yield
        return
    sys.setprofile(profile)
    try:
        yield
    finally:
        if sys.getprofile() is profile:
            sys.setprofile(None)


def _is_of(code: types.CodeType, view: finding.View, held: gate.Held) -> bool:
    """Whether it is the view's, from the same place or from another file with the same code at the same line."""
    if (code.co_name, code.co_firstlineno) != (view.name, view.line):
        return False
    known = None if held.gate is None else held.gate.original.__code__
    return code.co_filename == view.file or (known is not None and code.co_code == known.co_code)
