"""What is said of the options of a command line, as a caller from Python writes them; pure."""

from __future__ import annotations

import re

_OPTION = re.compile(r"--([a-z][a-z0-9-]*)(?: (?=[A-Z0-9]))?")
_NAMES = {"for": "for_"}


def in_python(text: str) -> str:
    """The same text with arguments for options: `--over DURATION` is `over=DURATION`."""
    return _OPTION.sub(_argument, text)


def _argument(found: re.Match[str]) -> str:
    name = _NAMES.get(found[1], found[1].replace("-", "_"))
    return f"{name}=" if found[0].endswith(" ") else name
