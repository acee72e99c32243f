"""Two values of one field in their results, and how they are judged where the kind of field says nothing else; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from holdfast.infer.http2 import ADVERTISES_NONE
from holdfast.infer.spread import is_same_time, overlap
from holdfast.model.difference import Interval, Kind, Meaning, Part
from holdfast.model.frozen import frozen
from holdfast.model.limits import NO_GROUP, UNLIMITED
from holdfast.model.verdict import NOT_KEPT

_NAMED = re.compile(r"\[[^]]*\]")


class _Absent(Enum):
    """The value of a field that one side does not have."""

    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT


@frozen
class Judged:
    """What a difference shows, and why.

    Attributes:
        part: where it is another than the field's usual one.
    """

    meaning: Meaning
    why: str
    intervals: tuple[Interval | None, Interval | None] = (None, None)
    part: Part | None = None


@frozen
class Pair:
    """The two results that a field lies in: as compared, or the verdicts within them.

    Attributes:
        at: where they lie, as a dotted name; "" are the whole.
    """

    kind: Kind
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    at: str = ""

    def name_of(self, path: str) -> str:
        """The field's name in these results, without the names of elements: `libraries[].limit`."""
        own = path[len(self.at) + 1 :] if self.at else path
        return _NAMED.sub("[]", own)

    def reasons(self, name: str) -> tuple[str, ...]:
        """Why a field is null, as the sides say it that have a reason; a part's reason is that of its fields."""
        found = []
        for side in (self.before, self.after):
            given = side.get("unknown")
            reasons = given if isinstance(given, Mapping) else {}
            known = name
            while known and known not in reasons:
                known = known.rpartition(".")[0]
            if known:
                found.append(str(reasons[known]))
        return tuple(found)


@frozen
class Both:
    """Two values of one field that are not the same.

    Attributes:
        name: of the field, as `Pair.name_of` gives it.
        before, after: as JSON has them, or ABSENT.
    """

    name: str
    before: Any
    after: Any
    pair: Pair

    @property
    def values(self) -> tuple[Any, Any]:
        """The two."""
        return self.before, self.after

    @property
    def sides(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The results that they are from."""
        return self.pair.before, self.pair.after


Rule = Callable[[Both], Judged]
"""How two values are judged that are not the same."""


Rules = Mapping[str, tuple[Part, Rule]]
"""By a field's name: what it says, and its rule. `cost.*` are all fields of a part that are not named."""

FOLLOWS = "it follows from how many requests were offered"
_ANOTHER_VERSION = "one side does not have it: another version of holdfast wrote it"
_NONE_IN_FORCE = frozenset({UNLIMITED, NO_GROUP, ADVERTISES_NONE})
_MS = 1000.0


def exact(both: Both) -> Judged:
    """What is counted or named exactly: another value is a change, and a null shows nothing."""
    return unknown(both) or Judged("change", "counted, or named, exactly")


def asked(both: Both) -> Judged:
    """What a person asked for, or what that was asked of: known exactly, and a null is an answer."""
    if ABSENT in both.values:
        return Judged("unknown", _ANOTHER_VERSION)
    return Judged("change", "it is what was asked for")


def unknown(both: Both) -> Judged | None:
    """That one side does not say; None where both do."""
    if ABSENT in both.values:
        return Judged("unknown", _ANOTHER_VERSION)
    if both.before is None or both.after is None:
        why = next(iter(both.pair.reasons(both.name)), "it was not measured")
        return Judged("unknown", f"not known on one side: {why}")
    return None


def limit(both: Both) -> Judged:
    """A limit, whose null is an answer where its reason says that there is none."""
    reasons = both.pair.reasons(both.name)
    if ABSENT in both.values or NOT_KEPT in reasons:
        return Judged("unknown", "one side was saved before this limit was recorded")
    if not_seen := next((each for each in reasons if each not in _NONE_IN_FORCE), ""):
        return Judged("unknown", f"not known on one side: {not_seen}")
    return Judged("change", "known exactly")


def named(both: Both) -> Judged:
    """What is there or not: a null is an answer."""
    if ABSENT in both.values:
        return Judged("unknown", _ANOTHER_VERSION)
    return Judged("change", "counted, or named, exactly")


def words(_both: Both) -> Judged:
    """Sentences, which explain figures that are compared themselves."""
    return Judged("noise", "words: the figures that they explain are compared themselves")


def by_chance(_both: Both) -> Judged:
    """What is another in every run."""
    return Judged("noise", "another in every run")


def within(spread: Callable[[float, float], bool], what: str) -> Rule:
    """A measured figure that has a spread."""

    def judge(both: Both) -> Judged:
        if missing := unknown(both):
            return missing
        if spread(*both.values):
            return Judged("noise", f"within the spread of {what}")
        return Judged("change", f"further apart than the spread of {what}")

    return judge


def compared(before: Interval, after: Interval, what: str) -> Judged:
    """Two intervals: a change only where they do not overlap."""
    same = overlap(before, after)
    return Judged("noise" if same else "change", f"{what} {'overlap' if same else 'do not overlap'}", (before, after))


def _within_ms(one: float, other: float) -> bool:
    return is_same_time(one / _MS, other / _MS)


same_time: Rule = within(is_same_time, "times of one run")
same_time_ms: Rule = within(_within_ms, "times of one run")


def some_or_none(both: Both) -> Judged:
    """A count of which only whether it is 0 does not follow from how many requests were offered."""
    if missing := unknown(both):
        return missing
    if bool(both.before) != bool(both.after):
        return Judged("change", "some are there on one side, none on the other")
    return Judged("noise", FOLLOWS)
