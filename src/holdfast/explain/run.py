"""An explanation from beginning to end: the first probe, the trials, what they show, and advice that was run."""

from __future__ import annotations

import time
from dataclasses import replace

from holdfast import store
from holdfast.errors import EnvironmentFailure
from holdfast.explain.advise import advise
from holdfast.explain.rivals import rivals_of
from holdfast.explain.trials import Bench, first_trial, run_trial, since
from holdfast.infer.binding import explanation_of
from holdfast.infer.judge import judge
from holdfast.infer.next_trial import next_trial
from holdfast.model.advice import Wish
from holdfast.model.experiment import command_line_of
from holdfast.model.explanation import Explanation, ExplanationRecord

MOST_TRIALS = 12
_MOST_SECONDS = 60.0
# Of requests in service: what is looked for beyond the present ceiling, unless a number is given.
_MORE = 4
_MOST_SOUGHT = 1000


def explain(bench: Bench, up_to: int | None = None, wish: Wish | None = None) -> Explanation:
    """Probes the server as asked, then with one thing changed after another.

    What was proved by then is kept when the end is asked for, and when a trial has no verdict.

    Args:
        up_to: number of requests in service up to which the next bound is looked for; None is four times as many as
            there are, 0 looks for none.
        wish: settings are proposed for it, and run; None proposes none.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: the first probe has no verdict.
        KeyboardInterrupt, Terminated: asked to end immediately.
    """
    began = time.monotonic()
    first, verdict = first_trial(bench)
    trials, rivals = [first], rivals_of(bench.experiment, verdict)
    sought = _MORE * (first.in_service or 0) if up_to is None else up_to
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
    record = replace(record, seconds=since(began), interrupted=bench.ended())
    return replace(explanation_of(verdict, record), run=_saved_as(record, bench))


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
