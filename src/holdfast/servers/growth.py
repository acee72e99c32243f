"""Settings with which a server starts with fewer workers than it may have, and adds some under load.

Such a server has no ceiling that a short look could find: it adds a worker every few seconds while all are busy.
Source: uWSGI documentation, "The uWSGI cheaper subsystem": `cheaper` is the number of workers to keep at least.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

_PROGRAMS = frozenset({"uwsgi", "pyuwsgi"})
_OPTION = re.compile(r"^--cheaper(=|$)")
_LINE = re.compile(r"^\s*cheaper\s*[=:]", re.MULTILINE)
_VARIABLE = "UWSGI_CHEAPER"
_FILES = frozenset({".ini", ".yaml", ".yml", ".cfg"})
_MOST_BYTES = 1 << 20


def growth_setting(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> str:
    """The setting by which this command's pool of workers may grow; "" where none is known.

    Args:
        command: the server's command line, or a shell's that starts it.
        cwd: the directory in which it starts, where its configuration files are looked up.
    """
    if not any(PurePath(word).name in _PROGRAMS for each in command for word in each.split()):
        return ""
    words = [word for each in command for word in each.split()]
    if any(map(_OPTION.match, words)) or environment.get(_VARIABLE):
        return "cheaper"
    files = (cwd / word.rpartition("=")[2] for word in words if PurePath(word).suffix in _FILES)
    return "cheaper" if any(_LINE.search(_text(each)) for each in files) else ""


def _text(path: Path) -> str:
    try:
        with path.open(errors="replace") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return ""
