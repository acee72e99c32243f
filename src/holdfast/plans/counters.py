"""Turns JMeter's Counter into a number that rises with each pass; pure.

Source: apache/jmeter, modifiers/CounterConfig.java (iterationStart, formatNumber): after its end it starts again.
"""

from __future__ import annotations

import re

from holdfast.model.scenario import Counter
from holdfast.plans.jmx_tree import Node
from holdfast.plans.slot_values import Parts, Turn
from holdfast.plans.variables import Scope, sentence

# The patterns of java.text.DecimalFormat that pad with zeros, with plain text around them.
_FORMAT = re.compile(r"([^0#.,;%'\u2030\u00a4]*)(0+)([^0#.,;%'\u2030\u00a4E]*)")


def counter_variables(node: Node, scope: Scope, key: object, turn: Turn) -> dict[str, Parts]:
    """The variable that a Counter sets, with its value in this turn; empty if it names no variable.

    Args:
        key: identifies the element: the same key and turn give the same value.

    Raises:
        UsageError: one of its numbers is invalid, or its format is not supported.
    """
    assert scope.slots is not None
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
            raise scope.error(
                f"its format {pattern!r} is not supported",
                "holdfast supports zeros with text around them, such as user_000.",
            )
        before, digits, after = found[1], len(found[2]), found[3]
    per_client = scope.literal(node.text("CounterConfig.per_user"), "whether each user counts").lower() == "true"
    again = scope.literal(node.text("CounterConfig.reset_on_tg_iteration"), "whether it begins anew").lower()
    if per_client and again == "true":
        # It counts the passes within one iteration, which are all written out.
        value = first + turn.number * step
        if last is not None:
            value = first + turn.number % max(1, (last - first) // step + 1) * step
        return {name: tuple(each for each in (before, str(value).zfill(digits), after) if each)}
    try:
        parts = scope.slots.counter(key, Counter(name, first, step, last, digits, per_client), turn)
    except ValueError as error:
        raise scope.error("it counts too far for a loop", sentence(error)) from error
    return {name: tuple(each for each in (before, *parts, after) if each)}
