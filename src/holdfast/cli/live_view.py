"""What a person sees while a probe runs: a view on a terminal, or a line now and then where it can show none."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from holdfast.console import say
from holdfast.live_terminal import LiveTerminal, terminal_for_views
from holdfast.model.experiment import StartedTarget, command_line_of
from holdfast.model.frozen import frozen
from holdfast.model.live import LiveProbe, Watch
from holdfast.model.units import NS_PER_S
from holdfast.report.layout import Text, cut_lines

FIRST_VIEW_NS = NS_PER_S // 2
"""A run that is over by then would only flash."""
VIEWS_APART_NS = NS_PER_S // 5
_IMPORTED_NS = NS_PER_S // 20

T = TypeVar("T")

Drawn = Callable[[LiveProbe, int, int], list[Text]]
"""A view of a probe for so many columns and rows."""


@frozen
class Shown:
    """How a run is shown while it lasts.

    Attributes:
        tell: takes a line for the person; None where a view says the same, or nothing is to be said.
        watch: shows views; None where there is no terminal for them.
        close: takes the view away, so that something else can be written.
    """

    tell: Callable[[str], None] | None
    watch: Watch | None
    close: Callable[[], None]

    def instead(self, says: Callable[[T], None]) -> Callable[[T], None]:
        """The same function, after the view has been taken away."""

        def say_instead(what: T) -> None:
            self.close()
            says(what)

        return say_instead


@contextmanager
def shown_while_it_runs(target: StartedTarget, *, quiet: bool) -> Iterator[Shown]:
    """Shows a probe of this server until the end of the block.

    Args:
        quiet: nothing is shown.
    """
    terminal = None if quiet else terminal_for_views()
    if terminal is None:
        yield Shown(None if quiet else told_on_a_terminal(), None, lambda: None)
        return
    title = shlex.join(command_line_of(target))

    def view(probe: LiveProbe, columns: int, rows: int) -> list[Text]:
        from holdfast.report.live_probe import probe_view

        return probe_view(probe, title, columns, rows)

    try:
        yield Shown(None, Views(terminal, view), terminal.close)
    finally:
        terminal.close()


def told_on_a_terminal() -> Callable[[str], None] | None:
    """What tells a person at a terminal how far it is; None for a script, which takes what it is told for a mistake."""
    return say if sys.stderr is not None and sys.stderr.isatty() else None


class Views:
    """Shows views, no more of them than VIEWS_APART_NS allows; a `Watch`."""

    def __init__(self, terminal: LiveTerminal, view: Drawn) -> None:
        """The run begins."""
        self._terminal = terminal
        self._view = view
        self._imported = False
        self._began_ns = time.monotonic_ns()
        self._next_ns = self._began_ns + FIRST_VIEW_NS

    def __call__(self, look: Callable[[], LiveProbe], /, *, at_once: bool = False) -> None:
        """As `Watch`."""
        now_ns = time.monotonic_ns()
        if not self._imported and now_ns >= self._began_ns + _IMPORTED_NS:
            # While the server starts: later it would be a pause between two requests.

            self._imported = True
        if now_ns < self._next_ns and not (at_once and now_ns >= self._began_ns + FIRST_VIEW_NS):
            return
        self._terminal.show(self._drawn(look()))
        self._next_ns = time.monotonic_ns() + VIEWS_APART_NS

    def _drawn(self, probe: LiveProbe) -> Callable[[int, int, bool], list[str]]:
        def drawn(columns: int, rows: int, styled: bool) -> list[str]:  # noqa: FBT001 - as `live_terminal.Drawn`
            return cut_lines(self._view(probe, columns, rows), columns, styled=styled)

        return drawn
