"""An explanation from beginning to end: the first probe, the trials, what they show, and advice that was run."""

from __future__ import annotations

import time
from dataclasses import replace

from holdfast import store
from holdfast.errors import EnvironmentFailure, HoldfastError
from holdfast.explain.advise import advise
from holdfast.explain.overload import OverloadOptions, run_overload
from holdfast.explain.rivals import rivals_of
from holdfast.explain.silent import run_silent
from holdfast.explain.trials import Bench, first_trial, run_trial, since
from holdfast.infer.binding import explanation_of
from holdfast.infer.judge import judge
from holdfast.infer.next_trial import next_trial
from holdfast.model.advice import Wish
from holdfast.model.experiment import command_line_of
from holdfast.model.explanation import Explanation, ExplanationRecord
from holdfast.model.frozen import frozen

MOST_TRIALS = 12
_MOST_SECONDS = 60.0
# Of requests in service: what is looked for beyond the present ceiling, unless a number is given.
_MORE = 4
_MOST_SOUGHT = 1000


@frozen
class Asked:
    """What is asked besides which setting decides.

    Attributes:
        up_to: number of requests in service up to which the next bound is looked for; None is four times as many as
            there are, 0 looks for none.
        wish: settings are proposed for it, and run; None proposes none.
        overload: put the server under more load than its ceiling too.
        service_s: how long a handler takes then; None is as long as the application's own.
        health_path: of the health check meanwhile; "" is the same path.
        silent: try silent clients too.
    """

    up_to: int | None = None
    wish: Wish | None = None
    overload: bool = False
    service_s: float | None = None
    health_path: str = ""
    silent: bool = False


def explain(bench: Bench, asked: Asked) -> Explanation:
    """Probes the server as asked, then with one thing changed after another.

    What was proved by then is kept when the end is asked for, and when a trial has no verdict.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: the first probe has no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    began = time.monotonic()
    first, verdict = first_trial(bench)
    trials, rivals = [first], rivals_of(bench.experiment, verdict)
    wish = asked.wish
    sought = _MORE * (first.in_service or 0) if asked.up_to is None else asked.up_to
    # The one trial may serve both. How much memory more of them take is asked before they are proposed.
    sought = sought if wish is None else max(sought, min(wish.at_once, _MOST_SOUGHT))
    while not bench.ended() and len(trials) < MOST_TRIALS and time.monotonic() - began < _MOST_SECONDS:
        proposal = next_trial(rivals, trials, sought)
        if proposal is None:
            break
        trial = run_trial(proposal, len(trials) + 1, bench)
        if bench.ended():
            break
        trials.append(trial)
    record = ExplanationRecord(first.run or 0, rivals, tuple(trials), 0.0)
    if wish is not None:
        record = replace(record, advice=advise(wish, record, bench))
    record = _with_clients(record, asked, bench)
    record = replace(record, seconds=since(began), interrupted=bench.ended())
    return replace(explanation_of(verdict, record), run=_saved_as(record, bench))


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
            record = replace(record, silent=run_silent(bench.experiment, bench.interrupts, bench.tell))
    except HoldfastError as error:
        # What was proved before is worth more than what could not be done.
        bench.tell(str(error))
    return record


def shown_again(number: int) -> Explanation:
    """A saved explanation, inferred again from what its trials saw.

    Raises:
        UsageError: it cannot be read, or the run of its first trial cannot.
    """
    path = store.default_path()
    record = store.load_explanation(number, path)
    return replace(explanation_of(judge(store.load(record.first_run, path)), record), run=number)


def _saved_as(record: ExplanationRecord, bench: Bench) -> int | None:
    if not record.first_run:
        return None
    try:
        said = " ".join(command_line_of(bench.experiment.target))
        return store.save_explanation(record, said, store.default_path())
    except EnvironmentFailure as error:
        bench.tell(str(error))
        return None
