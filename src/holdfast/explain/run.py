"""Runs the trials of an explanation, one after the other, and saves each as a run of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from holdfast import store
from holdfast.errors import EnvironmentFailure, HoldfastError
from holdfast.explain.rivals import rivals_of, values_in, with_changes
from holdfast.infer.binding import explanation_of
from holdfast.infer.judge import judge
from holdfast.infer.next_trial import Proposal, next_trial
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import Experiment, command_line_of
from holdfast.model.explanation import Change, Explanation, ExplanationRecord, Trial
from holdfast.model.timeline import Timeline
from holdfast.model.verdict import Verdict
from holdfast.probe.experiment import run

MOST_TRIALS = 12
_MOST_SECONDS = 60.0
# Of requests in service: what is looked for beyond the present ceiling, unless a number is given.
_MORE = 4


def explain(
    experiment: Experiment, up_to: int | None, interrupts: Interrupts, tell: Callable[[str], None]
) -> Explanation:
    """Probes the server as asked, then with one thing changed after another.

    What was proved by then is kept when the end is asked for, and when a trial has no verdict.

    Args:
        up_to: number of requests in service up to which the next bound is looked for; None is four times as many as
            there are, 0 looks for none.
        tell: is given a line as each trial begins and ends.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: the first probe has no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    began = time.monotonic()
    tell("1: as asked")
    verdict, number = _probed(experiment, interrupts, tell)
    first = _as_trial(verdict, None, values_in(experiment, verdict), number, began)
    trials, rivals = [first], rivals_of(experiment, verdict)
    sought = _MORE * (first.in_service or 0) if up_to is None else up_to
    while not _asked(interrupts) and len(trials) < MOST_TRIALS and time.monotonic() - began < _MOST_SECONDS:
        proposal = next_trial(rivals, trials, sought)
        if proposal is None:
            break
        tell(f"{len(trials) + 1}: {proposal.purpose} ({_said(proposal.changes)})")
        trial = _trial(experiment, proposal, interrupts, tell)
        if _asked(interrupts):
            break
        trials.append(trial)
    record = ExplanationRecord(first.run or 0, rivals, tuple(trials), _since(began), interrupts.asked)
    return replace(explanation_of(verdict, record), run=_saved_as(record, experiment, tell))


def shown_again(number: int) -> Explanation:
    """A saved explanation, inferred again from what its trials saw.

    Raises:
        UsageError: it cannot be read, or the run of its first trial cannot.
    """
    path = store.default_path()
    record = store.load_explanation(number, path)
    return replace(explanation_of(judge(store.load(record.first_run, path)), record), run=number)


def _asked(interrupts: Interrupts) -> bool:
    return interrupts.asked


def _said(changes: tuple[Change, ...]) -> str:
    return ", ".join(f"{each.name}={each.value}" for each in changes)


def _trial(experiment: Experiment, proposal: Proposal, interrupts: Interrupts, tell: Callable[[str], None]) -> Trial:
    """One probe with something changed. That it has no verdict may be just what there is to know."""
    began = time.monotonic()
    changed = with_changes(experiment, proposal.changes, proposal.offered)
    try:
        verdict, number = _probed(changed, interrupts, tell)
    except HoldfastError as error:
        failed = _as_trial(None, proposal, values_in(changed, None), None, began)
        return replace(failed, failure=error.what, remedy=error.remedy)
    return _as_trial(verdict, proposal, values_in(changed, verdict), number, began)


def _probed(experiment: Experiment, interrupts: Interrupts, tell: Callable[[str], None]) -> tuple[Verdict, int | None]:
    timeline = run(experiment, interrupts)
    number = _saved(timeline, tell)
    return judge(timeline), number


def _saved(timeline: Timeline, tell: Callable[[str], None]) -> int | None:
    try:
        return store.save(timeline, store.default_path())
    except EnvironmentFailure as error:
        tell(str(error))
        return None


def _saved_as(record: ExplanationRecord, experiment: Experiment, tell: Callable[[str], None]) -> int | None:
    if not record.first_run:
        return None
    try:
        said = " ".join(command_line_of(experiment.target))
        return store.save_explanation(record, said, store.default_path())
    except EnvironmentFailure as error:
        tell(str(error))
        return None


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)


def _as_trial(
    verdict: Verdict | None,
    proposal: Proposal | None,
    values: tuple[Change, ...],
    number: int | None,
    began: float,
) -> Trial:
    purpose = "" if proposal is None else proposal.purpose
    changes = () if proposal is None else proposal.changes
    if verdict is None:
        offered = 0 if proposal is None else proposal.offered
        return Trial(number, purpose, changes, values, offered, seconds=_since(began))
    ceiling = verdict.ceiling
    own, in_service = ceiling.userspace_queue, ceiling.in_service
    return Trial(
        run=number,
        purpose=purpose,
        changes=changes,
        values=values,
        offered=verdict.offered,
        in_service=in_service,
        bounded=ceiling.bounded,
        accepted=None if own is None or in_service is None else in_service + own,
        accepted_bounded=ceiling.userspace_queue_bounded,
        accept_queue=ceiling.accept_queue,
        backlog=ceiling.accept_queue_limit,
        somaxconn=verdict.limits.somaxconn,
        processes=verdict.model.processes,
        cost=verdict.cost,
        seconds=_since(began),
    )
