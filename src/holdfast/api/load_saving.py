"""Saves a load while it runs: one that is killed leaves the rows of the requests that had ended.

Decisions
---------
* The process that watches the load saves, and not those that send it.
* What was saved stays when the load is over, and only the other rows are added: to pack all of them once more took 0.3
  us a row (measured). A row that has ended does not change, and its outcome is written last and read first.
* A load shorter than FIRST_S is saved at its end alone. So is one of a few requests: a process that watches would take
  longer to start than they do (20 ms).
* Another program that locks the file of runs holds up neither the load nor Ctrl-C: what cannot be saved now is saved
  later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from holdfast import store
from holdfast.engine.ended import Stretch, runs_ended, stretches
from holdfast.engine.packing import joined
from holdfast.engine.processes import Watched
from holdfast.engine.quantities import Threshold
from holdfast.errors import HoldfastError
from holdfast.loadtest import saved
from holdfast.loadtest.run import FinishedLoad
from holdfast.loadtest.wall_clock import wall_clock_offset_ns
from holdfast.model.load import LoadExperiment
from holdfast.model.units import NS_PER_S

if TYPE_CHECKING:
    from holdfast.engine.event_packing import EventPacking

FIRST_S = 1.0
EVERY_S = 1.0
FEW = 20


class SavingAsItGoes:
    """The saved part of a load in progress.

    Attributes:
        number: of the saved run; None as long as there is none.
        mark: of the run, as `runs_file.marked` gives it.
        is_small: the load is so small that it need not be saved before its end.
    """

    def __init__(
        self,
        experiment: LoadExperiment,
        thresholds: Sequence[Threshold],
        remarks: Sequence[str],
        mark: str | None = None,
    ) -> None:
        """Has saved nothing; `remarks` are doubts that are known before the load begins."""
        self.number: int | None = None
        self.mark = mark
        self._experiment = experiment
        self._thresholds = [each.text for each in thresholds]
        self._remarks = tuple(remarks)
        self._offset_ns = wall_clock_offset_ns()
        self._stretches: list[Stretch] | None = None
        self._pending: list[range] = []
        self._unsaved: list[bytes] = []
        self._known = bytearray()  # 1 for each row that was packed
        self._rows = self._parts = 0
        self._events: EventPacking | None = None
        self._unsaved_events: list[bytes] = []
        self._event_parts = 0
        self._next_ns: int | None = None
        passes = [group.shape.passes for group in experiment.groups]
        # How many requests journeys make is known when they are over; a few streams may bring any number of events.
        of_unknown_size = experiment.journeys is not None or any(group.events for group in experiment.groups)
        self.is_small = not of_unknown_size and None not in passes and sum(filter(None, passes)) <= FEW
        self._pack: Callable[[Sequence[range]], Iterator[bytes]] | None = None

    def with_view(self, view: Callable[[Watched], None] | None) -> Callable[[Watched], None]:
        """What is to be called during the load: this, and then its view."""

        def watch(watched: Watched) -> None:
            self.update(watched)
            if view is not None:
                view(watched)

        return watch

    def update(self, watched: Watched) -> None:
        """Saves what has ended since, if it is time."""
        now_ns = time.monotonic_ns()
        if self._next_ns is None:
            self._next_ns = watched.start_ns + round(FIRST_S * NS_PER_S)
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + round(EVERY_S * NS_PER_S)
        if self._stretches is None:
            self._stretches = list(stretches(watched))
        self._pending = joined([*self._pending, *runs_ended(watched, self._stretches)])
        try:
            self._save(watched)
        except HoldfastError:
            return  # the end of the load tells it, if it cannot be saved then either

    def _save(self, watched: Watched) -> None:
        path = store.default_path()
        if self.number is None:
            head = saved.head_of_begun(
                self._experiment, self._thresholds, self._offset_ns, watched, remarks=self._remarks
            )
            self.number = store.begin_load(saved.title_of(self._experiment), head, path, self.mark)
        if self._pending:
            self._pack = self._pack or saved.packing_of(watched)
            self._unsaved += self._pack(self._pending)
            for run in self._pending:
                self._rows += len(run)
                self._note(run)
            self._pending = []
        if watched.events:
            self._events = self._events or saved.event_packing(watched.events)
            self._unsaved_events += self._events.parts()
        if self._unsaved or self._unsaved_events:
            rows = store.FurtherRows(self._parts, self._unsaved)
            events = store.FurtherRows(self._event_parts, self._unsaved_events)
            store.add_to_load(self.number, rows, self._rows, events, path)
            self._parts += len(self._unsaved)
            self._event_parts += len(self._unsaved_events)
            self._unsaved, self._rows, self._unsaved_events = [], 0, []

    def _note(self, run: range) -> None:
        known = self._known
        if len(known) < run.stop:
            known.extend(bytes(run.stop - len(known)))
        known[run.start : run.stop] = b"\1" * len(run)

    def rows_of(self, finished: FinishedLoad) -> store.LoadRows:
        """The rows of this load, which is over."""
        events = self._events_of(finished)
        # Texts of journeys are in the part that has them first, so theirs are packed together.
        if not self._parts or finished.run.particulars is not None:
            return store.LoadRows(saved.parts_of(finished), events=events)
        rest = chain(self._unsaved, saved.rest_of(finished, self._known))
        return store.LoadRows(saved.parts_of(finished), self._parts, rest, events)

    def _events_of(self, finished: FinishedLoad) -> store.LoadRows | None:
        if not finished.run.events:
            return None
        whole = saved.event_packing(finished.run.events).parts()
        if self._events is None:
            return store.LoadRows(whole)
        return store.LoadRows(whole, self._event_parts, chain(self._unsaved_events, self._events.parts()))
