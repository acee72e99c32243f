"""What is said of a load under --quiet too: why it has not ended although Ctrl-C was pressed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from holdfast.console import say
from holdfast.engine.processes import Watched
from holdfast.interrupts import Interrupts
from holdfast.model.load import LoadExperiment
from holdfast.model.units import NS_PER_S

if TYPE_CHECKING:
    from holdfast.model.journey import Node
    from holdfast.model.journey_request import Request  # of journeys alone

# What ends by then needs no words.
_AT_ONCE_NS = round(0.3 * NS_PER_S)


def waits_for(in_flight: int, experiment: LoadExperiment) -> str:
    """What a load waits for after Ctrl-C, for how long, and what to do."""
    return f"holdfast: Ctrl-C: {in_flight:,} in flight {_bound(experiment)}; press Ctrl-C again to give them up."


class Quiet:
    """Looks at a load, and says no more than that."""

    def __init__(self, experiment: LoadExperiment, interrupts: Interrupts) -> None:
        """Nothing was said."""
        self._experiment, self._interrupts = experiment, interrupts
        self._asked_ns: int | None = None
        self._said = False

    def update(self, watched: Watched) -> None:
        """Says it once, if Ctrl-C was pressed and requests are still waited for."""
        if not self._interrupts.asked or self._interrupts.leaving or self._said:
            return
        now_ns = time.monotonic_ns()
        if self._asked_ns is None:
            self._asked_ns = now_ns
        in_flight = sum(watched.tally.begun) - sum(watched.tally.ended)
        if in_flight and now_ns >= self._asked_ns + _AT_ONCE_NS:
            self._said = True
            say(waits_for(in_flight, self._experiment))


def _bound(experiment: LoadExperiment) -> str:
    wholes = [group.timeouts.whole_s for group in experiment.groups]
    if experiment.journeys is not None:
        nodes = (node for crew in experiment.journeys.crews for node in crew.journey.nodes)
        wholes += [each.timeouts.whole_s for each in _requests(nodes)]
    longest_s = None if None in wholes else max((each for each in wholes if each is not None), default=0.0)
    return "without a timeout" if longest_s is None else f"for {longest_s:g} s at most"


def _requests(nodes: Iterable[Node]) -> Iterable[Request]:
    from holdfast.loadtest.journey_plans import requests_in  # noqa: PLC0415 - of journeys alone

    return requests_in(nodes)
