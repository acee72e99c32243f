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
from holdfast.model.experiment import Experiment
from holdfast.model.explanation import Change, Explanation, Trial
from holdfast.model.timeline import Timeline
from holdfast.model.verdict import Verdict
from holdfast.probe.experiment import run

MOST_TRIALS = 12
_MOST_SECONDS = 60.0


def explain(
    experiment: Experiment, up_to: int | None, interrupts: Interrupts, tell: Callable[[str], None]
) -> Explanation:
    """Probes the server as asked, then with one thing changed after another.

    What was proved by then is kept when the end is asked for, and when a trial has no verdict.

    Args:
        up_to: number of requests in service up to which the next bound is looked for; None looks for none.
        tell: is given a line as each trial begins and ends.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: the first probe has no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    began = time.monotonic()
    tell("1: as asked")
    first, verdict = _trial(experiment, None, interrupts, tell)
    assert verdict is not None
    trials, rivals = [first], rivals_of(experiment, verdict)
    while not interrupts.asked and len(trials) < MOST_TRIALS and time.monotonic() - began < _MOST_SECONDS:
        proposal = next_trial(rivals, trials, up_to)
        if proposal is None:
            break
        tell(f"{len(trials) + 1}: {proposal.purpose} ({_said(proposal.changes)})")
        trial, _ = _trial(experiment, proposal, interrupts, tell)
        if interrupts.asked:
            break
        trials.append(trial)
    return replace(
        explanation_of(verdict, rivals, trials),
        seconds=round(time.monotonic() - began, 2),
        interrupted=interrupts.asked,
    )


def _said(changes: tuple[Change, ...]) -> str:
    return ", ".join(f"{each.name}={each.value}" for each in changes)


def _trial(
    experiment: Experiment, proposal: Proposal | None, interrupts: Interrupts, tell: Callable[[str], None]
) -> tuple[Trial, Verdict | None]:
    """One probe; only the first one's failure ends the explanation."""
    began = time.monotonic()
    changes = () if proposal is None else proposal.changes
    changed = experiment if proposal is None else with_changes(experiment, changes, proposal.offered)
    verdict, number, failure = None, None, None
    try:
        timeline = run(changed, interrupts)
        number = _saved(timeline, tell)
        verdict = judge(timeline)
    except HoldfastError as error:
        if proposal is None:
            raise
        failure = error
    trial = _as_trial(verdict, proposal, values_in(changed, verdict), number)
    if failure is not None:
        trial = replace(trial, failure=failure.what, remedy=failure.remedy)
    return replace(trial, seconds=round(time.monotonic() - began, 2)), verdict


def _saved(timeline: Timeline, tell: Callable[[str], None]) -> int | None:
    try:
        return store.save(timeline, store.default_path())
    except EnvironmentFailure as error:
        tell(str(error))
        return None


def _as_trial(
    verdict: Verdict | None, proposal: Proposal | None, values: tuple[Change, ...], number: int | None
) -> Trial:
    purpose, changes = ("", ()) if proposal is None else (proposal.purpose, proposal.changes)
    if verdict is None:
        return Trial(number, purpose, changes, values, 0 if proposal is None else proposal.offered)
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
    )
