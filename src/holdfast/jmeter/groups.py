"""Turns JMeter's thread groups into the stays of clients: when each comes and goes; pure.

Source: apache/jmeter, threads/ThreadGroup.java (start, scheduleThread); undera/jmeter-plugins,
SteppingThreadGroup.java, UltimateThreadGroup.java (scheduleThread), ConcurrencyThreadStarter.java
(getPlannedConcurrency).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from holdfast.jmeter.arriving import arrivals_stays, free_form_stays, open_model_stays
from holdfast.jmeter.scope import Reading
from holdfast.jmeter.timers import short_seconds
from holdfast.model.frozen import frozen
from holdfast.model.journey import Stay
from holdfast.model.shapes import MOST_CLIENTS
from holdfast.model.units import MS, NS_PER_S
from holdfast.plans.jmx_tree import Node

# ${__tstFeedback(timer, threads at first, at most, spare)}: as many as a Throughput Shaping Timer needs.
_FEEDBACK = re.compile(r"\$\{__tstFeedback\([^,]*,[^,]*,([^,)]*)(?:,[^)]*)?\)\}")


@frozen
class Coming:
    """When the clients of a thread group come and go.

    Attributes:
        open: each of them is an arrival.
    """

    stays: tuple[Stay, ...]
    open: bool = False


def coming_of(node: Node, reading: Reading, most_s: float | None) -> Coming:
    """When the threads of a group come and go.

    Args:
        most_s: ends the load after so many seconds, whatever the plan says; None leaves the end to the plan.
    """
    make, is_open = GROUPS[node.kind]
    stays = make(node, reading)
    if len(stays) > MOST_CLIENTS:
        reading.refuse(node, f"it has {len(stays):,} clients; holdfast runs {MOST_CLIENTS:,} at most")
        return Coming((), is_open)
    if most_s is not None:
        last_ns = round(most_s * NS_PER_S)
        stays = tuple(
            Stay(each.from_ns, last_ns if each.until_ns is None else min(last_ns, each.until_ns), each.passes)
            for each in stays
            if each.from_ns < last_ns
        )
    return Coming(stays, is_open)


def _threads(node: Node, reading: Reading) -> tuple[Stay, ...]:
    clients = reading.number(node, node.text("ThreadGroup.num_threads"), "its number of threads")
    ramp_ms = 1000 * _whole(node, "ThreadGroup.ramp_time", "its ramp-up time", reading, reading.number_or_zero)
    passes = passes_of(node, reading)
    delay_ms, until_ms = 0, None
    if reading.flag(node, "ThreadGroup.scheduler"):
        delay_ms = 1000 * _whole(node, "ThreadGroup.delay", "its startup delay", reading)
        duration_s = _whole(node, "ThreadGroup.duration", "its duration", reading)
        if not duration_s:
            reading.refuse(
                node,
                "it specifies a thread lifetime but no duration, and JMeter does not start such a test",
                'Fill in its duration, or clear "Specify Thread lifetime".',
            )
        until_ms = delay_ms + 1000 * duration_s
    if clients <= 0 or passes == 0 or clients > MOST_CLIENTS:
        if clients > MOST_CLIENTS:
            reading.refuse(node, f"it has {clients:,} threads; holdfast runs {MOST_CLIENTS:,} clients at most")
        return ()
    until_ns = None if until_ms is None else until_ms * MS
    between_ms = ramp_ms / clients
    return tuple(Stay(round((delay_ms + between_ms * number) * MS), until_ns, passes) for number in range(clients))


def passes_of(node: Node, reading: Reading) -> int | None:
    """How often each thread passes through its group; None is for ever."""
    controller = node.properties.inner("ThreadGroup.main_controller")
    text = controller.text("LoopController.loops")
    loops = reading.number(node, text, "its number of loops", 0 if text else 1)
    said = controller.text("LoopController.continue_forever")
    # A LoopController is made with it, so a plan that says nothing of it loops for ever (LoopController.java, 5.5).
    forever = bool(text) if not said else (reading.fixed(node, said) or "").strip().lower() == "true"
    return None if loops < 0 or forever else loops


def _whole(
    node: Node, name: str, what: str, reading: Reading, number: Callable[[Node, str, str], int] | None = None
) -> int:
    found = (number or reading.number)(node, node.text(name), what)
    if found < 0:
        reading.refuse(node, f"{what} is {found}; it must be 0 or more", "Correct it in the plan.")
    return max(0, found)


def _stepping(node: Node, reading: Reading) -> tuple[Stay, ...]:
    def number(name: str) -> int:
        return _whole(node, name, f'its "{name}"', reading)

    clients = min(number("ThreadGroup.num_threads"), MOST_CLIENTS + 1)
    up = number("Start users count") or clients
    down = number("Stop users count") or clients
    burst = min(number("Start users count burst"), clients)
    burst = burst if burst > 0 else up
    ramp_ms, period_ms = 1000 * number("rampUp"), 1000 * number("Start users period")
    begin_ms = 1000 * number("Threads initial delay")
    if not clients:
        return ()
    steps = 1 if clients < burst else math.ceil((clients - burst) / up)
    last_step = (clients - burst) % up or up
    down_ms = begin_ms + steps * (period_ms + ramp_ms) + ramp_ms // up * last_step + 1000 * number("flighttime")
    passes = passes_of(node, reading)
    stays: list[Stay] = []
    for thread in range(clients):
        first = thread < burst
        step, place = (0, thread) if first else (1 + (thread - burst) // up, (thread - burst) % up)
        from_ms = begin_ms + step * (period_ms + ramp_ms) + place * (ramp_ms // (burst if first else up))
        until_ms = down_ms + 1000 * number("Stop users period") * (thread // down)
        stays.append(Stay(from_ms * MS, until_ms * MS, passes))
    return tuple(stays)


def _ultimate(node: Node, reading: Reading) -> tuple[Stay, ...]:
    stays: list[Stay] = []
    passes = passes_of(node, reading)
    for clients, delay_s, up_s, hold_s, down_s in _ultimate_rows(node, reading):
        if len(stays) + clients > MOST_CLIENTS:
            reading.refuse(node, f"it has more than {MOST_CLIENTS:,} threads")
            break
        # The first thread of a row comes last, and goes last.
        for left in range(clients, 0, -1):
            from_ms = 1000 * delay_s + math.floor(1000 * up_s * left / clients)
            until_ms = 1000 * (delay_s + up_s + hold_s) + math.floor(1000 * down_s * left / clients)
            stays.append(Stay(from_ms * MS, until_ms * MS, passes))
    return tuple(stays)


def _ultimate_rows(node: Node, reading: Reading) -> list[list[int]]:
    what = ("its number of threads", "its delay", "its startup time", "its time to hold", "its shutdown time")
    outside = reading.properties.get("threads_schedule", "")
    rows: list[list[int]] = []
    if outside:
        for chunk in outside.split(")"):
            name, _, inside = chunk.partition("(")
            parts = [each.strip() for each in inside.split(",")]
            try:
                if name.strip().lower() == "spawn" and len(parts) == 5:
                    rows.append([int(parts[0]), *(int(short_seconds(each)) for each in parts[1:])])
            except ValueError:
                reading.refuse(node, f"the property threads_schedule has {chunk.strip()}), which cannot be read")
        return rows
    for row in node.properties.items("ultimatethreadgroupdata") or node.properties.items("threads_schedule"):
        texts = [each for each in row if isinstance(each, str)] if isinstance(row, tuple) else []
        if len(texts) >= len(what):
            rows.append([reading.number(node, text, words) for text, words in zip(texts, what, strict=False)])
    return rows


def _concurrency(node: Node, reading: Reading) -> tuple[Stay, ...]:
    unit_s = 60.0 if (reading.fixed(node, node.text("Unit")) or "") == "M" else 1.0
    level = node.text("TargetLevel", "1")
    if feedback := _FEEDBACK.fullmatch(level.strip()):
        reading.tell(node, "all of its threads are there from the start, and wait for their Throughput Shaping Timer")
        level = feedback[1]
    target = round(reading.decimal(node, level, "its target concurrency", 1.0))
    ramp_s = round(reading.decimal(node, node.text("RampUp"), "its ramp-up time") * unit_s)
    hold_s = round(reading.decimal(node, node.text("Hold", "1"), "its hold time") * unit_s)
    steps = reading.number(node, node.text("Steps"), "its number of steps")
    if reading.number(node, node.text("Iterations"), "its limit of iterations"):
        reading.refuse(
            node,
            "after its limit of iterations a thread is replaced by another one",
            "Leave its iterations empty, or use a Thread Group with as many loops.",
        )
    if target > MOST_CLIENTS:
        reading.refuse(node, f"it has {target:,} clients; holdfast runs {MOST_CLIENTS:,} at most")
        return ()
    until_ns = (ramp_s + hold_s) * NS_PER_S
    stays: list[Stay] = []
    for client in range(1, target + 1):
        if not ramp_s:
            from_s = 0.0
        elif steps > 0:
            # It comes with the first step whose number of clients, rounded, includes it.
            step = next(
                each for each in range(1, steps + 1) if each == steps or _rounded(target * each / steps) >= client
            )
            from_s = ramp_s * (step - 1) / steps
        else:
            from_s = (client - 0.5) * ramp_s / target
        stays.append(Stay(round(from_s * NS_PER_S), until_ns, None))
    return tuple(stays) if until_ns else ()


def _rounded(number: float) -> int:
    """As Java's Math.round: a half is rounded up."""
    return math.floor(number + 0.5)


GROUPS: Mapping[str, tuple[Callable[[Node, Reading], tuple[Stay, ...]], bool]] = {
    "ThreadGroup": (_threads, False),
    "SetupThreadGroup": (_threads, False),
    "PostThreadGroup": (_threads, False),
    "SteppingThreadGroup": (_stepping, False),
    "UltimateThreadGroup": (_ultimate, False),
    "ConcurrencyThreadGroup": (_concurrency, False),
    "ArrivalsThreadGroup": (arrivals_stays, True),
    "FreeFormArrivalsThreadGroup": (free_form_stays, True),
    "OpenModelThreadGroup": (open_model_stays, True),
}
