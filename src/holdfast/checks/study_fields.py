"""The fields that an expectation of a study can name: those of the verdict of each row, or of one by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from holdfast.checks.evaluate import check
from holdfast.checks.expectation import Expectation
from holdfast.checks.faults import fault
from holdfast.checks.fields import Fields
from holdfast.checks.syntax import Name
from holdfast.checks.verdict_fields import verdict_fields
from holdfast.model.check import Checked

ROW = "row"


def study_fields() -> Fields:
    """Those of `study`."""
    of_row = verdict_fields()
    return replace(of_row, selectors={ROW: of_row})


def check_names(expectation: Expectation) -> None:
    """Makes sure that an expression is about each row, or about rows that it names.

    Raises:
        UsageError: it names one for one field, and none for another.
    """
    bare = next((each for each in expectation.fields if not each.selector), None)
    if bare is not None and expectation.selected:
        raise fault(
            expectation.text,
            bare.start,
            bare.stop,
            f"of which row {bare.name} is, is not said",
            f"Write row('...').{bare.name}, or name no row at all: then it is expected of each.",
        )


def checked_rows(
    expectation: Expectation, verdicts: Mapping[str, Mapping[str, Any] | None], why_not: Callable[[str], str]
) -> tuple[Checked, ...]:
    """What came of an expectation of a study: once for each row, or once where it names rows.

    Args:
        verdicts: of each row by its name, as JSON has it; None where it was not measured.
        why_not: why a row was not, one sentence without its full stop.
    """
    if expectation.selected:
        return (check(expectation, lambda name: verdicts[name.selected]),)

    def checked(row: str) -> Checked:
        verdict = verdicts[row]
        if verdict is None:
            return Checked(expectation.text, False, {}, f"{row} was not measured: {why_not(row)}", row, "?")  # noqa: FBT003

        def own(_name: Name) -> Mapping[str, Any]:
            assert verdict is not None
            return verdict

        return check(expectation, own, row)

    return tuple(map(checked, verdicts))
