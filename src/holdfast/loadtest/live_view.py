"""What is seen of a load while it goes on: a view on the terminal, or lines; and a page for Prometheus.

Facts
-----
* A terminal that was stopped (Ctrl-S), or a pipe that nobody reads, takes nothing more, and a write to it waits.
* A write to a terminal that was closed fails (EIO); Ctrl-C and SIGTERM may come at any time.

Decisions
---------
* Whoever cannot take a view now gets a later one; who fails once gets none any more. Neither ends the load.
* A view is one write: it goes up over the last one and writes over it. The cursor rests below it and is never
  hidden, nor is any other mode of the terminal changed, so that nothing needs to be put right whatever ends holdfast.
* A view takes 1.5 ms of CPU at 80 x 24, beside the look at the rows (`load.reckoning`).
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.console import say
from holdfast.interrupts import Interrupts
from holdfast.load.columns import ROW_BYTES
from holdfast.load.processes import Watched
from holdfast.loadtest.metrics_server import Exposed, exposed
from holdfast.model.load import LoadExperiment
from holdfast.model.units import NS_PER_S
from holdfast.report.layout import rendered

if TYPE_CHECKING:
    from holdfast.load.live_counts import Reckoning
    from holdfast.load.process_usage import OwnUses
    from holdfast.model.progress import Progress

VIEW_S = 0.5
LINE_S = 5.0
PAGE_S = 0.5
# A load that is over by then needs no view.
FIRST_VIEW_S = 0.5
_UNSEEN_NS = round(0.2 * NS_PER_S)
_SHORT_S = 1.0
_USUAL_SIZE = (80, 24)

Watch = Callable[[Watched], None]


@contextmanager
def watching(
    experiment: LoadExperiment, interrupts: Interrupts, *, quiet: bool, port: int | None
) -> Iterator[Watch | None]:
    """What is to be called while the load goes on; None where nobody wants to see anything.

    Args:
        quiet: nothing is shown.
        port: of the page for Prometheus; 0 is a free one, None is no page.

    Raises:
        EnvironmentFailure: the port is not to be had.
    """
    with exposed(port) as page:
        if page is not None and (port == 0 or not quiet):
            say(f"holdfast: Prometheus finds the load at {page.url}")
        shown = None if quiet else _shown()
        if shown is None and page is None:
            yield None
            return
        try:
            yield _Watching(experiment, interrupts, shown, page)
        finally:
            if shown is not None:
                shown.close()


class _Watching:
    """What looks at the rows when somebody is to see it, and no more often."""

    def __init__(
        self, experiment: LoadExperiment, interrupts: Interrupts, shown: _View | _Lines | None, page: Exposed | None
    ) -> None:
        self._title = ", ".join(dict.fromkeys(group.url for group in experiment.groups))
        self._labels = [[step.label for step in group.steps] for group in experiment.groups]
        self._interrupts = interrupts
        self._shown = shown
        self._page = page
        self._reckoning: Reckoning | None = None
        self._own: OwnUses | None = None
        self._next_show_ns = self._next_page_ns = 0
        self._heard = (False, False)

    def __call__(self, watched: Watched) -> None:
        """Shows what is due to be shown."""
        now_ns = time.monotonic_ns()
        if self._reckoning is None or self._own is None:
            # What counts takes longer to import than a load of a few requests takes.
            if self._page is None and now_ns < watched.start_ns + _UNSEEN_NS and not self._interrupts.asked:
                return
            from holdfast.load.live_counts import WINDOW_S, Reckoning  # noqa: PLC0415
            from holdfast.load.process_usage import OwnUses  # noqa: PLC0415

            now_ns = time.monotonic_ns()  # the rows are looked at as they are now, after the imports
            self._reckoning = Reckoning(watched, self._labels)
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
        assert self._reckoning is not None
        assert self._own is not None
        progress = self._reckoning.look(now_ns)
        return replace(progress, own=self._own.look(now_ns, progress.begun * ROW_BYTES))


def _state(progress: Progress, asked: bool, leaving: bool) -> str:  # noqa: FBT001 - the two that were heard
    """What goes on beside the ordinary, in words."""
    if leaving:
        return f"giving up {progress.in_flight:,} in flight"
    if asked:
        return f"draining: {progress.in_flight:,} in flight; press Ctrl-C again to give them up"
    timed_out = progress.planned_s is not None and progress.elapsed_s > progress.planned_s
    if progress.in_flight and (timed_out or progress.begun == progress.planned):
        return f"all are begun; waiting for {progress.in_flight:,} in flight"
    return ""


def _shown() -> _View | _Lines | None:
    """How a load is shown on standard error: standard output is the result's."""
    if sys.stderr is None:
        return None
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
        return _View()
    return _Lines()


def _ready(descriptor: int) -> bool:
    """Whether a write would not wait."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))


class _Lines:
    """A line now and then."""

    first_s = every_s = LINE_S

    def show(self, progress: Progress, _title: str, state: str, *, asked: bool) -> None:
        """One line about the load, and another where it was asked to end."""
        if _ready(sys.stderr.fileno()):
            from holdfast.report.progress import progress_line  # noqa: PLC0415 - not in a short load

            say(state if asked else progress_line(progress))

    def close(self) -> None:
        """Nothing is to be done."""


class _View:
    """A view that each further one is written over. Invariant: the cursor is below its last line."""

    every_s = VIEW_S
    first_s = FIRST_VIEW_S

    def __init__(self) -> None:
        self._descriptor = sys.stderr.fileno()
        self._lines = 0
        self._failed = False

    def show(self, progress: Progress, title: str, state: str, *, asked: bool) -> None:
        """Draws it, if there is somebody to see it."""
        # A load that is planned to be over in a moment would be a flash.
        short = progress.planned_s is not None and progress.planned_s <= _SHORT_S
        if short and progress.elapsed_s < _SHORT_S + FIRST_VIEW_S and not asked:
            return
        if self._failed or not self._in_front() or not _ready(self._descriptor):
            return
        from holdfast.report.progress import progress_view  # noqa: PLC0415 - not in a short load

        columns, rows = self._size()
        view = progress_view(progress, title, state, columns - 1, rows - 1)
        lines = [rendered(line.cut(columns - 1), columns, styled=True).removesuffix("\n") for line in view]
        self._write(self._back(rows) + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self._lines = len(lines)

    def close(self) -> None:
        """Leaves the terminal as it was."""
        if self._lines and not self._failed and self._in_front():
            self._write(self._back(self._size()[1]) + "\x1b[J")
        self._lines = 0

    def _back(self, rows: int) -> str:
        up = min(self._lines, rows - 1)
        return f"\r\x1b[{up}A" if up else "\r"

    def _size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._descriptor)
        except OSError:
            return _USUAL_SIZE
        return columns or _USUAL_SIZE[0], rows or _USUAL_SIZE[1]

    def _in_front(self) -> bool:
        """Whether the terminal is ours now, and not that of whoever put us into the background."""
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return True  # not the terminal that controls us

    def _write(self, text: str) -> None:
        content = text.encode(sys.stderr.encoding, "replace")
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except OSError:
            self._failed = True
