"""Turns the thread groups in which clients arrive by a schedule into the stays of these arrivals; pure.

Source: undera/jmeter-plugins, ArrivalsThreadStarter.java, FreeFormArrivalsThreadStarter.java (getCurrentRate,
tickRollingTime); apache/jmeter, threads/openmodel/ThreadScheduleProcessGenerator.kt.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from holdfast.jmeter.scope import Reading
from holdfast.journeys.chance import Chance
from holdfast.model import schedule
from holdfast.model.journey import Stay
from holdfast.model.units import NS_PER_S
from holdfast.plans import arrivals
from holdfast.plans.jmx_tree import Node

MOST_ARRIVALS = 1_000_000
# Without a rate, the plug-in looks again after so many seconds.
_IDLE_S = 0.2


def arrivals_stays(node: Node, reading: Reading) -> tuple[Stay, ...]:
    """The arrivals of an Arrivals Thread Group."""
    unit_s = _unit_s(node, reading)
    target = reading.decimal(node, node.text("TargetLevel", "1"), "its target rate", 1.0) / unit_s
    ramp_s = float(round(reading.decimal(node, node.text("RampUp"), "its ramp-up time") * unit_s))
    hold_s = float(round(reading.decimal(node, node.text("Hold", "1"), "its hold time") * unit_s))
    steps = reading.number(node, node.text("Steps"), "its number of steps")
    if ramp_s and not steps:
        reading.refuse(
            node,
            "its steps are empty, and version 2.10 of the plug-in sends nothing while its rate rises then",
            "Fill in its number of steps.",
        )

    def rate(after_s: float) -> float:
        if after_s >= ramp_s + hold_s:
            return -1.0
        if not ramp_s or after_s > ramp_s or not steps:
            return target
        return target / steps * (math.floor(after_s / (ramp_s / steps)) + 1)

    return _stays(node, rate, reading)


def free_form_stays(node: Node, reading: Reading) -> tuple[Stay, ...]:
    """The arrivals of a Free-Form Arrivals Thread Group."""
    unit_s = _unit_s(node, reading)
    stretches = []
    what = ("its rate at the start", "its rate at the end", "its duration")
    for row in node.properties.items("Schedule"):
        texts = [each for each in row if isinstance(each, str)] if isinstance(row, tuple) else []
        if len(texts) >= len(what):
            first, last, length = (reading.decimal(node, text, words) for text, words in zip(texts, what, strict=False))
            stretches.append((first / unit_s, last / unit_s, length * unit_s))

    def rate(after_s: float) -> float:
        begin_s = 0.0
        for first, last, length_s in stretches:
            if after_s <= begin_s + int(length_s):
                return first + (after_s - begin_s) / length_s * (last - first)
            begin_s += int(length_s)
        return -1.0

    return _stays(node, rate, reading)


def _unit_s(node: Node, reading: Reading) -> float:
    return 60.0 if (reading.fixed(node, node.text("Unit")) or "") == "M" else 1.0


def _stays(node: Node, rate: Callable[[float], float], reading: Reading) -> tuple[Stay, ...]:
    """One arrival after the other, each as long after the last as the rate then says."""
    if reading.number(node, node.text("Iterations"), "its limit of iterations"):
        reading.refuse(node, "it limits the iterations of a thread", "Leave its iterations empty.")
    come_s: list[float] = []
    after_s = 0.0
    while (per_s := rate(after_s)) >= 0:
        if per_s == 0:
            after_s += _IDLE_S
            continue
        come_s.append(after_s)
        after_s += 1 / per_s
        if len(come_s) > MOST_ARRIVALS:
            reading.refuse(node, f"it has more than {MOST_ARRIVALS:,} arrivals", "Shorten it, or lower its rate.")
            return ()
    limit = reading.number(node, node.text("ConcurrencyLimit"), "its concurrency limit")
    if limit:
        reading.tell(node, f"its concurrency limit of {limit:,} does not hold back arrivals")
    return tuple(Stay(round(each * NS_PER_S), round(after_s * NS_PER_S)) for each in come_s)


def open_model_stays(node: Node, reading: Reading) -> tuple[Stay, ...]:
    """The arrivals of an Open Model Thread Group."""
    text = reading.fixed(node, node.text("OpenModelThreadGroup.schedule"))
    if text is None:
        reading.refuse(node, "its schedule is not known before the load begins")
        return ()
    try:
        phases = arrivals.phases(text)
    except ValueError as error:
        reading.refuse(
            node,
            f"its schedule {text!r} cannot be read: {error}",
            "Write it like rate(5/s) even_arrivals(10 s) pause(5 s) rate(100/min) random_arrivals(1 min).",
        )
        return ()
    seed = reading.fixed(node, node.text("OpenModelThreadGroup.random_seed")) or ""
    chance = Chance(f"{reading.seed} {node.line} {seed}")
    reading.tell(node, "requests still in flight when the schedule ends are completed; JMeter aborts them")
    due_ns = schedule.phases(phases, iter(chance.random, None))
    return tuple(Stay(each) for each in due_ns)
