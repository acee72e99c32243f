"""Keeps holdfast's `sitecustomize` the first on PYTHONPATH of the programs that a Python process turns into.

Only the first one on the path is imported, and it need not run another. What instruments other programs (such as
opentelemetry-instrument, opentelemetry/instrumentation/auto_instrumentation/__init__.py, run()) puts the directory of
its own in front of PYTHONPATH and then calls `os.execl`. Ours runs the next one on the path, so both are let in.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Optional

from . import layout


def keep(startup: str) -> None:
    """Lets `os.exec*` of this process put a directory back in front, where another `sitecustomize` would hide it.

    Args:
        startup: the directory with our `sitecustomize`.
    """
    execv, execve = os.execv, os.execve

    # All others, execl and execvpe for instance, call one of these two by its name in the module (Lib/os.py).
    def execv_with_us(path: Any, argv: Any) -> Any:  # noqa: ANN401 - as os.execv takes them
        in_front = _with_us_in_front(os.environ, startup)
        return execv(path, argv) if in_front is None else execve(path, argv, in_front)

    def execve_with_us(path: Any, argv: Any, env: Any) -> Any:  # noqa: ANN401 - as os.execve takes them
        return execve(path, argv, _with_us_in_front(env, startup) or env)

    os.execv, os.execve = execv_with_us, execve_with_us


def _with_us_in_front(environment: Mapping[Any, Any], startup: str) -> Optional[Dict[Any, Any]]:
    """The environment, with our directory before the others; None where it is not behind one that hides it."""
    places = str(environment.get("PYTHONPATH", "")).split(os.pathsep)
    if startup not in places or not environment.get(layout.RECORD_VARIABLE):
        return None
    before = places[: places.index(startup)]
    if not any(os.path.exists(os.path.join(place, "sitecustomize.py")) for place in before):
        return None
    places.remove(startup)
    return {**environment, "PYTHONPATH": os.pathsep.join([startup, *places])}
