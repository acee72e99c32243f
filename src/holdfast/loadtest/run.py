"""One load run: what a person asked for -> schedule -> rows -> result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from holdfast.engine.collect import LoadRun
from holdfast.engine.plan import Plan, Stop
from holdfast.engine.processes import Watched, load_runs
from holdfast.engine.quantities import Threshold
from holdfast.engine.target import Target
from holdfast.interrupts import Interrupts
from holdfast.loadtest.plans import plans_of
from holdfast.loadtest.result import result_of
from holdfast.loadtest.wall_clock import wall_clock_offset_ns
from holdfast.model.frozen import frozen
from holdfast.model.load import LoadExperiment, LoadResult

RunElsewhere = Callable[[LoadExperiment, Sequence[Target], Sequence[Plan], Callable[[], Stop]], LoadRun]
"""Carries out an experiment's plans on other hosts (`cluster.coordinator`)."""


@frozen
class FinishedLoad:
    """A load run that is over: its rows and its result.

    Attributes:
        labels: the label of each step of each group; () of journeys, whose rows know them.
        experiment: what was asked.
        remarks: doubts about the load that were known before it began; they are also among the result's warnings.
    """

    run: LoadRun
    result: LoadResult
    labels: tuple[tuple[str, ...], ...]
    experiment: LoadExperiment
    remarks: tuple[str, ...] = ()

    def with_remarks(self, *remarks: str) -> FinishedLoad:
        """The same load, with these words among its warnings."""
        result = replace(self.result, warnings=(*self.result.warnings, *remarks))
        return replace(self, result=result, remarks=(*self.remarks, *remarks))

    def numbered(self, run: int) -> FinishedLoad:
        """The same load, as it was saved."""
        return replace(self, result=replace(self.result, run=run))


def run_load(
    experiment: LoadExperiment,
    targets: Sequence[Target],
    thresholds: Sequence[Threshold],
    interrupts: Interrupts,
    watch: Callable[[Watched], None] | None = None,
    run_elsewhere: RunElsewhere | None = None,
) -> FinishedLoad:
    """Carries out a load run.

    After the first Ctrl-C, requests in flight are still waited for; the second one gives them up. Both leave a result.

    Args:
        targets: of each group, or of each origin of the journeys that is known before (`journey_plans`).
        watch: as in `load_runs`.
        run_elsewhere: carries the load out on other hosts, which `watch` does not see; None does so here.

    Raises:
        ValueError: a request cannot be sent as it is written.
        EnvironmentFailure: an address cannot be connected to at all, or the other hosts cannot be reached.
    """

    def stopped() -> Stop:
        if interrupts.leaving:
            return Stop.AT_ONCE
        return Stop.DRAIN if interrupts.asked else Stop.NOT

    # Read once, at the start: a step of the wall clock during the run moves nothing.
    offset_ns = wall_clock_offset_ns()
    if experiment.journeys is not None:
        run = _run_journeys(experiment, targets, stopped, watch, run_elsewhere)
        interrupted = interrupts.asked or interrupts.leaving
        return finished_load(experiment, run, thresholds, offset_ns, interrupted=interrupted)
    plans = plans_of(experiment, targets)
    if run_elsewhere is None:
        run = load_runs(plans, stopped, rule=experiment.stop, watch=watch)
    else:
        run = run_elsewhere(experiment, targets, plans, stopped)
    interrupted = interrupts.asked or interrupts.leaving
    return finished_load(experiment, run, thresholds, offset_ns, interrupted=interrupted)


def _run_journeys(
    experiment: LoadExperiment,
    targets: Sequence[Target],
    stopped: Callable[[], Stop],
    watch: Callable[[Watched], None] | None,
    run_elsewhere: RunElsewhere | None,
) -> LoadRun:
    from holdfast.loadtest.journey_plans import journey_plan, with_particulars  # noqa: PLC0415 - of journeys alone

    plan = journey_plan(experiment, targets)
    if run_elsewhere is not None:
        return with_particulars(run_elsewhere(experiment, targets, (plan,), stopped), plan)
    return with_particulars(load_runs((plan,), stopped, rule=experiment.stop, watch=watch), plan)


def finished_load(
    experiment: LoadExperiment,
    run: LoadRun,
    thresholds: Sequence[Threshold],
    offset_ns: int | None,
    *,
    interrupted: bool = False,
) -> FinishedLoad:
    """A run that is over, with its result.

    Args:
        offset_ns: turns an instant of the run into one since the epoch; None is not known.
        interrupted: a person ended it early.
    """
    labels = tuple(tuple(step.label for step in group.steps) for group in experiment.groups)
    result = replace(
        result_of(experiment, run, labels, thresholds), wall_clock_offset_ns=offset_ns, interrupted=interrupted
    )
    return FinishedLoad(run, result, labels, experiment)
