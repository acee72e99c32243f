"""Many experiments, one after another, and the claims that each of them checks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from holdfast import store
from holdfast.errors import HoldfastError
from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.model.study import Case, Row, StudyResult, check
from holdfast.model.verdict import Verdict
from holdfast.run import run
from holdfast.studies import flask_concurrency

STUDIES: dict[str, tuple[Case, ...]] = {flask_concurrency.NAME: flask_concurrency.CASES}


def run_study(name: str, python: str | None, interrupts: Interrupts, tell: Callable[[str], None]) -> StudyResult:
    """Runs the cases of a study in their order.

    A case that cannot be run has a row that says why; the others are run all the same.

    Args:
        python: interpreter of the servers; None finds it.
        tell: is given one line for each case that begins.
    """
    began = time.monotonic()
    rows: dict[str, Row] = {}
    for case in STUDIES[name]:
        if interrupts.asked:
            rows[case.id] = Row(case.id, case.title, (), None, "interrupted", 0.0)
            continue
        tell(f"{case.id}: {case.title}")
        rows[case.id] = _row(case, python, interrupts, rows, tell)
    return StudyResult(name, tuple(rows.values()), round(time.monotonic() - began, 2))


def _row(
    case: Case, python: str | None, interrupts: Interrupts, rows: dict[str, Row], tell: Callable[[str], None]
) -> Row:
    began = time.monotonic()
    earlier = rows.get(case.same_run_as)
    try:
        verdict = earlier.verdict if earlier is not None else _verdict(case, python, interrupts, tell)
    except HoldfastError as error:
        return Row(case.id, case.title, (), None, f"{error.what} {error.remedy}".strip(), _since(began))
    if verdict is None:
        return Row(case.id, case.title, (), None, f"{case.same_run_as} was not run", _since(began))
    if interrupts.asked:
        # What was in place by then must not be compared with what would have been.
        return Row(case.id, case.title, (), None, "interrupted", _since(began))
    findings = tuple(check(claim, verdict) for claim in case.claims)
    return Row(case.id, case.title, findings, verdict, "", _since(began))


def _verdict(case: Case, python: str | None, interrupts: Interrupts, tell: Callable[[str], None]) -> Verdict:
    timeline = run(replace(case.experiment, python=python), interrupts)
    try:
        store.save(timeline, store.default_path())
    except HoldfastError as error:
        tell(str(error))  # the row is not lost for want of a place to keep its records
    return judge(timeline)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
