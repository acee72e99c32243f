"""JMeter's Counter -> a number that rises with each pass; pure.

Source: apache/jmeter, modifiers/CounterConfig.java (iterationStart, formatNumber): behind its end it begins anew.
"""

from __future__ import annotations

import re

from holdfast.model.scenario import Counter
from holdfast.plans.jmx_tree import Node
from holdfast.plans.slot_values import Parts, Turn
from holdfast.plans.variables import Scope

# Of java.text.DecimalFormat's patterns, those that fill up with zeros, with words around.
_FORMAT = re.compile(r"([^0#.,;%'\u2030\u00a4]*)(0+)([^0#.,;%'\u2030\u00a4E]*)")


def counted(node: Node, scope: Scope, key: object, turn: Turn) -> dict[str, Parts]:
    """The variable that a Counter sets, and its value in this turn.

    Args:
        key: of this element.

    Raises:
        UsageError: its numbers are none, or are written in a way that holdfast does not have.
    """
    assert scope.supply is not None
    name = scope.literal(node.text("CounterConfig.name"), "its variable").strip()
    if not name:
        return {}
    first = scope.number(node.text("CounterConfig.start"), "its start")
    step = scope.number(node.text("CounterConfig.incr"), "its increment")
    end = node.text("CounterConfig.end").strip()
    last = scope.number(end, "its end") if end and step > 0 else None
    pattern = scope.literal(node.text("CounterConfig.format"), "its format")
    before, digits, after = "", 0, ""
    if pattern:
        found = _FORMAT.fullmatch(pattern)
        if found is None:
            raise scope.wrong(
                f"its format {pattern!r} is not one that holdfast has", "It has zeros with words around: user_000."
            )
        before, digits, after = found[1], len(found[2]), found[3]
    per_client = scope.literal(node.text("CounterConfig.per_user"), "whether each user counts").lower() == "true"
    again = scope.literal(node.text("CounterConfig.reset_on_tg_iteration"), "whether it begins anew").lower()
    if per_client and again == "true":
        # It counts the passes of one iteration, and those are written out.
        value = first + turn.number * step
        if last is not None:
            value = first + turn.number % max(1, (last - first) // step + 1) * step
        return {name: tuple(each for each in (before, str(value).zfill(digits), after) if each)}
    try:
        parts = scope.supply.counter(key, Counter(name, first, step, last, digits, per_client), turn)
    except ValueError as error:
        raise scope.wrong("it cannot be written out", f"{error}") from error
    return {name: tuple(each for each in (before, *parts, after) if each)}
