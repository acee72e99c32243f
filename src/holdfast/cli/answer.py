"""What the commands that end with a verdict have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.api.measuring import Measured
from holdfast.cli.checks import Checks
from holdfast.console import tell
from holdfast.errors import EXIT_ANSWERED, EXIT_ENVIRONMENT, EXIT_INCONCLUSIVE, EnvironmentFailure, HoldfastError
from holdfast.interrupts import Interrupts, Terminated, listening
from holdfast.model.verdict import Verdict
from holdfast.report.layout import Renderable

if TYPE_CHECKING:
    from holdfast.model.check import CheckResult

# Nothing that is needed only after the measurement is imported before it: see benchmarks/start.py.


def measured(measure: Callable[[Interrupts], Measured], json_target: str | None, checks: Checks) -> int:
    """Measures a server, publishes the verdict, and gives the exit code.

    Args:
        measure: the experiment, by way of `api.measuring`.
    """
    with listening(reports=True) as interrupts, _told_before_farewell(interrupts), checks.told_without_result():
        found = measure(interrupts)
    checked = publish(found.verdict, json_target, checks)
    bid_farewell(interrupts)
    code = exit_code(found.verdict, interrupts) if found.unsaved is None else EXIT_ENVIRONMENT
    return checks.exit_code(code, checked)


def bid_farewell(interrupts: Interrupts) -> None:
    """Ends as the signal asks that has ended the run; does nothing where none has.

    Raises:
        Terminated: one has.
    """
    if interrupts.farewell is not None:
        raise Terminated(interrupts.farewell)


@contextmanager
def _told_before_farewell(interrupts: Interrupts) -> Iterator[None]:
    """Tells what went wrong where a signal has ended the run, and ends as that asks."""
    try:
        yield
    except HoldfastError as error:
        if interrupts.farewell is None:
            raise
        tell(error)
        bid_farewell(interrupts)


def publish(verdict: Verdict, json_target: str | None, checks: Checks) -> CheckResult:
    """Shows a verdict and what came of the expectations, and writes both as JSON where that was asked for."""
    return checks.publish(verdict, json_target, partial(_picture, verdict), partial(_json, verdict))


def exit_code(verdict: Verdict, interrupts: Interrupts | None = None) -> int:
    """Answered only if there is a number, and the run was not cut short."""
    cut_short = interrupts is not None and interrupts.asked
    return EXIT_INCONCLUSIVE if cut_short or verdict.ceiling.in_service is None else EXIT_ANSWERED


def working_directory() -> str:
    """The current directory.

    Raises:
        EnvironmentFailure: it was removed, or may not be read.
    """
    try:
        return str(Path.cwd())
    except OSError as error:
        raise EnvironmentFailure(
            "The working directory cannot be found.", str(error), "Change to one that exists and can be read."
        ) from error


def _picture(verdict: Verdict) -> Renderable:
    from holdfast.report.terminal import render_verdict

    return render_verdict(verdict)


def _json(verdict: Verdict, found: CheckResult) -> bytes:
    from holdfast.report.json import verdict_json

    return verdict_json(verdict, found)
