"""What a file with a study expects of a row: fields with the values that they shall have, or expressions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from holdfast.checks.evaluate import check, reason_for, value_of
from holdfast.checks.expectation import Expectation
from holdfast.checks.fields import Field, Fields, Unknown, field_named, names_of
from holdfast.errors import UsageError
from holdfast.model.study import Claim
from holdfast.model.suggestions import did_you_mean
from holdfast.model.verdict import Verdict


def claims_of_values(
    values: Iterable[tuple[str, Any]], fields: Fields, where: str, wrong: Callable[[str, str], UsageError]
) -> Iterator[Claim]:
    """The expectation of each field that it has the value that is written.

    Args:
        values: names of fields, in full or not, and their values.
        where: they are written, for messages.
        wrong: makes the error for a field that cannot have its value, from its name and why not.

    Raises:
        UsageError: there is no such field, or it cannot have that value.
    """
    for name, value in values:
        try:
            field = field_named(name, fields)
        except Unknown as unknown:
            remedy = "Name one of these, such as ceiling.in_service."
            if unknown.several:
                remedy = f"Write one of these: {', '.join(unknown.several)}."
            raise UsageError(
                f"{where} expects {name}, which is not a field of a verdict.",
                "`holdfast probe --json -` shows all fields.",
                did_you_mean(name, names_of(fields), remedy),
            ) from None
        yield _claim(field, _as_json(name, value, field, wrong))


def claim_of(expectation: Expectation) -> Claim:
    """The expectation that an expression holds."""

    def finding(verdict: Verdict) -> tuple[str, bool | None, str]:
        plain = msgspec.json.decode(msgspec.json.encode(verdict))
        found = check(expectation, lambda _name: plain)
        return found.shown, None if found.why else found.met, found.why

    about = tuple(each.name for each in expectation.fields.values())
    return Claim(expectation.text, "", lambda verdict: finding(verdict)[0], finding=finding, about=about)


def text_of(value: object) -> str:
    """A value as it is shown and compared: a string is itself, everything else its JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=_members)


def _claim(field: Field, value: object) -> Claim:
    def here(verdict: Verdict) -> str | None:
        found = value_of(field, msgspec.json.decode(msgspec.json.encode(verdict)))
        return None if found is None else text_of(found)

    def why(verdict: Verdict) -> str:
        return reason_for(field.name, {"unknown": verdict.unknown}, {})

    return Claim(field.name, text_of(value), here, unknown=why)


def _as_json(name: str, value: object, field: Field, wrong: Callable[[str, str], UsageError]) -> object:
    if field.hint is None:
        return value
    try:
        return msgspec.to_builtins(msgspec.convert(value, field.hint))
    except msgspec.ValidationError as error:
        raise wrong(f"expect.{name}", f"{field.name} cannot have that value: {error}") from error


def _members(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{value!r} is not JSON")
