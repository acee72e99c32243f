"""Two results, as their JSON has them -> what differs, and whether that is more than noise; pure.

How it is decided
-----------------
Both are walked together, field by field. `infer.difference_rules` names for each field what it says and by which rule
two values of it are judged:

* What was asked, versions and limits are known exactly: another value is a change.
* What was counted inside the server is exact too. A ceiling that was not met is "at least", an estimate has its
  interval: two of them differ only where what they may be does not overlap.
* What follows from how many requests were offered (the ramp ends by itself), or from chance, is noise as long as it is
  of the same kind: some requests were turned away in both, or none in either.
* Times, memory and rates have a spread (`infer.spread`).

A field that one side does not have, because another version wrote it or because it was not measured, shows nothing.
Results are compared as JSON, not as records, so that a file that an older version wrote can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from holdfast.errors import UsageError
from holdfast.infer.difference_pair import ABSENT, Both, Judged, Pair
from holdfast.infer.difference_rules import COUNTS, KEYS, rule_of
from holdfast.model.difference import Difference, FieldDifference, Kind, Side

_NOT_AS_WRITTEN = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
"""What a rule raises for a file that was made or changed by hand."""
_BRACKETS = str.maketrans("[]", "()")
"""In the name of an element, which is itself in brackets."""
_SKIPPED = frozenset({"schema", "kind", "unknown", "run", "wall_clock_offset_ns"})
KINDS: Mapping[Kind, str] = {
    "verdict": "a verdict of probe, exec or attach",
    "load": "the result of a load",
    "explanation": "an explanation",
    "study": "a study",
    "capacity": "a search for the highest rate",
}
"""What can be compared, in words."""


def kind_of(result: Mapping[str, Any]) -> Kind | None:
    """What this JSON is; None where it is none of what can be compared."""
    kind = result.get("kind")
    if isinstance(kind, str) and kind in {"load", "explanation", "study", "capacity"}:
        return cast("Kind", kind)
    return "verdict" if kind is None and {"ceiling", "places", "target"} <= result.keys() else None


def difference_of(
    before: Mapping[str, Any], after: Mapping[str, Any], sides: tuple[Side, Side] = (Side("A"), Side("B"))
) -> Difference:
    """Compares two results of one kind.

    Args:
        before, after: as `--json` writes them.
        sides: where they come from.

    Raises:
        UsageError: they are not of one kind, or one is not a result at all.
    """
    kind = _common_kind((before, after), sides)
    pair = Pair(kind, before, after)
    try:
        found = list(_walked("", before, after, pair))
    except RecursionError as error:
        raise UsageError(
            f"{sides[0].name} and {sides[1].name} cannot be compared.",
            "One of them is nested more deeply than any result is.",
            "Give a file as --json has written it.",
        ) from error
    fields = tuple(each for each in found if each is not None)
    return Difference(kind, *sides, fields, len(found) - len(fields))


def is_beyond_noise(difference: Difference) -> bool:
    """Whether anything differs that two runs of the same server would have in common."""
    return any(each.meaning == "change" for each in difference.fields)


def _common_kind(results: tuple[Mapping[str, Any], ...], sides: tuple[Side, Side]) -> Kind:
    kinds = [kind_of(each) for each in results]
    for kind, side in zip(kinds, sides, strict=True):
        if kind is None:
            raise UsageError(
                f"{side.name} cannot be compared.",
                "It is not a verdict, a load's result, an explanation or a study.",
                "Give the number of a saved run, or a file that --json of these commands has written.",
            )
    one, other = cast("list[Kind]", kinds)
    if one != other:
        raise UsageError(
            f"{sides[0].name} and {sides[1].name} are of different kinds.",
            f"{sides[0].name} is {KINDS[one]}, {sides[1].name} is {KINDS[other]}.",
            "Compare two of one kind; `holdfast runs` says what each saved run is.",
        )
    return one


def _walked(path: str, before: Any, after: Any, pair: Pair) -> Iterator[FieldDifference | None]:  # noqa: ANN401 - JSON
    """Each field that differs, and None for each that is the same."""
    both = (before, after)
    if all(isinstance(each, Mapping) for each in both):
        pair = _nested(path, before, after, pair)
        missing = 0 if pair.name_of(path) in COUNTS else ABSENT
        for name in [*before, *(each for each in after if each not in before)]:
            if path != pair.at or name not in _SKIPPED:
                inner = f"{path}.{name}" if path else str(name)
                yield from _walked(inner, before.get(name, missing), after.get(name, missing), pair)
        return
    key = KEYS.get(pair.name_of(path), ())
    if key and all(isinstance(each, Sequence) for each in both):
        one, other = _keyed(before, key), _keyed(after, key)
        for name in [*one, *(each for each in other if each not in one)]:
            inner = f"{path}[{name}]"
            if name in one and name in other:
                yield from _walked(inner, one[name], other[name], pair)
            else:
                yield _judged(inner, one.get(name), other.get(name), pair)
        return
    # What one side does not have and the other does not know is the same to a reader.
    nothing = all(each is None or each is ABSENT for each in both)
    yield None if nothing or _is_same(before, after) else _judged(path, before, after, pair)


def _is_same(before: Any, after: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether two values are the same; a tuple, which a record has where its JSON has a list, is a list."""
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(map(_is_same, before, after))
    return bool(before == after)


def _nested(path: str, before: Mapping[str, Any], after: Mapping[str, Any], pair: Pair) -> Pair:
    """The results that the fields of this object lie in: a verdict within an explanation or a study, a load's step."""
    name = pair.name_of(path)
    if name in {"verdict", "rows[].verdict"}:
        return Pair("verdict", before, after, path)
    if name == "steps[]":
        one, other = ({**whole, **own} for whole, own in ((pair.before, before), (pair.after, after)))
        return Pair("load", one, other, path)
    return pair


def _keyed(elements: Sequence[Any], key: Sequence[str]) -> dict[str, Any]:
    """The elements of a list by what tells them apart."""
    found: dict[str, Any] = {}
    for each in elements:
        parts = [each.get(name) if isinstance(each, Mapping) else each for name in key]
        name = " ".join(str(part) for part in parts if part is not None).translate(_BRACKETS)
        number = 2
        unique = name
        while unique in found:
            unique, number = f"{name} ({number})", number + 1
        found[unique] = each
    return found


def _judged(path: str, before: Any, after: Any, pair: Pair) -> FieldDifference:  # noqa: ANN401 - JSON
    both = Both(pair.name_of(path), before, after, pair)
    part, rule = rule_of(both.name, pair.kind)
    try:
        found = rule(both)
    except _NOT_AS_WRITTEN:
        found = Judged("unknown", "a value is not of the kind that holdfast writes there")
    one, other = (None if each is ABSENT else each for each in both.values)
    return FieldDifference(path, found.part or part, one, other, found.meaning, found.why, *found.intervals)
