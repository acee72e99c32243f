"""The applications that uWSGI's settings name as `module:attribute`.

`uwsgi.opt` alone does not tell: of an option that is given several times, such as `mount`, it has only the last value
(2.0.30 under Python 3), and of that one, what comes behind `=` is cut off once uWSGI has begun to load it. So they are
also looked for in what uWSGI was started with, and in the files that this names.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Dict, Iterator, List, Tuple

from . import named

DEFAULT = "application"
_OPTIONS = ("module", "wsgi", "mount", "eval-mount")
_APPLICATION = re.compile(r"(?<![\w.:/-])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*(?:\(\))?)(?![\w:/.-])")
_FILE = re.compile(r"(?<![\w./-])[\w./-]+\.(?:ini|yaml|yml|json|js|xml)(?![\w.])")
_MOST_FILES = 20
_MOST_BYTES = 1 << 20

_found: List[Dict[str, Tuple[str, ...]]] = []


def of_modules() -> Dict[str, Tuple[str, ...]]:
    """The modules that are named, each with what may be its applications; a factory's name ends with `()`."""
    if not _found:
        _found.append(_in_texts())
    modules = dict(_found[0])
    for option in _OPTIONS:
        for value in options(option):
            module, _, name = value.rpartition("=")[2].partition(":")
            if not module.endswith((".py", ".wsgi")):
                modules[module] = (*modules.get(module, ()), name or of_files())
    return modules


def of_files() -> str:
    """What is the application in a file, or in a module that is named without one."""
    return next(options("callable"), DEFAULT)


def options(name: str) -> Iterator[str]:
    """The values of one of uWSGI's options, as far as `uwsgi.opt` has them."""
    found: Any = getattr(sys.modules.get("uwsgi"), "opt", {}).get(name, ())
    for each in found if isinstance(found, (list, tuple)) else (found,):
        if isinstance(each, bytes):
            yield each.decode("utf-8", "surrogateescape")


def _in_texts() -> Dict[str, Tuple[str, ...]]:
    modules: Dict[str, Tuple[str, ...]] = {}
    for text in _texts():
        for module, name in _APPLICATION.findall(text):
            if name not in modules.get(module, ()):
                modules[module] = (*modules.get(module, ()), name)
    return modules


def _texts() -> Iterator[str]:
    """The command lines around, uWSGI's variables, and the configuration files that these or other files name."""
    waiting = [line.decode("utf-8", "surrogateescape").replace("\0", "\n") for line in named.command_lines()]
    waiting += [value for name, value in os.environ.items() if name.startswith("UWSGI_")]
    files: List[str] = []
    while waiting:
        text = waiting.pop(0)
        # Of `/=module:attribute`, the attribute's module begins behind the `=`.
        yield text.replace("=", " ")
        for path in _FILE.findall(text):
            if path not in files and len(files) < _MOST_FILES:
                files.append(path)
                waiting += _content(path)


def _content(path: str) -> Iterator[str]:
    # uWSGI may have changed its directory since (`chdir`).
    for at in dict.fromkeys((path, os.path.join(os.environ.get("PWD", ""), path))):
        try:
            if os.path.isfile(at):
                with open(at, encoding="utf-8", errors="surrogateescape") as file:
                    yield file.read(_MOST_BYTES)
                return
        except OSError:
            continue
