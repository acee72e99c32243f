"""One probe of an explanation: an experiment with something changed -> what it saw, and its number as a saved run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from holdfast import store
from holdfast.errors import HoldfastError
from holdfast.explaining.in_progress import InProgress
from holdfast.explaining.rivals import values_in, with_changes
from holdfast.infer.judge import judge
from holdfast.infer.trial_values import Proposal
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import DEFAULT_MAX_OFFERED, Experiment
from holdfast.model.frozen import frozen
from holdfast.model.live import Watch
from holdfast.model.live_study import LiveExplanation
from holdfast.model.timeline import Timeline
from holdfast.model.trial import Change, Trial
from holdfast.model.verdict import Verdict
from holdfast.probing.experiment import run
from holdfast.rundir import room_for_a_run, run_directory

_MANY = 8


@frozen
class Bench:
    """What all trials have in common.

    Attributes:
        experiment: as asked.
        tell: is given a line where something could not be done, and as each step after the trials begins.
        progress: is told of each trial.
        scratch: a directory for copies of the server's configuration files.
        saves: each probe is kept among the saved runs.
    """

    experiment: Experiment
    interrupts: Interrupts
    tell: Callable[[str], None]
    scratch: Path
    progress: InProgress
    saves: bool = True

    def ended(self) -> bool:
        """Whether the person asked for the end."""
        return self.interrupts.asked


@contextmanager
def bench_for(
    experiment: Experiment,
    interrupts: Interrupts,
    tell: Callable[[str], None],
    watch: Watch[LiveExplanation] | None = None,
    *,
    saves: bool = True,
) -> Iterator[Bench]:
    """A bench, whose directory is removed in the end.

    Args:
        tell: is given a line as each trial begins too, where there are no views.
        watch: is offered views; None is offered none.
        saves: as in `Bench`.

    Raises:
        EnvironmentFailure: it has no room for that directory.
    """
    with run_directory(room_for_a_run()) as scratch:
        yield Bench(experiment, interrupts, tell, scratch, InProgress(tell, watch), saves)


def first_trial(bench: Bench) -> tuple[Trial, Verdict]:
    """The probe as asked.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: it has no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    began = time.monotonic()
    bench.progress.begin(1)
    timeline, verdict, number = _probed(bench.experiment, bench)
    trial = _as_trial(timeline, verdict, values_in(bench.experiment, verdict))
    trial = replace(trial, run=number, seconds=since(began))
    bench.progress.end(trial)
    return trial, verdict


def run_trial(proposal: Proposal, number: int, bench: Bench) -> Trial:
    """One probe with something changed. That it has no verdict may be just what there is to know.

    Where workers take requests unevenly, a few may leave places of one of them free: then once more, with many.

    Raises:
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    began = time.monotonic()
    bench.progress.begin(number, proposal.purpose, proposal.changes)
    try:
        changed = with_changes(bench.experiment, proposal.changes, proposal.offered, bench.scratch)
        timeline, verdict, run_number = _probed(changed, bench)
        if _left_some_free(verdict) and not bench.ended():
            many = max(proposal.offered, min(_MANY * proposal.offered, DEFAULT_MAX_OFFERED))
            timeline, verdict, run_number = _probed(replace(changed, max_offered=many), bench)
        trial = replace(_as_trial(timeline, verdict, values_in(changed, verdict)), run=run_number)
    except HoldfastError as error:
        values = {**{each.name: each.value for each in values_in(bench.experiment, None)}}
        values |= {each.name: each.value for each in proposal.changes}
        known = tuple(Change(name, value) for name, value in values.items())
        failure = " ".join(part for part in (error.what, _last_of_log(error.why)) if part)
        trial = Trial(None, "", (), known, proposal.offered, failure=failure, remedy=error.remedy)
    trial = replace(trial, purpose=proposal.purpose, changes=proposal.changes, seconds=since(began))
    bench.progress.end(trial)
    return trial


def _last_of_log(why: str) -> str:
    """The last line of the server's own words in an error's cause, as a sentence; "" where it has said nothing."""
    lines = [each.strip().removeprefix("|").strip() for each in why.splitlines() if each.strip().startswith("|")]
    said = next((each for each in reversed(lines) if each), "")
    return f"Its log ends with: {said}" if said else ""


def _left_some_free(verdict: Verdict) -> bool:
    """Whether requests waited although the ceiling was not met for sure."""
    return verdict.ceiling.bounded is False and (verdict.ceiling.in_service or 0) < verdict.offered


def since(began: float) -> float:
    """Seconds since an instant of `time.monotonic`."""
    return round(time.monotonic() - began, 2)


def _probed(experiment: Experiment, bench: Bench) -> tuple[Timeline, Verdict, int | None]:
    timeline = run(experiment, bench.interrupts, watch=bench.progress.watch)
    if not bench.saves:
        return timeline, judge(timeline), None
    number = store.save_or_tell(timeline, lambda error: bench.tell(str(error)))
    return timeline, store.concluded(number, partial(judge, timeline)), number


def _as_trial(timeline: Timeline, verdict: Verdict, values: tuple[Change, ...]) -> Trial:
    ceiling, usage, streams = verdict.ceiling, timeline.usage, verdict.http2
    own, in_service = ceiling.userspace_queue, ceiling.in_service
    return Trial(
        run=None,
        purpose="",
        changes=(),
        values=values,
        offered=verdict.offered,
        in_service=in_service,
        bounded=ceiling.bounded,
        accepted=None if own is None or in_service is None else in_service + own,
        accepted_bounded=ceiling.userspace_queue_bounded,
        accept_queue=ceiling.accept_queue,
        before_view=verdict.places.before_view,
        streams=None if streams is None or not streams.on_one_connection_bounded else streams.on_one_connection,
        backlog=ceiling.accept_queue_limit,
        somaxconn=verdict.limits.somaxconn,
        processes=verdict.model.processes,
        cost=verdict.cost,
        # What the first request leaves behind belongs to the server at rest.
        rest_bytes=usage[min(1, len(usage) - 1)].memory_bytes if usage else None,
        full_bytes=usage[-1].memory_bytes if len(usage) > 1 else None,
    )
