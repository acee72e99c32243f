"""Which installed packages the server's command runs: applications that are installed like any library.

Of such an application no file is the person's own. Its package takes the place of the person's files, if none of these
ran for the request that was watched.
"""

from __future__ import annotations

import dis
import functools
import os
import sys
import types
from typing import Callable, Iterator, List, Optional, Set

from . import entry_wrappers, hooks, named, own_code

_LONGEST_SCRIPT = 10_000
_DEFAULT = "application"
SERVERS = frozenset(name.partition(".")[0] for name in entry_wrappers.SERVERS)
"""The packages of servers that holdfast knows."""


def packages(without: str = "") -> List[str]:
    """Top-level names of packages that the command names or its script imports, the nearest process's first.

    Servers and frameworks that holdfast knows are left out: their own code answers for others.

    Args:
        without: another one to leave out: that of the server's code which calls the application.
    """
    known = {"holdfast", without, *SERVERS}
    known.update(name.partition(".")[0] for name in (*hooks.HOOKS, *hooks.BRIDGES))
    found: List[str] = []
    for name in _modules():
        top = name.partition(".")[0]
        if top not in known and top not in found and not own_code.is_standard_name(top):
            found.append(top)
    return found


def package_of(path: str) -> str:
    """The top-level name to which an installed package's file belongs; "" for every other file."""
    for part in ("site-packages", "dist-packages"):
        _, found, inside = path.rpartition(os.sep + part + os.sep)
        if found:
            top = inside.partition(os.sep)[0]
            return top[: -len(".py")] if top.endswith(".py") else top
    return ""


def is_in(package: str) -> Callable[[str], bool]:
    """What tells whether a file belongs to an installed package."""
    return functools.lru_cache(maxsize=None)(lambda path: package_of(path) == package)


def that_calls(entry: Optional[types.FrameType]) -> str:
    """The package of the server's code that calls the application."""
    while entry is not None and entry.f_code.co_filename.startswith(own_code.OURS):
        entry = entry.f_back
    return "" if entry is None else package_of(entry.f_code.co_filename)


def is_of_server(frame: Optional[types.FrameType]) -> bool:
    """Whether what runs is a known server's own: its middleware, and what an application calls to read or reply."""
    if frame is None:
        return False
    path = frame.f_code.co_filename
    return path.startswith(own_code.OURS) or package_of(path) in SERVERS


def _modules() -> Iterator[str]:
    yield from named.on_command_lines()
    for line in named.command_lines():
        arguments = [each.decode("utf-8", "surrogateescape") for each in line.split(b"\0")]
        # A server that is given a module alone takes this attribute of it (gunicorn/util.py, `import_app`).
        yield from (each for each in arguments[1:] if _DEFAULT in getattr(sys.modules.get(each), "__dict__", ()))
        for at, argument in enumerate(arguments[1:], 1):
            if argument == "-m":
                yield from arguments[at + 1 : at + 2]
                break
            if not argument.startswith("-"):
                yield from _imported_by(argument)
                break


def _imported_by(script: str) -> Set[str]:
    """The modules that a script imports, if it is one of an environment's commands."""
    source = _source(script) if own_code.is_command(script) else None
    if source is None:
        return set()
    try:
        code = compile(source, script, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return set()
    return {str(each.argval) for each in dis.get_instructions(code) if each.opname == "IMPORT_NAME"}


def _source(script: str) -> Optional[bytes]:
    try:
        with open(script, "rb") as file:
            start = file.read(_LONGEST_SCRIPT)
    except OSError:
        return None
    return start if b"\0" not in start else None
