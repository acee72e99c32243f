"""The list of saved runs."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.instants import shown_instant
from holdfast.model.revision import Revision
from holdfast.model.saved import SavedRun
from holdfast.report.layout import Column, Renderable, Stack, Table, Text

_SHORT = 8


def render_runs(runs: Sequence[SavedRun], limit: int, *, filtered: bool = False) -> Renderable:
    """One line for each run, up to so many, and one that says how many more there are; times in UTC.

    Args:
        filtered: only some were asked for.
    """
    if not runs:
        return Text("No saved run is like that." if filtered else "No runs have been saved yet.")
    listed = runs[:limit]
    of_commits = any(each.revision is not None and each.revision.commit for each in listed)
    titles = ["run", "when (UTC)", "server", "arguments", "offered", "ceiling", *(["commit"] if of_commits else [])]
    right = {"run", "offered", "ceiling"}
    table = Table(*(Column(each, right=each in right, whole=each in {"commit", "when (UTC)"}) for each in titles))
    for each in listed:
        table.add_row(
            "-" if each.id is None else str(each.id),
            "?" if each.saved_at is None else shown_instant(each.saved_at),
            each.server,
            each.arguments,
            "?" if each.offered is None else str(each.offered),
            _ceiling(each),
            *([shown_revision(each.revision)] if of_commits else []),
        )
    older = len(runs) - limit
    if older > 0:
        are = "older one is" if older == 1 else "older ones are"
        like = " like that" if filtered else ""
        more = Text(f"{older} {are} saved too{like}: holdfast runs --limit {len(runs)}", "dim")
        return Stack(table, Text(), more)
    return table


def shown_revision(revision: Revision | None) -> str:
    """The beginning of a commit's name, with a + where the tree had changes; "" where there is none."""
    if revision is None or revision.commit is None:
        return ""
    return revision.commit[:_SHORT] + ("+" if revision.changed else "")


def _ceiling(run: SavedRun) -> str:
    if run.ceiling is None:
        return ""
    return f"{run.ceiling}+" if run.bounded is False else str(run.ceiling)
