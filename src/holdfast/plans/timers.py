"""Turns JMeter's timers into the pause before a step; pure.

JMeter waits for all timers that apply to a sampler, one after another, before it sends.
Source: apache/jmeter, timers/ConstantTimer.java, UniformRandomTimer.java, GaussianRandomTimer.java.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.frozen import frozen
from holdfast.model.scenario import Pause, Slot
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node
from holdfast.plans.variables import Scope

KINDS = frozenset({"ConstantTimer", "UniformRandomTimer", "GaussianRandomTimer", "PoissonRandomTimer"})
# They set the pace of a plan, which without them would send as fast as the server answers.
THROTTLES = frozenset({"ConstantThroughputTimer", "PreciseThroughputTimer", "VariableThroughputTimer"})


@frozen
class TimerWait:
    """A wait before a request.

    Attributes:
        constant_ms: its constant part.
        random_ms: the most that a uniform random part adds.
    """

    constant_ms: float
    random_ms: float = 0.0

    def plus(self, other: TimerWait) -> TimerWait:
        """Both waits, one after the other."""
        return TimerWait(self.constant_ms + other.constant_ms, self.random_ms + other.random_ms)

    @property
    def pause(self) -> Pause:
        """The same as a pause of the model, in seconds."""
        return Pause(self.constant_ms / 1000, self.random_ms / 1000)


NO_WAIT = TimerWait(0.0)


def sum_of(timers: Sequence[Node], scope: Scope, notes: list[Note]) -> TimerWait:
    """The wait before a sampler to which these timers apply.

    Args:
        notes: gets what is done differently.

    Raises:
        UsageError: the time of a timer is not a number.
    """
    total = NO_WAIT
    random_timers = 0
    for timer in timers:
        wait = wait_of(timer.text("ConstantTimer.delay"), scope, timer)
        if timer.kind == "UniformRandomTimer":
            wait = wait.plus(TimerWait(0.0, _milliseconds(timer.text("RandomTimer.range"), scope, timer)))
        elif timer.kind == "GaussianRandomTimer":
            notes.append(Note("differs", timer.kind, timer.name, "every wait is the mean instead of a random one"))
        elif timer.kind == "PoissonRandomTimer":
            wait = wait.plus(TimerWait(_milliseconds(timer.text("RandomTimer.range"), scope, timer)))
            notes.append(Note("differs", timer.kind, timer.name, "every wait is the mean instead of a random one"))
        random_timers += wait.random_ms > 0
        total = total.plus(wait)
    if random_timers > 1:
        names = ", ".join(timer.name for timer in timers)
        meaning = "several random waits before one request are drawn as one, uniformly"
        notes.append(Note("differs", "UniformRandomTimer", names, meaning))
    return total


def throttle_error(timer: Node, scope: Scope) -> Exception:
    """The error for a plan whose pace is set by a timer that holdfast does not support."""
    scope.place = f'{timer.kind} "{timer.name}"'
    return scope.error(
        "it limits how many requests are sent per minute, which holdfast does not support",
        "Without it, the load would be as fast as the server answers.",
        "Disable it in the plan, and set the rate with an Open Model Thread Group or with waits (Constant Timer).",
    )


def wait_of(text: str, scope: Scope, timer: Node) -> TimerWait:
    """The wait that an element's text states, in milliseconds; `${__Random(a,b)}` alone makes it random.

    Raises:
        UsageError: it is not a number.
    """
    parts = scope.parts(text)
    if len(parts) == 1 and isinstance(slot := parts[0], Slot) and scope.slots is not None:
        chance = scope.slots.random_range(slot)
        if chance is not None:
            return TimerWait(max(0, chance.first), max(0, chance.last - max(0, chance.first)))
    return TimerWait(_milliseconds(text, scope, timer))


def _milliseconds(text: str, scope: Scope, timer: Node) -> float:
    place, scope.place = scope.place, f'{timer.kind} "{timer.name}"'
    try:
        found = scope.literal(text, "its time").strip() or "0"
        try:
            value = float(found)
        except ValueError as error:
            raise scope.error(f"its time is {found!r}", "It must be a number of milliseconds.") from error
        if not value < float("inf"):
            raise scope.error(f"its time is {found!r}", "It must be a number of milliseconds.")
        return max(0.0, value)
    finally:
        scope.place = place
