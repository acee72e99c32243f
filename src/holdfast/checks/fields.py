"""The fields of a result by their names, as its JSON has them: which there are, and which one a name means."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.checks.units import unit_of
from holdfast.model.frozen import frozen

NUMBER, TEXT, TRUTH, LIST, RECORD, COUNTS, WORDS = "number", "text", "truth value", "list", "record", "counts", "texts"


@frozen
class Field:
    """A field of a result.

    Attributes:
        name: in full, with dots.
        kinds: what its values can be, null aside.
        choices: the texts that it can be; () where it can be any.
        unit: of its numbers; "" of a plain number.
        share_of: the field whose number it is a part of, so that it can be compared in percent; "" where none is.
        key: within a field of counts or of texts, the name of one of them, which may have dots; "" of any other.
        hint: its annotation; None where it is not a field of a record.
    """

    name: str
    kinds: frozenset[str]
    choices: tuple[str, ...] = ()
    unit: str = ""
    share_of: str = ""
    key: str = ""
    hint: Any = None


@frozen
class Fields:
    """All fields of one kind of result.

    Attributes:
        what: the kind, in words: "a verdict".
        named: by their full names.
        before: within which part each name is looked for even before it is taken for a full one; "" is none.
        first: within which parts a name is looked for that is not a full one, in this order.
        aliases: shorter name -> full name.
        keys: name of a field of counts -> the counts that it can have; where it is not here, any.
        selectors: names of the lists in which it has results of a part each: `label` -> fields of such a part.
        reasons: why fields are null, by the beginning of their names, where the result itself does not say so.
    """

    what: str
    named: Mapping[str, Field]
    before: str = ""
    first: tuple[str, ...] = ()
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    selectors: Mapping[str, Fields] = dataclasses.field(default_factory=dict)
    reasons: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Unknown(LookupError):  # noqa: N818 - a name that is not known, not an error of ours
    """A name means no field, or several.

    Attributes:
        what: in words.
        several: those that it could mean.
    """

    def __init__(self, what: str, several: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.several = several


def fields_of(record: type, prefix: str = "") -> dict[str, Field]:
    """Every field of a record and of the records in it, by its name with dots."""
    found: dict[str, Field] = {}
    hints = typing.get_type_hints(record)
    for name in (each.name for each in dataclasses.fields(record)):
        full = f"{prefix}{name}"
        found[full] = _field(full, hints[name])
        # A field that can be records of several kinds has the fields of all of them.
        for within in _records(hints[name]):
            for inner in fields_of(within, f"{full}.").values():
                before = found.get(inner.name)
                kinds = inner.kinds | before.kinds if before else inner.kinds
                found[inner.name] = dataclasses.replace(inner, kinds=kinds)
    return found


def field_named(name: str, fields: Fields) -> Field:
    """The field that a name means.

    The full name comes first, then the name within one of the parts that are looked at first, then the one field
    whose name ends with it.

    Raises:
        Unknown: it means none, or several.
    """
    meant = fields.aliases.get(name, name)
    parts = (f"{part}.{meant}" for part in fields.first)
    for each in (f"{fields.before}.{meant}", meant, *parts):
        if each in fields.named:
            return fields.named[each]
    endings = tuple(each for each in fields.named if each.endswith(f".{meant}"))
    if len(endings) == 1:
        return fields.named[endings[0]]
    if endings:
        raise Unknown(f"{name} can mean several fields", endings)
    within = _key(name, fields)
    if within is None:
        raise Unknown(f"{fields.what} has no field {name}")
    return within


def _key(name: str, fields: Fields) -> Field | None:
    """One count or text of a field that has several by their names, such as `statuses.503`."""
    for at in (at for at, sign in enumerate(name) if sign == "."):
        try:
            field = field_named(name[:at], fields)
        except Unknown:
            continue
        key = name[at + 1 :]
        if field.key or not field.kinds & {COUNTS, WORDS}:
            continue
        known = fields.keys.get(field.name)
        if known is not None and key not in known:
            raise Unknown(f"{field.name} has no {key}", tuple(f"{field.name}.{each}" for each in known))
        kinds = frozenset({NUMBER} if COUNTS in field.kinds else {TEXT})
        return Field(f"{field.name}.{key}", kinds, share_of=field.share_of, key=key)
    return None


def names_of(fields: Fields) -> Iterator[str]:
    """Everything that could be written, for a suggestion: full names, and what they end with."""
    for name in (*fields.named, *fields.aliases):
        yield name
        yield name.rpartition(".")[2]


def _field(name: str, hint: Any) -> Field:  # noqa: ANN401 - any annotation
    kinds: set[str] = set()
    choices: tuple[str, ...] = ()
    for each in _choices(hint):
        kind = _kind(each)
        kinds |= {kind} if kind else set()
        if typing.get_origin(each) is typing.Literal:
            choices = tuple(map(str, typing.get_args(each)))
    return Field(name, frozenset(kinds), choices, unit_of(name) if NUMBER in kinds else "", hint=hint)


def _kind(hint: Any) -> str:  # noqa: ANN401 - any annotation
    origin = typing.get_origin(hint)
    if origin is dict:
        return COUNTS if typing.get_args(hint)[1] in (int, float) else WORDS
    if origin is tuple:
        return LIST
    if dataclasses.is_dataclass(hint):
        return RECORD
    return {type(None): "", bool: TRUTH, int: NUMBER, float: NUMBER}.get(hint, TEXT)


def _choices(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any annotation
    return typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)


def _records(hint: Any) -> Iterator[type]:  # noqa: ANN401 - any annotation
    return (each for each in _choices(hint) if dataclasses.is_dataclass(each) and isinstance(each, type))
