"""Suggestions for a user who named an application that does not exist."""

from __future__ import annotations

import difflib
import os
import types
from typing import List, Optional

_MOST_NAMES = 8


def applications(holder: object) -> List[str]:
    """Names in a module or object that may be applications: objects first, then functions defined there."""
    own = getattr(holder, "__name__", None)
    names = []
    for name, value in vars(holder).items() if hasattr(holder, "__dict__") else ():
        if name.startswith("_") or not callable(value) or isinstance(value, (type, types.BuiltinFunctionType)):
            continue
        if not isinstance(value, types.FunctionType):
            names.append((0, name))
        elif value.__module__ == own:
            names.append((1, f"{name}()" if "create" in name or "make" in name else name))
    return [name for _, name in sorted(names)]


def attribute(holder: object, wanted: str) -> Optional[str]:
    """The application in `holder` whose name is closest to `wanted`, else the likeliest one; None if it has none."""
    candidates = applications(holder)
    near = difflib.get_close_matches(wanted, candidates, 1) or candidates
    return near[0] if near else None


def contents(holder: object) -> str:
    """A sentence that lists the likely applications in `holder`."""
    names = applications(holder)
    if not names:
        return "Nothing in it looks like an application."
    more = ", ..." if len(names) > _MOST_NAMES else ""
    return "It has {}{}.".format(", ".join(names[:_MOST_NAMES]), more)


def file_like(wanted: str, directory: str) -> str:
    """A sentence that suggests the Python file in `directory` whose name is closest to `wanted`."""
    try:
        stems = [entry[: -len(".py")] for entry in os.listdir(directory) if entry.endswith(".py")]
    except OSError:
        stems = []
    near = difflib.get_close_matches(wanted, stems, 1)
    return f"Did you mean {near[0]}.py?" if near else "Run holdfast in the directory that contains it."


def directory_of(module: str, directory: str) -> str:
    """A sentence that names the folder of `directory` that has a module; "" if none has it."""
    parts = module.split(".")
    try:
        folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    except OSError:
        folders = []
    for folder in folders:
        path = os.path.join(directory, folder, *parts)
        if not (os.path.isfile(f"{path}.py") or os.path.isfile(os.path.join(path, "__init__.py"))):
            continue
        if os.path.isfile(os.path.join(directory, folder, "__init__.py")):
            return f"Did you mean {folder}.{module}?"
        return f"It is in {folder}. Run holdfast there, or with PYTHONPATH={folder}."
    return ""


def file_in(directory: str) -> str:
    """The likeliest Python file in `directory`, as an example to name; `app.py` if it has none."""
    files = sorted(entry for entry in os.listdir(directory) if entry.endswith(".py") and entry[0] != "_")
    likely = [name for name in ("app.py", "wsgi.py", "main.py") if name in files]
    return os.path.join(directory, (likely or files or ["app.py"])[0])
