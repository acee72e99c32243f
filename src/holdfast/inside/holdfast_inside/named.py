"""Applications that a command line names as `module:attribute`, for a server that is not known.

The name is looked for on the command lines of this process and of those around it: a worker that was started anew has
another one than its master, and a server that has Python in it may have it within a longer text.
"""

from __future__ import annotations

import os
import re
import sys
import types
from typing import Any, Callable, Dict, Iterator, List

_MOST_ANCESTORS = 5
_NAME = re.compile(rb"(?<![\w./:-])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)(?![\w:/.-])")

Wrap = Callable[[object], object]


def on_command_lines() -> Dict[str, List[str]]:
    """The modules that are named, each with the attributes that may be applications."""
    found: Dict[str, List[str]] = {}
    for line in command_lines():
        for module, name in _NAME.findall(line):
            names = found.setdefault(module.decode(), [])
            if name.decode() not in names:
                names.append(name.decode())
    return found


def command_lines() -> Iterator[bytes]:
    """Of this process and of those around it, nearest first, with NUL behind each argument."""
    # /proc has what a process has made of its own, as setproctitle does.
    started: List[str] = getattr(sys, "orig_argv", [])
    yield b"".join(os.fsencode(each) + b"\0" for each in started)
    pid = "self"
    for _ in range(_MOST_ANCESTORS):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                yield file.read()
            with open(f"/proc/{pid}/stat", "rb") as file:
                # The name in parentheses may contain spaces and parentheses itself.
                pid = file.read().rpartition(b")")[2].split()[1].decode()
        except (OSError, IndexError):
            return


def replace(namespace: Dict[str, Any], name: str, wrap: Wrap) -> None:
    """Puts the wrapper in the place of an application, or of a factory one that wraps what it makes.

    Args:
        namespace: of the module, which has been executed.
        name: one of `on_command_lines`; what is not an application is left alone.
        wrap: an application -> what the server is to find in its place.
    """
    from . import interface  # not at the top: every Python of the command imports this module

    found = namespace.get(name)
    if not callable(found):
        return
    if interface.is_application(found):
        namespace[name] = wrap(found)
    elif isinstance(found, types.FunctionType) and not found.__code__.co_argcount:

        def create(*args: object, **kwargs: object) -> object:
            made = found(*args, **kwargs)
            return wrap(made) if interface.is_application(made) else made

        namespace[name] = create
