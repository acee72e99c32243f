"""Arguments of a call from Python, as the options of the same names take them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from holdfast.api.option_layers import Source


def several(name: str, value: Any, among: Collection[str]) -> Any:  # noqa: ANN401 - an argument may be anything
    """A list of one for a single text or number, where an argument takes several.

    Args:
        among: the arguments that do.
    """
    return [value] if name in among and isinstance(value, str | int) else value


def checked(read: msgspec.Struct, checks: Mapping[str, Callable[[str], Any]], source: Source) -> dict[str, Any]:
    """The values by argument, each as its check returns it.

    Args:
        checks: what a text may be, by argument; others are taken as they are.

    Raises:
        UsageError: a check does not take a value.
    """
    values: dict[str, Any] = {}
    for name in read.__struct_fields__:
        value, check = getattr(read, name), checks.get(name)
        try:
            if isinstance(value, list):
                values[name] = tuple(value) if check is None else tuple(map(check, value))
            else:
                values[name] = value if value is None or check is None else check(_in_words(value))
        except ValueError as error:
            raise source.wrong(name, str(error)) from error
    return values


def _in_words(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:f}".rstrip("0").rstrip(".")
