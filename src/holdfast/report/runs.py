"""The list of saved runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from holdfast.model.saved import SavedRun
from holdfast.report.layout import Column, Renderable, Stack, Table, Text


def render_runs(runs: Sequence[SavedRun], limit: int) -> Renderable:
    """One line for each run, up to so many, and one that says how many more there are; times in UTC."""
    if not runs:
        return Text("No runs have been saved yet.")
    titles = ("run", "when (UTC)", "server", "arguments", "offered")
    table = Table(*(Column(each, right=each in {"run", "offered"}) for each in titles))
    for each in runs[:limit]:
        offered = "?" if each.offered is None else str(each.offered)
        table.add_row(str(each.id), _when(each.saved_at), each.server, each.arguments, offered)
    older = len(runs) - limit
    if older > 0:
        are = "older one is" if older == 1 else "older ones are"
        return Stack(table, Text(), Text(f"{older} {are} saved too: holdfast runs --limit {len(runs)}", "dim"))
    return table


def _when(saved_at: float | None) -> str:
    if saved_at is None:
        return "?"
    return datetime.fromtimestamp(saved_at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
