"""The list of saved runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.model.saved import SavedRun


def render_runs(runs: Sequence[SavedRun]) -> RenderableType:
    """One line for each run; times in UTC."""
    if not runs:
        return Text("No runs have been saved yet.")
    table = Table(box=None, pad_edge=False)
    for column in ("run", "when (UTC)", "server", "arguments", "offered"):
        table.add_column(column, justify="right" if column in {"run", "offered"} else "left")
    for each in runs:
        when = datetime.fromtimestamp(each.saved_at, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(str(each.id), when, each.server, each.arguments, str(each.offered))
    return table
