"""Whether a load that did not hold would have held, had it and the server not lacked a core now and then."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.engine.columns import Columns
from holdfast.engine.quantities import Threshold
from holdfast.engine.summary import distribution, latency_ms
from holdfast.infer.capacity_disturbed import (
    LEAST_TAKEN,
    MOST_SHARE,
    Window,
    disturbed,
    longest_taken_s,
    taken_share,
    undisturbed,
)
from holdfast.infer.capacity_load import growth_of
from holdfast.infer.capacity_search import GROWS
from holdfast.model.capacity import AtRate
from holdfast.model.places import REPLIED, Outcome

_LEAST_LEFT = 0.1


def disturbance(
    thresholds: Sequence[Threshold], load: AtRate, columns: Columns, rows: Sequence[int], windows: Sequence[Window]
) -> str:
    """Why what was seen says nothing of the server, in words; "" where it does.

    Where most requests were disturbed, a rate that is beyond what was answered, and would have been with the time that
    others took, still did not hold because of the server.

    Args:
        rows: of the load's requests.
        windows: what others took of the cores meanwhile.
    """
    due = [columns.due[row] for row in rows]
    began = [columns.opened[row] or columns.sent[row] for row in rows]
    begun = [pair for pair in zip(due, began, strict=True) if pair[1]]
    left = undisturbed(due, disturbed(windows, begun))
    share = 1 - len(left) / max(1, len(due))
    if not share:
        return ""
    longest_ms = 1000 * longest_taken_s(windows, begun)
    taken = taken_share(windows)
    able = (load.answered_per_s or 0.0) / max(_LEAST_LEFT, 1 - taken)
    if load.rate_per_s <= able and (share > MOST_SHARE or taken >= LEAST_TAKEN):
        return (
            f"Other programs kept the load or the server from a core for {taken:.0%} of the time, and for up to "
            f"{longest_ms:.0f} ms at once: {share:.0%} of the requests were due then."
        )
    if share > MOST_SHARE or not _would_hold(thresholds, columns, [rows[place] for place in left]):
        return ""
    return (
        f"The rate would have held without the {share:.0%} of the requests that were due while the load or the server "
        f"waited for a core, for up to {longest_ms:.0f} ms."
    )


def _would_hold(thresholds: Sequence[Threshold], columns: Columns, rows: Sequence[int]) -> bool:
    """Whether these requests meet every threshold, and no queue grew."""
    replied = [row for row in rows if columns.outcome[row] in REPLIED]
    took = [columns.done[row] - columns.due[row] for row in replied]
    growth = growth_of([columns.due[row] for row in replied], took)
    if growth is not None and growth > GROWS:
        return False
    answered = sum(columns.outcome[row] == Outcome.ANSWERED for row in rows)
    latency = latency_ms(distribution(took))
    for each in thresholds:
        if each.what == "errors":
            errors = len(rows) - answered
            value: float | None = errors / max(1, len(rows)) if each.share else errors
        else:
            value = getattr(latency, each.what)
        if value is None or not each.holds(value):
            return False
    return True
