"""A ceiling that the application sets itself, and the line at which those wait that it does not let run."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.model.binding import INSIDE, Binding
from holdfast.model.verdict import Verdict
from holdfast.model.waiting import Waiting


def ceiling_of_bodies(verdict: Verdict, run: str) -> Binding | None:
    """The application as what decides, where fewer bodies ran than the server would let run.

    Args:
        run: how the run of the verdict is referred to.

    Returns:
        None where bodies were not run, or none of them waited for its turn.
    """
    running = None if verdict.call is None else verdict.call.running
    allowed = verdict.ceiling.in_service
    if running is None or (allowed is not None and running >= allowed):
        return None
    at_least = "" if verdict.ceiling.bounded else "at least "
    served = () if allowed is None else (f"{run}: the server lets {at_least}{allowed} run",)
    return Binding(
        setting=INSIDE,
        place="in_service",
        configured=None,
        effective=running,
        formula=f"in_service = {running}",
        evidence=(*waiting_points(verdict, "call", run), f"{run}: {running} bodies ran meanwhile", *served),
    )


def waiting_points(verdict: Verdict, phase: str, run: str) -> Iterator[str]:
    """Where requests wait in the application, each as a sentence without its full stop."""
    for each in verdict.waiting or ():
        if each.phase == phase:
            yield f"{run}: {each.requests} {'wait' if each.requests != 1 else 'waits'} {_where(each)}"


def _where(waiting: Waiting) -> str:
    at = "" if waiting.file is None else f"at {waiting.file}:{waiting.line} in {waiting.function}"
    inside = "" if waiting.waits_in is None else f"({waiting.waits_in})" if at else f"in {waiting.waits_in}"
    return " ".join(each for each in (at, inside) if each) or "in the application"
