"""Shapes of load and thresholds as a person writes them; pure.

    duration    10s  2m  500ms  1h  10        (a number alone is seconds)
    rate        100  100/s  6000/m
    ramp        10:500/30s                    from 10 to 500 requests a second within 30 s
    stages      100/s:10s,500/s:30s
    threshold   p99<200ms  errors<1%  rate>=950/s
    pause       1s  1s-3s                     random, from 1 s to 3 s
    stop        first-failure  errors>10%

A `ValueError` says in words what is wrong, and where: its text is for the person who wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address

from holdfast.model.frozen import frozen
from holdfast.model.load import StopRule
from holdfast.model.scenario import Pause

SECONDS: Mapping[str, float] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "": 1}

_NUMBER = r"(\d+(?:\.\d+)?|\.\d+)"
_DURATION = re.compile(_NUMBER + r"(ms|s|m|h|)")
_RATE = re.compile(_NUMBER + r"(?:/(s|m|h))?")
# As an expectation names a label (checks/syntax.py).
_LABEL = re.compile(r"""\s*label\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\)\s*\.""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_THRESHOLD = re.compile(r"\s*([a-z0-9]+)\s*(<=|>=|<|>)\s*" + _NUMBER + r"\s*(ms|s|%|/s|)\s*")

_ERRORS = re.compile(r"\s*errors\s*>\s*" + _NUMBER + r"\s*%\s*")

LONGEST_S = 100 * 365 * 86_400.0
# Each takes a load process of this machine, so more than it can have cores are useless.
MOST_LOCAL_WORKERS = 256

# What may be compared, and in which units.
THRESHOLDS: Mapping[str, tuple[str, ...]] = {
    "p50": ("ms", "s"),
    "p90": ("ms", "s"),
    "p95": ("ms", "s"),
    "p99": ("ms", "s"),
    "p999": ("ms", "s"),
    "max": ("ms", "s"),
    "errors": ("%", ""),
    "rate": ("/s",),
}


@frozen
class Threshold:
    """A statement about a run.

    Attributes:
        text: as it was written.
        what: a key of THRESHOLDS.
        relation: "<", "<=", ">" or ">=".
        bound: in ms, of all requests (errors, 0 to 1; a number where `share` is False) or per second.
        share: `bound` is a share of all requests.
        label: it is about the requests of this label alone; None is about all.
    """

    text: str
    what: str
    relation: str
    bound: float
    share: bool = False
    label: str | None = None

    def holds(self, value: float) -> bool:
        """Whether a value is on the right side."""
        return {
            "<": value < self.bound,
            "<=": value <= self.bound,
            ">": value > self.bound,
            ">=": value >= self.bound,
        }[self.relation]


def duration_s(text: str) -> float:
    """A time in seconds."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration: write it as 10s, 2m, 500ms or 1h.")
    seconds = float(found[1]) * SECONDS[found[2]]
    if seconds > LONGEST_S:
        raise ValueError(f"{text!r} is more than 100 years.")
    return seconds


def some_time_s(text: str) -> float:
    """A time in seconds, more than 0."""
    seconds = duration_s(text)
    if not seconds:
        raise ValueError(f"{text!r} must be more than 0.")
    if seconds > LONGEST_S:
        raise ValueError(f"{text!r} is longer than clocks can count.")
    return seconds


def rate_per_s(text: str) -> float:
    """A rate in requests per second."""
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a rate: write it as 100/s, 6000/m or 100.")
    return float(found[1]) / SECONDS[found[2] or "s"]


def ramp(text: str) -> tuple[float, float, float]:
    """Rates in requests per second at both ends, and the seconds between."""
    rates, slash, seconds = text.rpartition("/")
    first, colon, last = rates.partition(":")
    if not slash or not colon:
        raise ValueError(f"{text!r} is not a ramp: write it as 10:500/30s, from 10/s to 500/s within 30 s.")
    return rate_per_s(first), rate_per_s(last), duration_s(seconds)


def stages(text: str) -> tuple[tuple[float, float], ...]:
    """(requests per second, seconds) of each stage."""
    found = []
    at = 0
    for number, part in enumerate(text.split(","), 1):
        rate, colon, seconds = part.partition(":")
        try:
            if not colon:
                raise ValueError(f"{part.strip()!r} is not RATE:DURATION.")
            found.append((rate_per_s(rate), duration_s(seconds)))
        except ValueError as error:
            raise ValueError(
                f"Stage {number}, at character {at + 1}: {error} Stages are written as 100/s:10s,500/s:30s."
            ) from error
        at += len(part) + 1
    return tuple(found)


def pause(text: str) -> Pause:
    """A time between requests."""
    first, dash, last = text.partition("-")
    if dash and not (first.strip() and last.strip()):
        raise ValueError(f"{text!r} is not a pause: write it as 1s, or as 1s-3s.")
    least_s = duration_s(first)
    more_s = duration_s(last) - least_s if dash else 0.0
    if more_s < 0:
        raise ValueError(f"{text!r}: the longest pause is shorter than the shortest.")
    return Pause(least_s, more_s)


def stop_rule(text: str) -> StopRule:
    """When a load ends early."""
    if text.strip() == "first-failure":
        return StopRule(first_failure=True)
    found = _ERRORS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a stop rule: write it as first-failure or errors>10%.")
    return StopRule(error_share=float(found[1]) / 100)


def pattern(text: str) -> str:
    """A regular expression, as Python's `re` reads it."""
    try:
        re.compile(text.encode())
    except re.error as error:
        at = "" if error.pos is None else f" (character {error.pos + 1})"
        raise ValueError(f"{text!r} is not a regular expression: {error.msg}{at}.") from error
    return text


def property_(text: str) -> tuple[str, str]:
    """A name and its value, as JMeter's -J has them."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"{text!r} is not name=value.")
    return name.strip(), value


def source(text: str) -> str:
    """An address of this machine."""
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is not an IP address.") from error


def cluster(text: str) -> str:
    """Where a cluster is: `local:N`, the address of its scheduler, or its scheduler file."""
    scheme, _, rest = text.partition(":")
    if scheme == "local" and not (rest.isdecimal() and 1 <= int(rest) <= MOST_LOCAL_WORKERS):
        raise ValueError(f"{text!r}: local:N takes a number from 1 to {MOST_LOCAL_WORKERS}.")
    if not rest and not text.startswith("/") and not text.endswith(".json"):
        raise ValueError(
            f"{text!r} is not a cluster: give the address of a Dask scheduler (tcp://HOST:8786), its scheduler file, "
            "or local:N."
        )
    return text


def local_workers(text: str) -> int | None:
    """How many workers a cluster within this process has; None for any other cluster."""
    scheme, _, rest = text.partition(":")
    return int(rest) if scheme == "local" else None


def threshold(text: str) -> Threshold:
    """A statement about the run that must hold, or about one label of it."""
    of = _LABEL.match(text)
    start = of.end() if of is not None else 0
    found = _THRESHOLD.fullmatch(text, start)
    if found is None:
        raise ValueError(
            f"{text!r} is not a threshold (see character {_where(text, start)}): write it as p99<200ms, errors<1%, "
            "rate>=950/s or label('GET /').p99<200ms."
        )
    what, relation, number, unit = found.groups()
    if what not in THRESHOLDS:
        there = ", ".join(THRESHOLDS)
        raise ValueError(f"{text!r}: there is no {what!r} (character {found.start(1) + 1}); there are {there}.")
    if of is not None and what == "rate":
        raise ValueError(f"{text!r}: a rate is of the whole load (character {found.start(1) + 1}).")
    if unit not in THRESHOLDS[what]:
        units = " or ".join(each or "no unit" for each in THRESHOLDS[what])
        raise ValueError(f"{text!r}: {what} is compared in {units} (character {found.start(4) + 1}).")
    bound = float(number)
    if unit == "s":
        bound *= 1000
    label = None if of is None else _ESCAPED.sub(r"\1", of[1] if of[2] is None else of[2])
    return Threshold(text, what, relation, bound / 100 if unit == "%" else bound, unit == "%", label)


def of_label(whole: Threshold, label: str) -> Threshold:
    """The same about the requests of one label, as it would be written.

    Raises:
        ValueError: it is about what only a whole load has.
    """
    quoted = label.replace("\\", "\\\\").replace("'", "\\'")
    return threshold(f"label('{quoted}').{whole.text.strip()}")


def _where(text: str, start: int) -> int:
    """The first character, counted from 1, at which a threshold goes wrong.

    Args:
        start: of what follows its label.
    """
    for pattern in (r"\s*[a-z0-9]+\s*(<=|>=|<|>)\s*" + _NUMBER, r"\s*[a-z0-9]+\s*(<=|>=|<|>)\s*", r"\s*[a-z0-9]+\s*"):
        if (found := re.compile(pattern).match(text, start)) is not None:
            return found.end() + 1
    return start + 1
