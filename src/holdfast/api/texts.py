"""Results as a terminal shows them; pure."""

from __future__ import annotations

from holdfast.model.capacity import Capacity
from holdfast.model.explanation import Explanation
from holdfast.model.load import LoadResult
from holdfast.model.printable import printable
from holdfast.model.verdict import Verdict
from holdfast.report.capacity import render_capacity
from holdfast.report.explain import render_explanation
from holdfast.report.layout import rendered
from holdfast.report.load import render_load
from holdfast.report.terminal import render_verdict


def text_of(result: Verdict | Explanation | Capacity | LoadResult, columns: int) -> str:
    """What a terminal of so many columns shows of a result, without colours."""
    if isinstance(result, Verdict):
        return printable(rendered(render_verdict(result), columns, styled=False))
    if isinstance(result, Explanation):
        return printable(rendered(render_explanation(result), columns, styled=False))
    if isinstance(result, Capacity):
        return printable(rendered(render_capacity(result), columns, styled=False))
    return printable(rendered(render_load(result), columns, styled=False))
