"""The table of a study: what the source says, what was measured here, and why they differ."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.model.study import Finding, StudyResult

_SAME = {True: ("yes", "green"), False: ("no", "yellow"), None: ("not measured", "red")}


def render_study(result: StudyResult) -> RenderableType:
    """One line for each claim, grouped by experiment."""
    table = Table(title=result.name, title_justify="left", pad_edge=False, show_lines=False)
    for column in ("", "experiment", "", "article", "here", "same?", "why not"):
        table.add_column(column, overflow="fold")
    for row in result.rows:
        if row.skipped:
            table.add_row(row.id, row.title, "", "", Text("skipped", style="red"), "", row.skipped, end_section=True)
        for index, finding in enumerate(row.findings):
            lead = (row.id, row.title) if index == 0 else ("", "")
            table.add_row(*lead, *_cells(finding), end_section=index == len(row.findings) - 1)
    return Group(table, Text(f"The whole study took {result.seconds:.0f} s."))


def _cells(finding: Finding) -> tuple[str | Text, ...]:
    word, colour = _SAME[finding.same]
    return finding.what, finding.claimed, finding.here or "", Text(word, style=colour), finding.why_not
