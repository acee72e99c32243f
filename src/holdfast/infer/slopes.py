"""What one more held request costs, over all trials of an explanation."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from holdfast.model.explanation import RequestCost, Slope
from holdfast.model.trial import Trial


def cost_over(trials: Sequence[Trial]) -> RequestCost:
    """The cost of a request as each trial measured it: the middle, the least and the most.

    With another number of processes, the server may be of another kind; such trials say nothing of this one.
    """
    alike = [each for each in trials if each.processes == trials[0].processes]
    costs = [each.cost for each in alike if each.cost is not None]
    return RequestCost(
        descriptors=_slope([each.descriptors for each in costs]),
        threads=_slope([each.threads for each in costs]),
        processes=_slope([each.processes for each in costs]),
        memory_bytes=_slope([each.memory_bytes for each in costs]),
    )


def _slope(values: Sequence[float | None]) -> Slope | None:
    found = [each for each in values if each is not None]
    return Slope(median(found), min(found), max(found)) if found else None
