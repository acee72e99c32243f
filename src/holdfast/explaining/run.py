"""An explanation from beginning to end: the first probe, the trials, what they show, and advice that was run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from holdfast import store
from holdfast.errors import HoldfastError
from holdfast.explaining.advise import advise
from holdfast.explaining.overload import OverloadOptions, run_overload
from holdfast.explaining.rivals import rivals_of
from holdfast.explaining.silent import Wanted, run_silent
from holdfast.explaining.trials import Bench, first_trial, run_trial, since
from holdfast.infer.binding import explanation_of
from holdfast.infer.evidence import as_found
from holdfast.infer.further_bindings import bodies_that_run
from holdfast.infer.judge import judge
from holdfast.infer.next_trial import MORE, next_trial
from holdfast.model.advice import Wish
from holdfast.model.asked import asked_to_explain
from holdfast.model.explanation import Explanation, ExplanationRecord
from holdfast.model.frozen import frozen
from holdfast.model.silent import DEFAULT_PATIENCE_S
from holdfast.model.trial import Rival, Trial
from holdfast.model.verdict import of_run
from holdfast.runs_file import marked

MOST_TRIALS = 12
_MOST_SECONDS = 60.0
# Of the longest trial so far: where already the first one takes long, there is time for one more.
_TIMES = 2.5
_MOST_SOUGHT = 1000


@frozen
class Asked:
    """What is asked besides which setting decides.

    Attributes:
        up_to: number of requests in service up to which the next bound is looked for, as of `next_trial`.
        wish: settings are proposed for it, and run; None proposes none.
        overload: put the server under more load than its ceiling too.
        service_s: how long a handler takes then; None is as long as the application's own.
        health_path: of the health check meanwhile; "" is the same path.
        silent: try silent clients too.
        patience_s: how long to look what becomes of them.
    """

    up_to: int | None = None
    wish: Wish | None = None
    overload: bool = False
    service_s: float | None = None
    health_path: str = ""
    silent: bool = False
    patience_s: float = DEFAULT_PATIENCE_S


def explain(bench: Bench, asked: Asked) -> Explanation:
    """Probes the server as asked, then with one thing changed after another.

    What was proved by then is kept when the end is asked for, and when a trial has no verdict.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: the first probe has no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    with marked(asked_to_explain(bench.experiment)) as mark:
        return _explained(bench, asked, mark)


def _explained(bench: Bench, asked: Asked, mark: str | None) -> Explanation:
    began = time.monotonic()
    bench.progress.bounded(began + _MOST_SECONDS, MOST_TRIALS)
    first, verdict = first_trial(bench)
    rivals = rivals_of(bench.experiment, verdict)
    wish = asked.wish
    sought = asked.up_to
    if wish is not None:
        # The one trial may serve both. How much memory more of them take is asked before they are proposed.
        sought = max(MORE * (first.in_service or 0) if sought is None else sought, min(wish.at_once, _MOST_SOUGHT))
    trials, out_of_time = _further_trials(first, rivals, sought, began, bench)
    rivals = as_found(rivals, (first, *trials))
    record = ExplanationRecord(first.run or 0, rivals, (first, *trials), 0.0, out_of_time=out_of_time)
    bench.progress.bounded(None, None)
    if wish is not None:
        record = replace(record, advice=advise(wish, record, bodies_that_run(verdict), bench))
    record = _with_clients(record, asked, bench)
    record = replace(record, seconds=since(began), interrupted=bench.ended())
    number = _saved_as(record, bench, mark)
    found = replace(explanation_of(verdict, record), run=number)
    store.keep_explanation(found)
    return found


def _with_clients(record: ExplanationRecord, asked: Asked, bench: Bench) -> ExplanationRecord:
    """What becomes of the server as it was started under overload, and with silent clients, where that was asked."""
    first = record.trials[0]
    try:
        if asked.overload and not bench.ended():
            bench.tell("overload")
            ceiling = first.in_service if first.bounded else None
            options = OverloadOptions(health_path=asked.health_path)
            seen = run_overload(bench.experiment, ceiling, asked.service_s, bench.interrupts, bench.tell, options)
            record = replace(record, overload=seen)
        if asked.silent and not bench.ended():
            bench.tell("silent clients")
            wanted = Wanted(patience_s=asked.patience_s)
            record = replace(record, silent=run_silent(bench.experiment, bench.interrupts, bench.tell, wanted))
    except HoldfastError as error:
        # What was proved before is worth more than what could not be done.
        bench.tell(str(error))
    return record


def _further_trials(
    first: Trial, rivals: Sequence[Rival], sought: int | None, began: float, bench: Bench
) -> tuple[tuple[Trial, ...], bool]:
    """The trials after the first, and whether time was up before they had decided all that they could.

    A trial that is not over in time is ended and left out.
    """
    trials, longest = [first], first.seconds
    until = began + max(_MOST_SECONDS, _TIMES * longest)
    bench.progress.bounded(until, MOST_TRIALS)
    while not bench.ended() and len(trials) < MOST_TRIALS:
        bench.progress.narrowed(rivals, trials)
        proposal = next_trial(rivals, trials, sought)
        if proposal is None:
            break
        if len(trials) > 1 and time.monotonic() + longest > until:
            return tuple(trials[1:]), True
        with bench.interrupts.until(until):
            trial = run_trial(proposal, len(trials) + 1, bench)
            over = bench.ended()
        if over:
            return tuple(trials[1:]), not bench.ended()
        trials.append(trial)
        longest = max(longest, trial.seconds)
    return tuple(trials[1:]), False


def shown_again(number: int) -> Explanation:
    """A saved explanation, inferred again from what its trials saw.

    Raises:
        UsageError: it cannot be read, or the run of its first trial cannot.
    """
    path = store.default_path()
    record = store.load_explanation(number, path)
    verdict = of_run(judge(store.load(record.first_run, path)), record.first_run)
    return replace(explanation_of(verdict, record), run=number)


def _saved_as(record: ExplanationRecord, bench: Bench, mark: str | None) -> int | None:
    if not record.first_run:
        return None
    try:
        experiment = bench.experiment
        return store.save_explanation(
            record, asked_to_explain(experiment), store.default_path(), Path(experiment.cwd), mark
        )
    except HoldfastError as error:
        bench.tell(str(error))
        return None
