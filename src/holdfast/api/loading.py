"""From a load that was asked for to its result: requests are sent, and their rows saved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from itertools import product

from holdfast import store
from holdfast.api.load_saving import SavingAsItGoes
from holdfast.engine.connecting import check_http2
from holdfast.engine.processes import Watched
from holdfast.engine.quantities import Threshold
from holdfast.engine.target import Target, check_sources
from holdfast.errors import HoldfastError, UsageError
from holdfast.interrupts import Interrupts
from holdfast.loadtest import saved
from holdfast.loadtest.plans import target_at
from holdfast.loadtest.run import FinishedLoad, RunElsewhere, run_load
from holdfast.model.frozen import frozen
from holdfast.model.load import LoadExperiment, LoadResult
from holdfast.model.saved import Asked
from holdfast.model.suggestions import did_you_mean
from holdfast.runs_file import marked

_SHOWN_LABELS = 6
_RANKS = ("p50", "p90", "p95", "p99", "p999", "max")


@frozen
class AskedLoad:
    """A load that was asked for.

    Attributes:
        targets: of each group of the experiment.
        remarks: doubts that are known before it begins; they are among the result's warnings.
    """

    experiment: LoadExperiment
    targets: tuple[Target, ...]
    thresholds: tuple[Threshold, ...] = ()
    remarks: tuple[str, ...] = ()


@frozen
class Loaded:
    """A load that is over, and what became of its rows.

    Attributes:
        finished: its result has the number of the saved run.
        unsaved: why it could not be saved; None where it was, or was not to be.
    """

    finished: FinishedLoad
    unsaved: HoldfastError | None = None


def targets_of(experiment: LoadExperiment, allowed_hosts: Collection[str]) -> tuple[Target, ...]:
    """Looks up the servers that the URLs mean, or that journeys are known to lead to.

    A host that is not loopback must be allowed by name.

    Raises:
        UsageError, EnvironmentFailure: one cannot be loaded.
    """
    if experiment.journeys is not None:
        from holdfast.loadtest.journey_plans import known_origins  # noqa: PLC0415 - of journeys alone

        origins = known_origins(experiment.journeys)
        targets = tuple(target_at(each, allowed_hosts, verify=experiment.verify) for each in origins)
        for target in targets:
            check_sources(experiment.sources, target)
        return targets
    check_http2(asked=any(group.streams is not None for group in experiment.groups))
    targets = tuple(target_at(group.url, allowed_hosts, verify=experiment.verify) for group in experiment.groups)
    for target in targets:
        check_sources(experiment.sources, target)
    return targets


def loaded(
    asked: AskedLoad,
    interrupts: Interrupts,
    view: Callable[[Watched], None] | None = None,
    run_elsewhere: RunElsewhere | None = None,
    *,
    save: bool = True,
) -> Loaded:
    """Carries out a load, saving it as it goes.

    Args:
        view: is called during the load, as `load_runs` says; None shows nothing.
        run_elsewhere: as for `run_load`.
        save: keep its rows among the saved runs.

    Raises:
        UsageError: a threshold is about a label that the load will not have, or no result could hold them all.
        ValueError: a request cannot be sent as it is written.
        EnvironmentFailure: as `run_load`.
    """
    _check_labels(asked)
    _check_bounds(asked.thresholds)
    title = Asked("load", "load", saved.title_of(asked.experiment))
    with marked(title) if save else nullcontext() as mark:
        return _loaded(asked, interrupts, view, run_elsewhere, mark, save=save)


def _check_labels(asked: AskedLoad) -> None:
    """Makes sure that the load can have each label that a threshold names."""
    named = [each for each in asked.thresholds if each.label is not None]
    known = _labels_of(asked.experiment) if named else None
    if known is None:
        return
    for each in named:
        if each.label is not None and each.label not in known:
            raise UsageError(
                f"The load has no label {each.label!r}.",
                f"A threshold is about it: {each.text}",
                did_you_mean(each.label, known, f"Its labels are: {', '.join(list(known)[:_SHOWN_LABELS])}."),
            )


def _labels_of(experiment: LoadExperiment) -> Mapping[str, None] | None:
    """The labels that its rows can have; None where values make some of them."""
    if experiment.journeys is None:
        return dict.fromkeys(step.label for group in experiment.groups for step in group.steps)
    from holdfast.loadtest.journey_plans import labels_of  # noqa: PLC0415 - of journeys alone

    labels = labels_of(experiment.journeys)
    return None if labels is None else dict.fromkeys(labels)


def _check_bounds(thresholds: Sequence[Threshold]) -> None:
    """Makes sure that some result could hold all of them."""
    for low, high in product(thresholds, thresholds):
        if low.relation[0] != ">" or high.relation[0] != "<" or low.label != high.label or low.share != high.share:
            continue
        # A higher percentile is never below a lower one.
        ranked = low.what in _RANKS and high.what in _RANKS and _RANKS.index(low.what) <= _RANKS.index(high.what)
        strict = low.relation == ">" or high.relation == "<"
        if (low.what == high.what or ranked) and (low.bound > high.bound or (strict and low.bound == high.bound)):
            raise UsageError(
                f"No result can hold both {high.text} and {low.text}.",
                "One asks for less than the other asks for at least.",
                "Keep one of them, or correct a bound.",
            )


def _loaded(  # parameters: as of `loaded`, and the mark
    asked: AskedLoad,
    interrupts: Interrupts,
    view: Callable[[Watched], None] | None,
    run_elsewhere: RunElsewhere | None,
    mark: str | None,
    *,
    save: bool,
) -> Loaded:
    experiment, thresholds = asked.experiment, asked.thresholds
    saving = SavingAsItGoes(experiment, thresholds, asked.remarks, mark)
    watch = view
    if save and (view is not None or not saving.is_small):
        watch = saving.with_view(view)
    finished = run_load(experiment, asked.targets, thresholds, interrupts, watch, run_elsewhere)
    finished = finished.with_remarks(*asked.remarks)
    if not save:
        return Loaded(finished)
    try:
        finished = finished.numbered(_saved(finished, saving))
    except HoldfastError as error:
        return Loaded(finished, error)  # the result is not lost if its rows cannot be kept
    store.keep_load(finished.result)
    return Loaded(finished)


def _saved(finished: FinishedLoad, saving: SavingAsItGoes) -> int:
    return store.save_load(
        saved.title_of(finished.experiment),
        finished.result.offered,
        saved.head_of(finished),
        saving.rows_of(finished),
        store.default_path(),
        saving.number,
        saving.mark,
    )


def result_of_load(
    experiment: LoadExperiment,
    allowed_hosts: Collection[str],
    thresholds: tuple[Threshold, ...],
    interrupts: Interrupts,
    *,
    save: bool,
) -> LoadResult:
    """Looks up the servers and loads them.

    Raises:
        UsageError, EnvironmentFailure: as `targets_of`; or a request cannot be sent as it is written.
    """
    try:
        found = loaded(AskedLoad(experiment, targets_of(experiment, allowed_hosts), thresholds), interrupts, save=save)
    except ValueError as error:
        raise UsageError("The load cannot be sent as it is written.", str(error), "Correct that argument.") from error
    return found.finished.result
