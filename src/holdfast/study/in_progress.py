"""What is told of a study while it runs: views, or a line as each row begins."""

from __future__ import annotations

import time
from collections.abc import Callable

from holdfast.model.live import LiveProbe, Watch
from holdfast.model.live_study import LiveExplanation, LiveRow, LiveStudy
from holdfast.model.study import Case, Row, Study

_ENOUGH = 3
"""So many rows of a kind must have been measured before their mean says how long the others take."""


class InProgress:
    """How far a study is.

    Args:
        tell: is given a line as each row begins, where there are no views.
        watch: is offered views; None is offered none.
    """

    def __init__(self, study: Study, tell: Callable[[str], None], watch: Watch[LiveStudy] | None) -> None:
        self._cases = study.cases
        self._tell = tell
        self._watch = watch
        self._began_s = time.monotonic()
        self._title = ""
        self._rows: tuple[LiveRow, ...] = ()
        self._row_began_s = self._began_s
        self._run_s: dict[bool, list[float]] = {True: [], False: []}

    @property
    def watch(self) -> Watch[LiveProbe | LiveExplanation] | None:
        """What each row's probe, or its explanation, is watched by; None where no view is shown."""
        return None if self._watch is None else self._offered

    def begin(self, case: Case) -> None:
        """This row is run now."""
        self._row_began_s = time.monotonic()
        self._title = case.title if case.id == case.title else f"{case.id}: {case.title}"
        if self._watch is None:
            self._tell(f"{len(self._rows) + 1}/{len(self._cases)} {self._title}")

    def end(self, case: Case, row: Row) -> None:
        """The row has come to this."""
        ceiling = None if row.verdict is None else row.verdict.ceiling
        at_once = None if ceiling is None else ceiling.in_service
        why_not = "" if at_once is not None else "no number" if ceiling is not None else row.outcome
        self._rows += (LiveRow(self._title, at_once, None if ceiling is None else ceiling.bounded, why_not),)
        if _is_run(case) and row.outcome == "measured":
            self._run_s[is_explained(case)].append(row.seconds)

    def _offered(self, look: Callable[[], LiveProbe | LiveExplanation], /, *, at_once: bool = False) -> None:
        assert self._watch is not None
        self._watch(lambda: self._seen(look()), at_once=at_once)

    def _seen(self, now: LiveProbe | LiveExplanation) -> LiveStudy:
        now_s = time.monotonic()
        return LiveStudy(
            elapsed_s=now_s - self._began_s,
            now=now,
            title=self._title,
            rows=self._rows,
            total=len(self._cases),
            left_s=self._left_s(now_s - self._row_began_s),
        )

    def _left_s(self, in_this_row_s: float) -> float | None:
        """How long the rest takes, this row included; None where too few rows of a kind have been run."""
        this, *others = self._cases[len(self._rows) :]
        left_s = 0.0
        for case in (this, *filter(_is_run, others)):
            run_s = self._run_s[is_explained(case)]
            if len(run_s) < _ENOUGH:
                return None
            usual_s = sum(run_s) / len(run_s)
            left_s += max(0.0, usual_s - in_this_row_s) if case is this else usual_s
        return left_s


def is_explained(case: Case) -> bool:
    """Whether the row is about what decides, which one probe does not show; it takes several times as long."""
    about = (name for claim in case.claims for name in (claim.about or (claim.what,)))
    return any(name == "binding" or name.startswith("binding.") for name in about)


def _is_run(case: Case) -> bool:
    """Whether the row has a run of its own, and not the answer of an earlier one's."""
    return not case.same_run_as
