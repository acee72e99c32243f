"""JMeter's timers -> the pause before a step; pure.

All timers that apply to a sampler are waited for before it, one after the other.
Source: apache/jmeter, timers/ConstantTimer.java, UniformRandomTimer.java, GaussianRandomTimer.java.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.scenario import Pause, Slot
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node
from holdfast.plans.variables import Scope

KINDS = frozenset({"ConstantTimer", "UniformRandomTimer", "GaussianRandomTimer", "PoissonRandomTimer"})
# Without these a plan sends as fast as it can.
THROTTLES = frozenset({"ConstantThroughputTimer", "PreciseThroughputTimer", "VariableThroughputTimer"})


def pause_of(timers: Sequence[Node], scope: Scope, notes: list[Note]) -> Pause:
    """How long is waited before a sampler.

    Args:
        timers: those that apply to it.
        notes: what is done otherwise is added here.

    Raises:
        UsageError: a timer's time is none.
    """
    constant_ms = random_ms = 0.0
    by_chance = 0
    for timer in timers:
        least, more = wait_ms(timer.text("ConstantTimer.delay"), scope, timer)
        if timer.kind == "UniformRandomTimer":
            more += _milliseconds(timer.text("RandomTimer.range"), scope, timer)
        elif timer.kind == "GaussianRandomTimer":
            notes.append(Note("differs", timer.kind, timer.name, "each wait is its mean, none by chance"))
        elif timer.kind == "PoissonRandomTimer":
            least += _milliseconds(timer.text("RandomTimer.range"), scope, timer)
            notes.append(Note("differs", timer.kind, timer.name, "each wait is its mean, none by chance"))
        by_chance += more > 0
        constant_ms += least
        random_ms += more
    if by_chance > 1:
        names = ", ".join(timer.name for timer in timers)
        notes.append(
            Note("differs", "UniformRandomTimer", names, "waits by chance that add up are drawn as one, evenly")
        )
    return Pause(constant_ms / 1000, random_ms / 1000)


def throttled(timer: Node, scope: Scope) -> Exception:
    """The refusal of a plan whose pace is set by something that holdfast does not have."""
    scope.place = f'{timer.kind} "{timer.name}"'
    return scope.wrong(
        "it sets how many requests are sent in a minute, and holdfast does not have it",
        "Without it the load would be as fast as the server answers.",
        "Disable it in the plan and say the rate with an Open Model Thread Group or with waits (Constant Timer).",
    )


def wait_ms(text: str, scope: Scope, timer: Node) -> tuple[float, float]:
    """A wait that an element says: its constant part in ms, and how much by chance `${__Random(a,b)}` in it adds.

    Raises:
        UsageError: it is none.
    """
    parts = scope.parts(text)
    if len(parts) == 1 and isinstance(slot := parts[0], Slot) and scope.supply is not None:
        chance = scope.supply.chance_of(slot)
        if chance is not None:
            return max(0, chance.first), max(0, chance.last - max(0, chance.first))
    return _milliseconds(text, scope, timer), 0.0


def _milliseconds(text: str, scope: Scope, timer: Node) -> float:
    place, scope.place = scope.place, f'{timer.kind} "{timer.name}"'
    try:
        found = scope.literal(text, "its time").strip() or "0"
        try:
            value = float(found)
        except ValueError as error:
            raise scope.wrong(f"its time is {found!r}", "It is to be a number of milliseconds.") from error
        if not value < float("inf"):
            raise scope.wrong(f"its time is {found!r}", "It is to be a number of milliseconds.")
        return max(0.0, value)
    finally:
        scope.place = place
