"""Turns JMeter's thread groups into the shape of a load: when clients come and go; pure.

Source: apache/jmeter, threads/ThreadGroup.java (start: thread i of n begins i * ramp / n after the first;
scheduleThread: delay and duration count only if the scheduler is on), control/LoopController.java (-1 is for ever),
threads/AbstractThreadGroup.java (on_sample_error), threads/openmodel/OpenModelThreadGroup.kt.
"""

from __future__ import annotations

from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.shapes import MOST_CLIENTS, Clients, Phases
from holdfast.plans import arrivals
from holdfast.plans.differences import Note
from holdfast.plans.jmx_tree import Node, Properties
from holdfast.plans.variables import Scope

OPEN = "OpenModelThreadGroup"
KINDS = frozenset({"ThreadGroup", OPEN})

_LOOPS = "LoopController.loops"
_FOR_EVER = -1
_ON_FAILURE: dict[str, Literal["continue", "next iteration", "leave"]] = {
    "": "continue",
    "continue": "continue",
    "startnextloop": "next iteration",
    "stopthread": "leave",
    "stoptest": "continue",
    "stoptestnow": "continue",
}


@frozen
class RowsEnd:
    """How many rows of values a group has, and whether each client has them all or shares them with the others."""

    rows: int
    per_client: bool


@frozen
class Timetable:
    """When a thread group's clients come and go.

    Attributes:
        shape: None if no client ever comes.
        on_failure: see the model's `Group`.
        stops_all: whether a failure ends the load of all groups.
    """

    shape: Clients | Phases | None
    on_failure: Literal["continue", "next iteration", "leave"]
    stops_all: bool


def timetable_of(
    group: Node, scope: Scope, most_s: float | None, rows_end: RowsEnd | None, notes: list[Note]
) -> Timetable:
    """Reads the timetable of a thread group.

    Args:
        most_s: ends the load after so many seconds, whatever the plan says; None leaves the end to the plan.
        rows_end: the shortest rows that are not recycled and so end the load; None if there are none.
        notes: gets what is left out or done differently.

    Raises:
        UsageError: the group has no end, or one of its numbers is invalid.
    """
    shape = _open(group, scope, most_s, notes) if group.kind == OPEN else _closed(group, scope, most_s, rows_end)
    if shape is None:
        notes.append(Note("left out", group.kind, group.name, "it has no threads or no loops, so it sends nothing"))
    on_error = scope.literal(group.text("ThreadGroup.on_sample_error"), "what it does after an error").strip().lower()
    if on_error not in _ON_FAILURE:
        raise scope.error(
            f"its action after an error is {on_error!r}", f"JMeter has {', '.join(filter(None, _ON_FAILURE))}."
        )
    if on_error == "stoptestnow":
        meaning = "requests in flight when one fails are completed before the load stops"
        notes.append(Note("differs", group.kind, group.name, meaning))
    return Timetable(shape, _ON_FAILURE[on_error], on_error.startswith("stoptest"))


def _open(group: Node, scope: Scope, most_s: float | None, notes: list[Note]) -> Phases | None:
    text = scope.literal(group.text("OpenModelThreadGroup.schedule"), "its schedule")
    try:
        found = arrivals.phases(text)
    except ValueError as error:
        raise scope.error(
            f"its schedule {text!r} cannot be read: {error}",
            "JMeter could not run it either.",
            "Write it like rate(5/s) even_arrivals(10 s) pause(5 s) rate(100/min) random_arrivals(1 min).",
        ) from error
    if most_s is not None and sum(phase.for_s for phase in found) > most_s:
        raise scope.error(
            "its schedule is longer than --for",
            "A schedule has its own duration, which --for does not shorten.",
            "Leave out --for, or shorten the schedule.",
        )
    meaning = "requests still in flight when the schedule ends are completed; JMeter aborts them"
    notes.append(Note("differs", group.kind, group.name, meaning))
    return Phases(found) if any(phase.from_per_s or phase.to_per_s for phase in found) else None


def _closed(group: Node, scope: Scope, most_s: float | None, rows_end: RowsEnd | None) -> Clients | None:
    clients = scope.number(group.text("ThreadGroup.num_threads"), "its number of threads")
    ramp_s = _seconds(group, "ThreadGroup.ramp_time", "its ramp-up time", scope)
    if clients > MOST_CLIENTS:
        raise scope.error(f"it has {clients:,} threads", f"holdfast runs {MOST_CLIENTS:,} clients at most.")
    iterations = iterations_of(group, scope)
    if iterations is None and rows_end is not None and clients > 0:
        iterations = rows_end.rows if rows_end.per_client else -(-rows_end.rows // clients)
    delay_s, for_s = 0, None
    if scope.literal(group.text("ThreadGroup.scheduler"), "its scheduler").strip().lower() == "true":
        delay_s = _seconds(group, "ThreadGroup.delay", "its startup delay", scope)
        duration_s = _seconds(group, "ThreadGroup.duration", "its duration", scope)
        if not duration_s:
            raise scope.error(
                "it specifies a thread lifetime but no duration",
                "JMeter 5 does not start such a test.",
                'Fill in its duration, or clear "Specify Thread lifetime".',
            )
        for_s = float(delay_s + duration_s)
    if most_s is not None:
        for_s = most_s if for_s is None else min(for_s, most_s)
    if iterations is None and for_s is None:
        raise scope.error(
            "it loops for ever",
            "Nothing in the plan ends it.",
            "Limit it with --for S, or give it a number of loops.",
        )
    if clients <= 0 or iterations == 0:
        return None
    return Clients(clients, None, for_s, iterations, float(ramp_s), float(delay_s))


def iterations_of(group: Node, scope: Scope) -> int | None:
    """How often each thread passes through its group; None is for ever."""
    if group.kind == OPEN:
        return 1
    controller = group.properties.inner("ThreadGroup.main_controller")
    loops = loops_of(controller, scope)
    # A LoopController is made with it, so a plan that says nothing of it loops for ever (LoopController.java, 5.5).
    said = controller.text("LoopController.continue_forever") or ("true" if controller.text(_LOOPS) else "")
    forever = scope.literal(said, "whether it loops for ever")
    return None if loops is None or forever.strip().lower() == "true" else loops


def loops_of(controller: Properties, scope: Scope) -> int | None:
    """How often a loop runs; None is for ever."""
    loops = scope.number(controller.text(_LOOPS), "its number of loops")
    return None if loops <= _FOR_EVER else loops


def _seconds(group: Node, name: str, what: str, scope: Scope) -> int:
    found = scope.number(group.text(name), what)
    if found < 0:
        raise scope.error(f"{what} is {found}", "It must be 0 or more, in seconds.")
    return found
