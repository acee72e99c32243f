"""What is shown of a load in progress: a view on the terminal, or lines; and a page for Prometheus.

How a view is written, and why so: `live_terminal`.

* A write to a full pipe that is not read blocks. So a line that cannot be written now is left out.
* A view takes 1.5 ms of CPU at 80 x 24, in addition to the look at the rows (`engine.live_counts`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.console import say
from holdfast.engine.columns import ROW_BYTES
from holdfast.engine.processes import Watched
from holdfast.interrupts import Interrupts
from holdfast.live_terminal import LiveTerminal, takes_a_write, terminal_for_views
from holdfast.loadtest.quiet import Quiet
from holdfast.loadtest.result import urls_of
from holdfast.model.load import LoadExperiment
from holdfast.model.units import NS_PER_S

if TYPE_CHECKING:
    from holdfast.engine.live_counts import LiveCounts
    from holdfast.engine.process_usage import OwnUses
    from holdfast.loadtest.metrics_server import MetricsPage
    from holdfast.model.progress import Progress

VIEW_S = 0.5
LINE_S = 5.0
PAGE_S = 0.5
# A load that is over by then needs no view.
FIRST_VIEW_S = 0.5
_UNSEEN_NS = round(0.2 * NS_PER_S)
_SHORT_S = 1.0

Watch = Callable[[Watched], None]


@contextmanager
def open_view(experiment: LoadExperiment, interrupts: Interrupts, *, quiet: bool, port: int | None) -> Iterator[Watch]:
    """A function to call during the load, which shows it.

    Args:
        quiet: nothing is shown but what is waited for after Ctrl-C.
        port: of the page for Prometheus; 0 takes a free one, None serves none.

    Raises:
        EnvironmentFailure: the port is taken.
    """
    with _page(port) as page:
        if page is not None and (port == 0 or not quiet):
            say(f"holdfast: Prometheus finds the load at {page.url}")
        shown = None if quiet else _shown()
        if shown is None and page is None:
            yield Quiet(experiment, interrupts).update
            return
        try:
            yield _LiveView(experiment, interrupts, shown, page).update
        finally:
            if shown is not None:
                shown.close()


def _page(port: int | None) -> AbstractContextManager[MetricsPage | None]:
    if port is None:
        return nullcontext()
    from holdfast.loadtest.metrics_server import metrics_page  # noqa: PLC0415 - of a page alone

    return metrics_page(port)


class _LiveView:
    """Looks at the rows when the view or the page is due, and no more often."""

    def __init__(
        self, experiment: LoadExperiment, interrupts: Interrupts, shown: _View | _Lines | None, page: MetricsPage | None
    ) -> None:
        self._title = urls_of(experiment)
        self._labels = [[step.label for step in group.steps] for group in experiment.groups]
        self._interrupts = interrupts
        self._shown = shown
        self._page = page
        self._counts: LiveCounts | None = None
        self._own: OwnUses | None = None
        self._next_show_ns = self._next_page_ns = 0
        self._heard = (False, False)

    def update(self, watched: Watched) -> None:
        """Shows what is due to be shown."""
        now_ns = time.monotonic_ns()
        if self._counts is None or self._own is None:
            # What counts takes longer to import than a load of a few requests takes.
            if self._page is None and now_ns < watched.start_ns + _UNSEEN_NS and not self._interrupts.asked:
                return
            from holdfast.engine.live_counts import WINDOW_S, LiveCounts  # noqa: PLC0415
            from holdfast.engine.process_usage import OwnUses  # noqa: PLC0415

            now_ns = time.monotonic_ns()  # the rows are looked at as they are now, after the imports
            self._counts = _journey_counts(watched) if watched.plans[0].travel else LiveCounts(watched, self._labels)
            self._own = OwnUses(watched.pids, WINDOW_S)
            if self._shown is not None:
                self._next_show_ns = watched.start_ns + round(self._shown.first_s * NS_PER_S)
            if self._page is not None:
                self._page.text = self._metrics()
                self._page.serve()
        heard = (self._interrupts.asked, self._interrupts.leaving)
        asked, self._heard = heard != self._heard, heard
        if self._shown is not None and (asked or now_ns >= self._next_show_ns):
            self._next_show_ns = now_ns + round(self._shown.every_s * NS_PER_S)
            progress = self._look(now_ns)
            self._shown.show(progress, self._title, _state(progress, *heard), asked=asked)
        if self._page is not None and now_ns >= self._next_page_ns:
            self._next_page_ns = now_ns + round(PAGE_S * NS_PER_S)
            self._page.text = self._metrics()

    def _metrics(self) -> str:
        from holdfast.report.metrics import metrics_text  # noqa: PLC0415 - of a page alone

        return metrics_text(self._look(time.monotonic_ns()))

    def _look(self, now_ns: int) -> Progress:
        assert self._counts is not None
        assert self._own is not None
        progress = self._counts.look(now_ns)
        return replace(progress, own=self._own.look(now_ns, progress.begun * ROW_BYTES))


def _journey_counts(watched: Watched) -> LiveCounts:
    from holdfast.engine.journey_counts import JourneyCounts  # noqa: PLC0415 - of journeys alone

    return JourneyCounts(watched)


def _state(progress: Progress, asked: bool, leaving: bool) -> str:  # noqa: FBT001 - the two that were heard
    """What is unusual about the state of the load, in words; "" if nothing is."""
    if leaving:
        return f"giving up {progress.in_flight:,} in flight"
    if asked:
        return f"draining: {progress.in_flight:,} in flight; press Ctrl-C again to give them up"
    timed_out = progress.planned_s is not None and progress.elapsed_s > progress.planned_s
    if progress.in_flight and (timed_out or progress.begun == progress.planned):
        return f"all have begun; waiting for {progress.in_flight:,} in flight"
    return ""


def _shown() -> _View | _Lines | None:
    """How a load is shown on standard error: standard output is the result's."""
    if sys.stderr is None:
        return None
    terminal = terminal_for_views()
    return _Lines() if terminal is None else _View(terminal)


class _Lines:
    """A line now and then."""

    first_s = every_s = LINE_S

    def show(self, progress: Progress, _title: str, state: str, *, asked: bool) -> None:
        """Writes one line about the load, or about its end if that was asked for."""
        if takes_a_write(sys.stderr.fileno()):
            from holdfast.report.progress import progress_line  # noqa: PLC0415 - not in a short load

            say(state if asked else progress_line(progress))

    def close(self) -> None:
        """Lines need nothing to be undone."""


class _View:
    """A view that each further one is written over."""

    every_s = VIEW_S
    first_s = FIRST_VIEW_S

    def __init__(self, terminal: LiveTerminal) -> None:
        self._terminal = terminal

    def show(self, progress: Progress, title: str, state: str, *, asked: bool) -> None:
        """Draws the view, if it can be seen now."""
        # The view of a load that is over in a moment would only flash.
        short = progress.planned_s is not None and progress.planned_s <= _SHORT_S
        if short and progress.elapsed_s < _SHORT_S + FIRST_VIEW_S and not asked:
            return
        from holdfast.report.layout import cut_lines  # noqa: PLC0415 - not in a short load
        from holdfast.report.progress import progress_view  # noqa: PLC0415

        def drawn(columns: int, rows: int, styled: bool) -> list[str]:  # noqa: FBT001 - as `Drawn`
            return cut_lines(progress_view(progress, title, state, columns, rows), columns, styled=styled)

        self._terminal.show(drawn)

    def close(self) -> None:
        """Leaves the terminal as it was."""
        self._terminal.close()
