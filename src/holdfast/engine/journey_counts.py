"""Counts of journeys in progress: as `live_counts`, with labels that the rows themselves know."""

from __future__ import annotations

from itertools import compress
from operator import or_

from holdfast.engine.ended import RUNS
from holdfast.engine.live_counts import Account, LiveCounts, is_replied, lags_of
from holdfast.engine.processes import Watched


class JourneyCounts(LiveCounts):
    """The counts of journeys, updated from look to look."""

    def __init__(self, watched: Watched) -> None:
        """Has counted nothing yet, and knows no label."""
        super().__init__(watched, [()])
        (plan, *_) = watched.plans
        assert plan.travel is not None
        self._particulars = plan.travel.particulars

    def _count(self, _plan: int, first: int, new: bytes, outcomes: bytes) -> list[int]:
        columns, known = self._watched.columns, self._particulars
        due, done = columns.due, columns.done
        ended: dict[int, list[int]] = {}
        lags: list[int] = []
        for run in RUNS.finditer(new):
            labels = known.label[first + run.start() : first + run.end()]
            for at, label in enumerate(labels, run.start()):
                ended.setdefault(label, []).append(at)
            rows = slice(first + run.start(), first + run.end())
            # What could not be sent was never late.
            begun = map(or_, columns.opened[rows], columns.sent[rows])
            lags += compress(lags_of(columns, rows), begun)
        for label, own in ended.items():
            account = self._account(known.texts[label])
            account.new_ends.append(bytes([outcomes[at] for at in own]))
            account.new_times += [done[first + at] - due[first + at] for at in own if is_replied(outcomes[at])]
        return lags

    def _account(self, label: str) -> Account:
        return self._accounts.setdefault(label, Account())
