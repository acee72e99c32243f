"""What a person expects of a verdict: any field of its JSON by its dotted name, and the value that it shall have."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.model.study import Claim
from holdfast.model.verdict import Verdict

# Where a name without a dot is looked for: what a server can do, rather than what was offered to it this time.
_SHORT = ("ceiling", "model", "overflow", "abandoned", "places", "cost", "limits", "target", "timing")


def fields() -> dict[str, Any]:
    """Every field of a verdict by its dotted name, with its type."""
    return dict(_fields(Verdict, ""))


def full_name(name: str, known: Mapping[str, Any]) -> str | None:
    """The dotted name that is meant: `in_service` is `ceiling.in_service`; None where there is no such field."""
    # What is within a field that has names of its own, such as `unknown`, is known when the verdict is there.
    return next((each for each in (name, *(f"{part}.{name}" for part in _SHORT)) if _is_in(each, known)), None)


def claim_of(name: str, value: object) -> Claim:
    """The expectation that a field has this value.

    Args:
        name: in full.
        value: as JSON has it.
    """
    return Claim(
        name, text_of(value), lambda verdict: _here(verdict, name), unknown=lambda verdict: _why(verdict, name)
    )


def text_of(value: object) -> str:
    """A value as it is shown and compared: a string is itself, everything else its JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=_plain)


def _fields(kind: Any, prefix: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any annotation
    for name, hint in typing.get_type_hints(kind).items():
        within = _record(hint)
        if within is None:
            yield f"{prefix}{name}", hint
        else:
            yield from _fields(within, f"{prefix}{name}.")


def _record(hint: Any) -> type | None:  # noqa: ANN401 - any annotation
    return next((each for each in _choices(hint) if dataclasses.is_dataclass(each) and isinstance(each, type)), None)


def _choices(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any annotation
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _is_in(name: str, known: Mapping[str, Any]) -> bool:
    return name in known or any(
        name.startswith(f"{each}.") and any(typing.get_origin(choice) is dict for choice in _choices(hint))
        for each, hint in known.items()
    )


def _here(verdict: Verdict, name: str) -> str | None:
    value: object = verdict
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
        if value is None:
            return None
    return text_of(value)


def _why(verdict: Verdict, name: str) -> str:
    return verdict.unknown.get(name, "")


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{value!r} is not JSON")
