"""What a reference in a JMeter plan stands for, in one place of the plan; pure.

A reference that has no value is an error here, where JMeter sends it as it is written.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from holdfast.errors import UsageError
from holdfast.model.scenario import Counter, Slot, Text
from holdfast.model.suggestions import nearest_name
from holdfast.plans.expressions import Call, Part, Variable, parts_of
from holdfast.plans.slot_values import Parts, Supply, Turn


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a variable has no value, in words."""

    why: str


@dataclass(slots=True)
class Scope:
    """What can be referred to in one place of a group.

    Attributes:
        properties: JMeter's properties that were given, by name.
        variables: the plan's variables, by name.
        supply: of the group; None where nothing may change from one request to the next.
        plan, group: their names.
        place: the element that is being read, in words.
        sampler: its name, where it is a sampler.
        turn: which time within an iteration.
        seed: of what is drawn once for the whole run.
        suspects: elements that may set variables of any name, in words.
        counters: how many counting functions this element has had so far.
    """

    properties: Mapping[str, str]
    variables: dict[str, Parts | Missing]
    supply: Supply | None = None
    plan: str = ""
    group: str = ""
    place: str = ""
    sampler: str = ""
    turn: Turn = field(default_factory=Turn)
    seed: int = 0
    suspects: tuple[str, ...] = ()
    counters: int = 0
    _compiled: dict[str, tuple[Part, ...]] = field(default_factory=dict)

    def parts(self, text: str) -> Parts:
        """A text with its references replaced.

        Raises:
            UsageError: one of them has no value.
        """
        if "${" not in text:
            return (text,) if text else ()
        if text not in self._compiled:
            try:
                self._compiled[text] = parts_of(text)
            except ValueError as error:
                raise self.wrong(f"{_short(text)} cannot be read", f"{error}") from error
        return self._replaced(self._compiled[text])

    def text(self, text: str) -> Text:
        """As `parts`, as a text of the model."""
        return whole(self.parts(text))

    def literal(self, text: str, what: str) -> str:
        """A text that must be the same in every request.

        Args:
            what: what it is, in words.

        Raises:
            UsageError: it is not, or a reference has no value.
        """
        found = whole(self.parts(text))
        if isinstance(found, str):
            return found
        raise self.wrong(
            f"{what} is {_short(text)}, which changes from one request to the next",
            f"holdfast needs {what} before the load begins.",
            "Write a value that stays the same, or ${__P(name,default)} and give it with -J name=value.",
        )

    def number(self, text: str, what: str, default: int = 0) -> int:
        """A whole number that must be the same in every request; an empty text is `default`.

        Raises:
            UsageError: it is none.
        """
        found = self.literal(text, what).strip()
        if not found:
            return default
        try:
            return int(found)
        except ValueError as error:
            spelled = "" if found == text else f", from {_short(text)}"
            raise self.wrong(f"{what} is {found!r}{spelled}", "It is to be a whole number.") from error

    def wrong(self, what: str, why: str, remedy: str = "Mend it in the plan, or disable the element.") -> UsageError:
        """An error that names this place."""
        return UsageError(f"{self.place}: {what}.", why if why.endswith(".") else f"{why}.", remedy)

    def _replaced(self, parts: tuple[Part, ...]) -> Parts:
        out: list[str | Slot] = []
        for part in parts:
            if isinstance(part, str):
                out.append(part)
            elif isinstance(part, Variable):
                out.extend(self.variable(part.name))
            else:
                out.extend(self._called(part))
        return joined(out)

    def variable(self, name: str) -> Parts:
        """The value of a variable."""
        found = self.variables.get(name)
        if found is None:
            # A regular expression's groups, and the number of its matches, are variables of their own.
            stem = name.rpartition("_")[0]
            missing = self.variables.get(stem)
            if not isinstance(missing, Missing):
                raise self._undefined(name)
            found = missing
        if isinstance(found, Missing):
            raise self.wrong(
                f"${{{name}}} has no value",
                found.why,
                "Disable what sets it and define it in the plan (User Defined Variables), or disable what uses it.",
            )
        return found

    def _undefined(self, name: str) -> UsageError:
        near = nearest_name(name, [known for known, value in self.variables.items() if not isinstance(value, Missing)])
        why = f"No element of the plan sets it before{f'; did you mean ${{{near}}}?' if near else ''}"
        if self.suspects:
            why = f"It may be set by {', '.join(self.suspects)}, which holdfast does not have"
        return self.wrong(
            f"${{{name}}} has no value",
            why,
            "Define it in the plan (User Defined Variables), or disable what uses it; JMeter would send it as it is "
            "written.",
        )

    def _called(self, call: Call) -> Parts:
        arguments = [self._replaced(each) for each in call.arguments]
        reader = _FUNCTIONS.get(call.name)
        if reader is None:
            raise self.wrong(
                f"${{{call.name}}} is a function that holdfast does not have",
                f"It has {', '.join(sorted(_FUNCTIONS))}.",
                "Write a value in its stead, or disable what uses it.",
            )
        return reader(self, call.name, arguments)

    def argument(self, call: str, arguments: list[Parts], index: int) -> str:
        """An argument of a function, which must stay the same; "" where it is not given."""
        found = whole(arguments[index]) if index < len(arguments) else ""
        if isinstance(found, str):
            return found.strip() if index == 0 else found
        raise self.wrong(f"an argument of {call} changes from one request to the next", "It is to stay the same.")


def joined(parts: list[str | Slot]) -> Parts:
    """The same with no two texts beside each other, and none of them empty."""
    out: list[str | Slot] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        elif part != "":
            out.append(part)
    return tuple(out)


def whole(parts: Parts) -> Text:
    """A text of the model: a string where there is no slot in it."""
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else parts


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _property(scope: Scope, call: str, arguments: list[Parts]) -> Parts:
    """__P(name, default): the default is 1 where none is given.

    __property(name, variable, default): the default is the name itself.
    """
    name = scope.argument(call, arguments, 0)
    at, default = (1, "1") if call == "__P" else (2, name)
    value: Parts = arguments[at] if len(arguments) > at else (default,)
    if name in scope.properties:
        value = (scope.properties[name],)
    if call == "__property" and (variable := scope.argument(call, arguments, 1)):
        scope.variables[variable] = value
    return value


def _thread_number(scope: Scope, _call: str, _arguments: list[Parts]) -> Parts:
    # Before the threads begin there is none, and JMeter says 1 for its own.
    return ("1",) if scope.supply is None else scope.supply.client()


def _random(scope: Scope, call: str, arguments: list[Parts]) -> Parts:
    ends = [scope.argument(call, arguments, index).strip() for index in (0, 1)]
    try:
        first, last = map(int, ends)
    except ValueError as error:
        raise scope.wrong(f"{call} is from {ends[0]!r} to {ends[1]!r}", "Both are to be whole numbers.") from error
    if first > last:
        raise scope.wrong(f"{call} is from {first} to {last}", "The first is to be the smaller one.")
    if scope.supply is None:
        lot = zlib.crc32(f"{scope.seed} {scope.place}".encode())
        drawn: Parts = (str(first + lot % (last - first + 1)),)
    else:
        drawn = scope.supply.chance(first, last)
    if variable := scope.argument(call, arguments, 2).strip():
        scope.variables[variable] = drawn
    return drawn


def _counter(scope: Scope, call: str, arguments: list[Parts]) -> Parts:
    per_client = scope.argument(call, arguments, 0).lower() == "true"
    if scope.supply is None:
        return ("1",)
    scope.counters += 1
    key = (scope.place, scope.counters)
    counted = scope.supply.counter(key, Counter("__counter", per_client=per_client), scope.turn)
    if variable := scope.argument(call, arguments, 1).strip():
        scope.variables[variable] = counted
    return counted


def _iteration(scope: Scope, _call: str, _arguments: list[Parts]) -> Parts:
    if scope.supply is None:
        return ("1",)
    return scope.supply.counter("__iterationNum", Counter("__iterationNum", per_client=True), Turn())


_FUNCTIONS: Mapping[str, Callable[[Scope, str, list[Parts]], Parts]] = {
    "__P": _property,
    "__property": _property,
    "__threadNum": _thread_number,
    "__Random": _random,
    "__counter": _counter,
    "__iterationNum": _iteration,
    "__threadGroupName": lambda scope, _call, _arguments: (scope.group,),
    "__samplerName": lambda scope, _call, _arguments: (scope.sampler,),
    "__TestPlanName": lambda scope, _call, _arguments: (scope.plan,),
    "__V": lambda scope, call, arguments: scope.variable(scope.argument(call, arguments, 0)),
}
