"""Keeps holdfast's `sitecustomize` the first on PYTHONPATH of the programs that a Python process starts or turns into.

Two kinds of launcher would lose it:

- Only the first `sitecustomize` on the path is imported, and it need not run another. What instruments other programs
  (such as opentelemetry-instrument, opentelemetry/instrumentation/auto_instrumentation/__init__.py, run()) puts the
  directory of its own in front and then calls `os.execl`. Ours runs the next one on the path, so both are let in.
- Ours leaves `sys.path` as it is without holdfast, and some hand that on as PYTHONPATH to a program that has Python in
  it (pyvoy/_server.py, get_envoy_environ()).

An environment that no longer has holdfast's other variables was made on purpose without them, and is left alone.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Dict, Mapping, Optional

from . import layout, post_import


def keep(startup: str) -> None:
    """Lets what this process starts, and turns into, have our directories first on PYTHONPATH.

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

    def subprocess_imported(name: str) -> None:
        popen: Any = sys.modules[name].Popen
        popen.__init__ = _starting_with_us(popen.__init__, startup)

    post_import.watch(("subprocess",), subprocess_imported)


def _starting_with_us(original: Callable[..., None], startup: str) -> Callable[..., None]:
    """`subprocess.Popen.__init__`, through which asyncio starts programs too."""
    import functools  # not at the top: every Python of the command imports this module

    code = getattr(original, "__code__", None)
    names = () if code is None else code.co_varnames[: code.co_argcount]
    if "env" not in names:
        return original  # something else has taken its place
    at = names.index("env")

    @functools.wraps(original)
    def __init__(*args: Any, **kwargs: Any) -> None:  # noqa: N807, ANN401 - as it takes them
        given = args[at] if at < len(args) else kwargs.get("env")
        in_front = _with_us_in_front(os.environ if given is None else given, startup)
        if in_front is not None and at < len(args):
            args = (*args[:at], in_front, *args[at + 1 :])
        elif in_front is not None:
            kwargs["env"] = in_front
        original(*args, **kwargs)

    return __init__


def _with_us_in_front(environment: Mapping[Any, Any], startup: str) -> Optional[Dict[Any, Any]]:
    """The environment, with our directories before the others; None where they need not be put there."""
    if not environment.get(layout.RECORD_VARIABLE):
        return None
    places = str(environment.get("PYTHONPATH") or "").split(os.pathsep)
    if startup in places:
        before = places[: places.index(startup)]
        if not any(os.path.exists(os.path.join(place, "sitecustomize.py")) for place in before):
            return None
    ours = [startup, os.path.dirname(startup)]
    others = [each for each in places if each and each not in ours]
    return {**environment, "PYTHONPATH": os.pathsep.join([*ours, *others])}
