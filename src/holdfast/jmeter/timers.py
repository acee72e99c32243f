"""Turns JMeter's timers into the waits before requests; pure.

Source: apache/jmeter, timers/*.java; undera/jmeter-plugins, VariableThroughputTimer.java (Throughput Shaping Timer).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from holdfast.jmeter.scope import Reading
from holdfast.model.answers import Template
from holdfast.model.journey import Delay, Meeting, Pace
from holdfast.plans.jmx_tree import Node

_MODES: Mapping[str, tuple[str, bool]] = {
    "0": ("client", False),
    "1": ("load", True),
    "2": ("crew", True),
    "3": ("load", False),
    "4": ("crew", False),
}
# As old versions saved them. A mode in another language is the first one, for a JMeter in English.
_MODES_IN_WORDS: Mapping[str, str] = {
    "this thread only": "0",
    "all active threads": "1",
    "all active threads in current thread group": "2",
    "all active threads (shared)": "3",
    "all active threads in current thread group (shared)": "4",
}


def waits_of(level: Iterable[Node], reading: Reading) -> tuple[Delay | Pace | Meeting, ...]:
    """The waits before each request to which the timers of a level apply."""
    return tuple(reading.once(each, partial(TIMERS[each.kind], each, reading)) for each in level if each.kind in TIMERS)


def _constant(node: Node, reading: Reading) -> Delay | Pace | Meeting:
    return Delay(_text(node, "ConstantTimer.delay", reading))


def _uniform(node: Node, reading: Reading) -> Delay | Pace | Meeting:
    return Delay(_text(node, "ConstantTimer.delay", reading), _text(node, "RandomTimer.range", reading), "uniform")


def _gaussian(node: Node, reading: Reading) -> Delay | Pace | Meeting:
    return Delay(_text(node, "ConstantTimer.delay", reading), _text(node, "RandomTimer.range", reading), "gaussian")


def _poisson(node: Node, reading: Reading) -> Delay | Pace | Meeting:
    return Delay(_text(node, "ConstantTimer.delay", reading), _text(node, "RandomTimer.range", reading), "poisson")


def _text(node: Node, name: str, reading: Reading) -> Template:
    return reading.template(node, node.text(name).strip())


def _throughput(node: Node, reading: Reading) -> Delay | Pace | Meeting:
    mode = (reading.fixed(node, node.text("calcMode", "0")) or "0").strip().removeprefix("calcMode.")
    if node.text("calcMode").strip().startswith("calcMode.") and mode.isdigit():
        mode = str(int(mode) - 1)
    mode = _MODES_IN_WORDS.get(mode, mode)
    if mode not in _MODES:
        reading.note(node, f"its mode is {mode!r}, which an English JMeter takes for this thread only")
        mode = "0"
    shared_by, in_equal_parts = _MODES[mode]
    return Pace(
        _text(node, "throughput", reading),
        shared_by,  # type: ignore[arg-type] # one of its words
        in_equal_parts,
    )


def _meeting(node: Node, reading: Reading) -> Delay | Pace | Meeting:
    return Meeting(_text(node, "groupSize", reading), _text(node, "timeoutInMs", reading))


def _precise(node: Node, reading: Reading) -> Delay | Pace | Meeting:
    rate = reading.decimal(node, node.text("throughput"), "its throughput")
    period_s = reading.number(node, node.text("throughputPeriod"), "its period", 1)
    within_s = reading.number(node, node.text("duration"), "its duration", 1)
    batch = reading.number(node, node.text("batchSize"), "its batch size", 1)
    if reading.number(node, node.text("batchThreadDelay"), "its delay within a batch"):
        reading.tell(node, "requests of a batch are not delayed against each other")
    per_minute = rate / max(1, period_s) * 60
    return Pace((repr(per_minute),), "crew", precise=True, within_s=float(max(1, within_s)), batch=max(1, batch))


def _shaping(node: Node, reading: Reading) -> Delay | Pace | Meeting:
    schedule = _external(node, reading) or [
        (float(seconds), first, last)
        for first, last, seconds in _rows(node, "load_profile", reading, ("its start", "its end", "its duration"))
        if seconds > 0
    ]
    if not schedule:
        reading.refuse(node, "its schedule has no rows", "Give it rows, or disable it.")
    return Pace(shared_by="load", schedule=tuple(schedule))


def _rows(node: Node, name: str, reading: Reading, what: tuple[str, ...]) -> Iterable[tuple[float, ...]]:
    for row in node.properties.items(name):
        texts = [each for each in row if isinstance(each, str)] if isinstance(row, tuple) else []
        if len(texts) >= len(what):
            yield tuple(reading.decimal(node, text, words) for text, words in zip(texts, what, strict=False))


_CHUNK = re.compile(r"\s*(const|line|step)\s*\(([^)]*)\)", re.IGNORECASE)


def _external(node: Node, reading: Reading) -> list[tuple[float, float, float]]:
    """The schedule of the property `load_profile`, such as line(0,100,10m) const(100,1h); [] without it."""
    text = reading.properties.get(f"{node.name}.load_profile") or reading.properties.get("load_profile") or ""
    found: list[tuple[float, float, float]] = []
    for kind, inside in _CHUNK.findall(text):
        *numbers, duration = [each.strip() for each in inside.split(",")]
        try:
            rates = [float(each) for each in numbers]
            seconds = short_seconds(duration)
        except ValueError:
            reading.refuse(node, f"the property load_profile has {kind}({inside}), which cannot be read")
            continue
        if kind.lower() == "const" and len(rates) == 1:
            found.append((seconds, rates[0], rates[0]))
        elif kind.lower() == "line" and len(rates) == 2:
            found.append((seconds, rates[0], rates[1]))
        elif kind.lower() == "step" and len(rates) == 3 and rates[2] > 0:
            found += [(seconds, rate, rate) for rate in _steps(*rates)]
        else:
            reading.refuse(node, f"the property load_profile has {kind}({inside}), which cannot be read")
    return found


def _steps(first: float, last: float, by: float) -> Iterable[float]:
    """The rates of a staircase; one that goes down leaves out the last."""
    rate = first
    while rate <= last if first <= last else rate > last:
        yield rate
        rate += by if first <= last else -by


def short_seconds(text: str) -> float:
    """A time such as 1h30m, in s.

    Raises:
        ValueError: it is not one.
    """
    found = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip().lower())
    if found is None or not text.strip():
        raise ValueError(text)
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


TIMERS: Mapping[str, Callable[[Node, Reading], Delay | Pace | Meeting]] = {
    "ConstantTimer": _constant,
    "UniformRandomTimer": _uniform,
    "GaussianRandomTimer": _gaussian,
    "PoissonRandomTimer": _poisson,
    "ConstantThroughputTimer": _throughput,
    "PreciseThroughputTimer": _precise,
    "VariableThroughputTimer": _shaping,
    "SyncTimer": _meeting,
}
