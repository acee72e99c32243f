"""What a person sees while something is measured: a view on a terminal, or lines where it can show none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from holdfast.console import say
from holdfast.live_terminal import LiveTerminal, terminal_for_views
from holdfast.model.live import LiveProbe, Watch
from holdfast.model.units import NS_PER_S
from holdfast.report.layout import Text, cut_lines

FIRST_VIEW_NS = NS_PER_S // 2
"""A run that is over by then would only flash."""
VIEWS_APART_NS = NS_PER_S // 5
_IMPORTED_NS = NS_PER_S // 20

Seen = TypeVar("Seen")
Said = TypeVar("Said")

View = Callable[[Seen, str, int, int], list[Text]]
"""The lines of what is seen, with this title, for so many columns and rows."""


class Shown(Generic[Seen]):
    """How something is shown while it lasts.

    Attributes:
        tell: takes a line for the person, which stays.
        watch: shows views; None where there is no terminal for them, or none are wanted.
        close: takes the view away, so that something else can be written.
    """

    def __init__(self, tell: Callable[[str], None], watch: Watch[Seen] | None, close: Callable[[], None]) -> None:
        """As the attributes say."""
        self.tell = tell
        self.watch = watch
        self.close = close

    def instead(self, says: Callable[[Said], None]) -> Callable[[Said], None]:
        """The same function, after the view has been taken away."""

        def say_instead(what: Said) -> None:
            self.close()
            says(what)

        return say_instead


@contextmanager
def shown_while_it_lasts(view_of: Callable[[], View[Seen]], title: str, *, quiet: bool) -> Iterator[Shown[Seen]]:
    """Shows what is measured until the end of the block.

    Args:
        view_of: gives the function that draws it, which is imported only when it is needed.
        quiet: nothing is shown, and nothing said.
    """
    terminal = None if quiet else terminal_for_views()
    if terminal is None:
        yield Shown((lambda _line: None) if quiet else say, None, lambda: None)
        return
    try:
        yield Shown(terminal.say, _Views(terminal, view_of, title), terminal.close)
    finally:
        terminal.close()


def probe_view_of() -> View[LiveProbe]:
    """What draws one probe, of `probe`, `exec` and `attach`."""
    from holdfast.report.live_probe import probe_view

    return probe_view


def told_on_a_terminal() -> Callable[[str], None] | None:
    """What tells a person at a terminal how far it is; None for a script, which takes what it is told for a mistake."""
    return say if sys.stderr is not None and sys.stderr.isatty() else None


class _Views(Generic[Seen]):
    """Shows views, no more of them than VIEWS_APART_NS allows; a `Watch`."""

    def __init__(self, terminal: LiveTerminal, view_of: Callable[[], View[Seen]], title: str) -> None:
        self._terminal = terminal
        self._view_of = view_of
        self._title = title
        self._view: View[Seen] | None = None
        self._began_ns = time.monotonic_ns()
        self._next_ns = self._began_ns + FIRST_VIEW_NS

    def __call__(self, look: Callable[[], Seen], /, *, at_once: bool = False) -> None:
        """As `Watch`."""
        now_ns = time.monotonic_ns()
        if self._view is None:
            if now_ns < self._began_ns + _IMPORTED_NS:
                return
            # While the server starts: later it would be a pause between two requests.
            self._view = self._view_of()
        if now_ns < (self._began_ns + FIRST_VIEW_NS if at_once else self._next_ns):
            return
        view, title = self._view, self._title

        def drawn(columns: int, rows: int, styled: bool) -> list[str]:  # noqa: FBT001 - as `live_terminal.Drawn`
            return cut_lines(view(look(), title, columns, rows), columns, styled=styled)

        self._terminal.show(drawn)
        self._next_ns = time.monotonic_ns() + VIEWS_APART_NS
