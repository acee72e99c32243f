"""One load of a search: its requests -> whether the rate holds; pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from holdfast.infer.capacity_search import GROWS
from holdfast.model.load import Expectation
from holdfast.model.units import MS, NS_PER_S

_ENOUGH = 5
_LEAST_GAIN_NS = 10 * MS
"""Less than that over a third of a load may be the machine."""


def growth_of(due_ns: Sequence[int], took_ns: Sequence[int]) -> float | None:
    """How much later each second's requests are answered than those of the second before, s/s.

    It compares the medians of the middle third and of the last one: a queue that grows does so evenly, and the first
    third may still fill it.

    Args:
        due_ns: of the requests that were replied to, ascending.
        took_ns: from due to done, of the same.

    Returns:
        None with too few replies; 0.0 where the gain may be the machine's.
    """
    if len(due_ns) < 3 * _ENOUGH:
        return None
    first, span = due_ns[0], due_ns[-1] - due_ns[0]
    thirds: list[list[int]] = [[], [], []]
    for due, took in zip(due_ns, took_ns, strict=True):
        thirds[min(2, 3 * (due - first) // max(1, span))].append(took)
    if min(map(len, thirds[1:])) < _ENOUGH:
        return None
    gain = median(thirds[2]) - median(thirds[1])
    return gain / (span / 3) if abs(gain) >= _LEAST_GAIN_NS else 0.0


def answered_per_s(start_ns: int, seconds: float, done_ns: Sequence[int]) -> float | None:
    """How many were answered for each second in the last two thirds of the time in which requests were due.

    None where that was no time.

    Args:
        start_ns: when the first request was due, CLOCK_MONOTONIC ns, as `done_ns`.
        seconds: for which requests were due.
        done_ns: of the requests that were answered.
    """
    whole = round(seconds * NS_PER_S)
    if whole <= 0:
        return None
    from_ns, to_ns = start_ns + whole // 3, start_ns + whole
    return sum(from_ns <= each < to_ns for each in done_ns) * NS_PER_S / (to_ns - from_ns)


def why_not(thresholds: Sequence[Expectation], growth: float | None) -> str:
    """What did not hold, in words; "" where everything did."""
    words = []
    for each in thresholds:
        if each.held is None:
            words.append(f"{each.text}: no request was replied to")
        elif not each.held:
            words.append(f"{each.text}: {shown_value(each)}")
    if growth is not None and growth > GROWS:
        words.append(f"a queue grew: each second's requests waited {growth * 1000:.0f} ms longer")
    return "; ".join(words)


def shown_value(checked: Expectation) -> str:
    """The value that was measured, with its unit."""
    value = checked.value or 0.0
    if checked.text.lstrip().startswith("errors"):
        return f"{value:.1%}" if "%" in checked.text else f"{value:.0f}"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"
