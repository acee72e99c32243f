"""Resolves the references in a JMeter plan, as they are defined at one place of the plan; pure.

A reference without a value is an error here; JMeter would send it as written.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from holdfast.errors import UsageError
from holdfast.journeys.references import template_of
from holdfast.model.answers import FunctionCall, Template, Variable
from holdfast.model.frozen import frozen
from holdfast.model.scenario import Counter, Slot, Text
from holdfast.model.suggestions import nearest_name
from holdfast.plans.slot_values import Parts, SlotValues, Turn


@frozen
class Missing:
    """A variable without a value.

    Attributes:
        why: one sentence.
    """

    why: str


@dataclass(slots=True)
class Scope:
    """What a text can refer to at one place of a plan.

    Attributes:
        properties: the JMeter properties that the user gave, by name.
        variables: the plan's variables, by name.
        slots: the group's values; None where nothing may change from one request to the next.
        plan, group: their names.
        place: the element that is being read, for messages.
        sampler: the name of the sampler that is being read; "" outside one.
        turn: which pass within an iteration.
        seed: of the random values that are drawn once for the whole run.
        suspects: unsupported elements that may set variables of any name, for messages.
        counters: how many counting functions the present element has so far.
    """

    properties: Mapping[str, str]
    variables: dict[str, Parts | Missing]
    slots: SlotValues | None = None
    plan: str = ""
    group: str = ""
    place: str = ""
    sampler: str = ""
    turn: Turn = field(default_factory=Turn)
    seed: int = 0
    suspects: tuple[str, ...] = ()
    counters: int = 0
    _compiled: dict[str, Template] = field(default_factory=dict)

    def parts(self, text: str) -> Parts:
        """A text with its references replaced.

        Raises:
            UsageError: one of them has no value.
        """
        if "${" not in text:
            return (text,) if text else ()
        if text not in self._compiled:
            try:
                self._compiled[text] = template_of(text)
            except ValueError as error:
                raise self.error(f"{quoted(text)} cannot be read", sentence(error)) from error
        return self._resolve(self._compiled[text])

    def text(self, text: str) -> Text:
        """Like `parts`, as a text of the model."""
        return whole(self.parts(text))

    def literal(self, text: str, what: str) -> str:
        """A text that must be the same in every request, with its references replaced.

        Args:
            what: its name for messages, such as "its port".

        Raises:
            UsageError: it changes from one request to the next, or a reference has no value.
        """
        found = whole(self.parts(text))
        if isinstance(found, str):
            return found
        raise self.error(
            f"{what} is {quoted(text)}, which changes from one request to the next",
            f"holdfast must know {what} before the load begins.",
            "Write a fixed value, or ${__P(name,default)} and set it with -J name=value.",
        )

    def number(self, text: str, what: str, default: int = 0) -> int:
        """A whole number that must be the same in every request; `default` for an empty text.

        Raises:
            UsageError: it is not a whole number, or it changes from one request to the next.
        """
        found = self.literal(text, what).strip()
        if not found:
            return default
        try:
            return int(found)
        except ValueError as error:
            spelled = "" if found == text else f", from {quoted(text)}"
            raise self.error(f"{what} is {found!r}{spelled}", "It must be a whole number.") from error

    def error(self, what: str, why: str, remedy: str = "Correct it in the plan, or disable the element.") -> UsageError:
        """An error that begins with the name of this place."""
        return UsageError(f"{self.place}: {what}.", why if why.endswith(".") else f"{why}.", remedy)

    def _resolve(self, parts: Template) -> Parts:
        out: list[str | Slot] = []
        for part in parts:
            if isinstance(part, str):
                out.append(part)
            elif isinstance(part, Variable):
                out.extend(self.variable(part.name))
            else:
                out.extend(self._call_function(part))
        return joined(out)

    def variable(self, name: str) -> Parts:
        """The value of a variable.

        Raises:
            UsageError: it has none.
        """
        found = self.variables.get(name)
        if found is None:
            # A Regular Expression Extractor also sets NAME_g1 for its groups and NAME_matchNr.
            stem = name.rpartition("_")[0]
            missing = self.variables.get(stem)
            if not isinstance(missing, Missing):
                raise self._undefined(name)
            found = missing
        if isinstance(found, Missing):
            raise self.error(
                f"${{{name}}} has no value",
                found.why,
                "Define it under User Defined Variables and disable the element that sets it, or disable what uses it.",
            )
        return found

    def _undefined(self, name: str) -> UsageError:
        near = nearest_name(name, [known for known, value in self.variables.items() if not isinstance(value, Missing)])
        why = "No element before this one sets it; JMeter would send the reference as written."
        remedy = "Define it under User Defined Variables, or disable what uses it."
        if self.suspects:
            why = f"It may be set by {', '.join(self.suspects)}, which holdfast does not support."
        elif near:
            remedy = f"Did you mean ${{{near}}}? {remedy}"
        return self.error(f"${{{name}}} has no value", why, remedy)

    def _call_function(self, call: FunctionCall) -> Parts:
        arguments = [self._resolve(each) for each in call.arguments]
        reader = _FUNCTIONS.get(call.name)
        if reader is None:
            raise self.error(
                f"${{{call.name}}} is a function that holdfast does not support",
                f"It supports {', '.join(sorted(_FUNCTIONS))}.",
                "Write a value instead, or disable what uses it.",
            )
        return reader(self, call.name, arguments)

    def argument(self, call: str, arguments: list[Parts], index: int) -> str:
        """An argument of a function, which must be the same in every request; "" if it is not given."""
        found = whole(arguments[index]) if index < len(arguments) else ""
        if isinstance(found, str):
            return found.strip() if index == 0 else found
        raise self.error(f"an argument of {call} changes from one request to the next", "It must always be the same.")


def joined(parts: list[str | Slot]) -> Parts:
    """The same parts with adjacent texts joined and empty ones removed."""
    out: list[str | Slot] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        elif part != "":
            out.append(part)
    return tuple(out)


def whole(parts: Parts) -> Text:
    """A text of the model: a plain string if it has no slot."""
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else parts


def sentence(error: Exception) -> str:
    """An exception's message, with its first letter in upper case."""
    text = str(error)
    return text[:1].upper() + text[1:]


def quoted(text: str) -> str:
    """A text as an error quotes it: the beginning of a long one."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _property(scope: Scope, call: str, arguments: list[Parts]) -> Parts:
    """__P(name, default), where a missing default is 1; __property(name, variable, default), where it is the name."""
    name = scope.argument(call, arguments, 0)
    at, default = (1, "1") if call == "__P" else (2, name)
    value: Parts = arguments[at] if len(arguments) > at else (default,)
    if name in scope.properties:
        value = (scope.properties[name],)
    if call == "__property" and (variable := scope.argument(call, arguments, 1)):
        scope.variables[variable] = value
    return value


def _thread_number(scope: Scope, _call: str, _arguments: list[Parts]) -> Parts:
    # Before the threads start, JMeter evaluates it in a thread of its own, number 1.
    return ("1",) if scope.slots is None else scope.slots.client()


def _random(scope: Scope, call: str, arguments: list[Parts]) -> Parts:
    ends = [scope.argument(call, arguments, index).strip() for index in (0, 1)]
    try:
        first, last = map(int, ends)
    except ValueError as error:
        raise scope.error(
            f"{call} has the limits {ends[0]!r} and {ends[1]!r}", "Both must be whole numbers."
        ) from error
    if first > last:
        raise scope.error(f"{call} has the limits {first} and {last}", "The first must not be greater than the second.")
    if scope.slots is None:
        draw = zlib.crc32(f"{scope.seed} {scope.place}".encode())
        drawn: Parts = (str(first + draw % (last - first + 1)),)
    else:
        drawn = scope.slots.random_number(first, last)
    if variable := scope.argument(call, arguments, 2).strip():
        scope.variables[variable] = drawn
    return drawn


def _counter(scope: Scope, call: str, arguments: list[Parts]) -> Parts:
    per_client = scope.argument(call, arguments, 0).lower() == "true"
    if scope.slots is None:
        return ("1",)
    scope.counters += 1
    key = (scope.place, scope.counters)
    counted = scope.slots.counter(key, Counter("__counter", per_client=per_client), scope.turn)
    if variable := scope.argument(call, arguments, 1).strip():
        scope.variables[variable] = counted
    return counted


def _iteration(scope: Scope, _call: str, _arguments: list[Parts]) -> Parts:
    if scope.slots is None:
        return ("1",)
    return scope.slots.counter("__iterationNum", Counter("__iterationNum", per_client=True), Turn())


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
