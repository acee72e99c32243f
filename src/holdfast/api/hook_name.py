"""The function of a person's own that is called with each answer, as it is named: `FILE.py:function`.

Only a file that the command itself names is run: a scenario may come from someone else.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from holdfast.model.answers import HookExtract

EXAMPLE = "Write it as own.py:sign."


def hook_of(text: str, directory: Path) -> HookExtract:
    """The hook that a text names.

    Args:
        directory: from which its file is looked for.

    Raises:
        ValueError: it names none, or its file does not exist.
    """
    name, colon, function = text.rpartition(":")
    if not colon or not name.endswith(".py") or not function.isidentifier():
        raise ValueError(f"{text!r} does not name a function in a file. {EXAMPLE}")
    file = directory / name
    if not file.is_file():
        raise ValueError(f"{name} is not a file in {directory.absolute()}.")
    return HookExtract(str(file.resolve()), function)


def allowed_files(named: Iterable[str]) -> frozenset[str]:
    """The files that a command lets a scenario run.

    Args:
        named: as they were named: `own.py`, or with a function.
    """
    return frozenset(str(Path(each.rpartition(":")[0] or each).resolve()) for each in named)
