"""The list of saved runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from holdfast.model.saved import SavedRun
from holdfast.report.layout import Column, Renderable, Table, Text


def render_runs(runs: Sequence[SavedRun]) -> Renderable:
    """One line for each run; times in UTC."""
    if not runs:
        return Text("No runs have been saved yet.")
    titles = ("run", "when (UTC)", "server", "arguments", "offered")
    table = Table(*(Column(each, right=each in {"run", "offered"}) for each in titles))
    for each in runs:
        when = datetime.fromtimestamp(each.saved_at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(str(each.id), when, each.server, each.arguments, str(each.offered))
    return table
