"""The list of saved runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.model.instants import shown_instant
from holdfast.model.printable import printable
from holdfast.model.revision import Revision
from holdfast.model.saved import SavedRun
from holdfast.report.layout import Column, Indent, Line, Renderable, Stack, Table, Text

_SHORT = 8
_TO_THE_MINUTE = len("2026-11-30 12:00")
_GAP = 2
_INDENT = 5
_LEAST = 24
"""Columns that arguments are not squeezed into fewer of."""


def render_runs(runs: Sequence[SavedRun], limit: int, *, filtered: bool = False) -> Renderable:
    """One line for each run, up to so many, and one that says how many more there are; times in UTC.

    Args:
        filtered: only some were asked for.
    """
    if not runs:
        return Text("No saved run is like that." if filtered else "No runs have been saved yet.")
    listed = _Rows(runs[:limit])
    older = len(runs) - limit
    if older > 0:
        are = "older one is" if older == 1 else "older ones are"
        like = " like that" if filtered else ""
        more = Text(f"{older} {are} saved too{like}: holdfast runs --limit {len(runs)}", "dim")
        return Stack(listed, Text(), more)
    return listed


class _Rows:
    """The runs as a table; where that leaves no room for their arguments, these have a line of their own."""

    def __init__(self, runs: Sequence[SavedRun]) -> None:
        self._runs = runs
        self._of_commits = any(each.revision is not None and each.revision.commit for each in runs)

    def lines(self, width: int) -> Iterator[Line]:
        """As `Renderable`."""
        short = [self._cells(each) for each in self._runs]
        titles = ["run", "when (UTC)", "server", "offered", "ceiling", *(["commit"] if self._of_commits else [])]
        taken = sum(max(map(len, column)) + _GAP for column in zip(titles, *short, strict=True))
        longest = max(len(each.arguments) for each in self._runs)
        if width - taken >= min(longest, _LEAST):
            table = _table([*titles, "arguments"])
            for each, cells in zip(self._runs, short, strict=True):
                table.add_row(*cells, each.arguments)
            yield from table.lines(width)
            return
        table = _table(titles)
        for cells in short:
            table.add_row(*cells)
        head, *rows = table.lines(width)
        yield head
        for each, row in zip(self._runs, rows, strict=True):
            yield row
            if each.arguments:
                yield from Indent(Text(each.arguments, "dim"), _INDENT).lines(width)

    def _cells(self, run: SavedRun) -> list[str]:
        """All but the arguments."""
        return [
            "-" if run.id is None else str(run.id),
            "?" if run.saved_at is None else shown_instant(run.saved_at)[:_TO_THE_MINUTE],
            printable(run.server),
            "?" if run.offered is None else str(run.offered),
            _ceiling(run),
            *([shown_revision(run.revision)] if self._of_commits else []),
        ]


def _table(titles: Sequence[str]) -> Table:
    """A table with these columns, of which only the arguments are wrapped."""
    right = {"run", "offered", "ceiling"}
    return Table(*(Column(each, right=each in right, whole=each != "arguments") for each in titles), gap=_GAP)


def shown_revision(revision: Revision | None) -> str:
    """The beginning of a commit's name, with a + where the tree had changes; "" where there is none."""
    if revision is None or revision.commit is None:
        return ""
    return revision.commit[:_SHORT] + ("+" if revision.changed else "")


def _ceiling(run: SavedRun) -> str:
    if run.ceiling is None:
        return ""
    return f"{run.ceiling}+" if run.bounded is False else str(run.ceiling)
