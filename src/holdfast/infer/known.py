"""A part of a verdict together with the reasons for what it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")

NOT_SO_FAR = "the run ended before this step"
LEFT_OUT = "left out: it was a trial of an explanation, which asks only how many requests fit where"


class Known(NamedTuple, Generic[T]):
    """A value, and why each of its fields that is None is not known.

    Attributes:
        unknown: a verdict's dotted field name -> the reason.
    """

    value: T
    unknown: Mapping[str, str] = {}


class Unknown:
    """Collects the reasons of the parts of one verdict.

    Attributes:
        reasons: all that were taken in, by field.
    """

    __slots__ = ("reasons",)

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def take(self, known: Known[T]) -> T:
        """The value; its reasons are kept."""
        self.reasons |= known.unknown
        return known.value

    def because(self, reason: str, *names: str) -> None:
        """Keeps one reason for these fields."""
        self.reasons |= because(reason, names)


def because(reason: str, names: Iterable[str]) -> dict[str, str]:
    """One reason for several fields; an empty reason is none."""
    return dict.fromkeys(names, reason) if reason else {}


def fields_of(stem: str, record: Any) -> tuple[str, ...]:  # noqa: ANN401 - any dataclass
    """The dotted names of all fields of a part: `model.kind`, `model.processes`, ..."""
    return tuple(f"{stem}.{each.name}" for each in fields(record))


def missing(stem: str, record: Any) -> tuple[str, ...]:  # noqa: ANN401 - any dataclass
    """The dotted names of those fields that are None."""
    return tuple(f"{stem}.{each.name}" for each in fields(record) if getattr(record, each.name) is None)
