"""Settings for what a person wants: proposed by the law that was shown, run, and proposed anew by what came of it."""

from __future__ import annotations

import time

from holdfast.explaining.rivals import with_changes
from holdfast.explaining.trials import Bench, run_trial
from holdfast.infer.advice import fulfils, too_few_bodies
from holdfast.infer.binding import next_bound
from holdfast.infer.evidence import proved_laws
from holdfast.infer.laws import Law
from holdfast.infer.proposal import Settings, most_that_fits, proposed
from holdfast.infer.trial_values import BEYOND, Proposal
from holdfast.model.advice import AdviceRecord, Attempt, Wish
from holdfast.model.experiment import DEFAULT_MAX_OFFERED, CommandTarget, Experiment, ProbeTarget
from holdfast.model.explanation import ExplanationRecord
from holdfast.model.trial import Change, Rival, Trial, named
from holdfast.observe.limits import available_memory

_MOST_ATTEMPTS = 6
_MOST_SECONDS = 40.0
_STEP = 8
_FEW = 500
MOST_RUN = 5000
"""Requests at once of the largest proposal: what is said of more follows from the law and was not run."""
# Of the memory that the machine has left: the rest is for the load, and for what else runs here.
_OF_AVAILABLE = 0.8


def advise(wish: Wish, record: ExplanationRecord, bodies: int | None, bench: Bench) -> AdviceRecord:
    """Proposes settings and runs them until they fulfil the wish, or it is known why none do.

    Args:
        bodies: as of `advice_of`.
    """
    first = record.trials[0]
    if fulfils(first, wish) or too_few_bodies(wish, bodies, named(first)) or bench.ended():
        return AdviceRecord(wish, ())
    laws = proved_laws(record.rivals, record.trials)
    done = next((each for each in record.trials if fulfils(each, wish)), None)
    if first.bounded and not laws and done is None:
        return AdviceRecord(wish, (), stopped="what decides is not known, so there is nothing to propose")
    if not laws and done is not None:
        return AdviceRecord(wish, (_attempt(done.changes, wish.at_once, 0, bench, done),))
    return _attempts(wish, laws[0] if laws else None, record, bench)


def _attempts(wish: Wish, law: Law | None, record: ExplanationRecord, bench: Bench) -> AdviceRecord:
    attempts: list[Attempt] = []
    room = _room(wish)
    extra: dict[str, int] = {}
    fits: int | None = None
    stopped = ""
    # Requests at once of proposals with which the server did not run: what it does with half of that is tried next.
    failed: dict[int, str] = {}
    until = time.monotonic() + _MOST_SECONDS
    while not stopped and not bench.ended():
        trials = [*record.trials, *(each.trial for each in attempts)]
        settings, fits = _settings(wish, law, record.rivals, trials, room)
        most = min([max(MOST_RUN, bench.experiment.max_offered), *(each // 2 for each in failed)])
        settings = _in_steps(settings, law, record, trials, most)
        changes = () if settings is None else _merged(settings.changes, extra, record.trials[0])
        over = len(attempts) == _MOST_ATTEMPTS or time.monotonic() > until
        if settings is None or over or any(set(each.trial.changes) == set(changes) for each in attempts):
            failure = failed[min(failed)].rstrip(".") if failed else ""
            stopped = f"with settings for {min(failed)}: {failure}" if failed else _too_little(fits, room, law, record)
            break
        done = next((each for each in record.trials if set(each.changes) == set(changes) and each.bounded), None)
        attempt = _attempt(changes, settings.at_once, len(trials) + 1, bench, done)
        if bench.ended():
            break
        attempts.append(attempt)
        if fulfils(attempt.trial, wish):
            return AdviceRecord(wish, tuple(attempts))
        if attempt.trial.failure:
            failed[settings.at_once] = attempt.trial.failure
        stopped = _met(attempt.trial, settings.at_once, law, record, extra)
    return AdviceRecord(wish, tuple(attempts), fits, stopped or "the end was asked for before that")


def _in_steps(
    settings: Settings | None, law: Law | None, record: ExplanationRecord, trials: list[Trial], most: int
) -> Settings | None:
    """Fewer, where what a request takes is known from few: memory of a hundred threads says little of ten thousand.

    Returns:
        None where no more than was reached before may be run.
    """
    if settings is None:
        return None
    reached = max(each.in_service or 0 for each in trials)
    at_once = min(settings.at_once, max(_STEP * reached, _FEW), most)
    if at_once <= reached and at_once < settings.at_once:
        return None
    if at_once == settings.at_once or law is None:
        return settings
    return proposed(law, record.rivals, trials, at_once, None)


def _met(trial: Trial, at_once: int, law: Law | None, record: ExplanationRecord, extra: dict[str, int]) -> str:
    """Notes in `extra` the further limit that a proposal has met; gives why there is nothing more to propose."""
    met = None if law is None else next_bound(law, record.rivals, record.trials, trial)
    if met is None or (trial.in_service or 0) >= at_once:
        return ""
    rival = next((each for each in record.rivals if each.name == met.setting and not each.fixed), None)
    if rival is None:
        return f"{met.setting} is the bound at {met.at}"
    extra[rival.name] = _scaled(rival, trial, at_once)
    return ""


def _settings(
    wish: Wish, law: Law | None, rivals: tuple[Rival, ...], trials: list[Trial], room: int
) -> tuple[Settings | None, int | None]:
    """What to propose next, and how many fit where that is fewer than wanted."""
    if law is None:
        return Settings((), wish.at_once, None), None
    settings = proposed(law, rivals, trials, wish.at_once, room)
    if settings is not None:
        return settings, None
    fits = most_that_fits(law, rivals, trials, room)
    if fits <= (trials[0].in_service or 0):
        return None, max(fits, trials[0].in_service or 0)
    return proposed(law, rivals, trials, fits, room), fits


def _room(wish: Wish) -> int:
    free = int(available_memory() * _OF_AVAILABLE)
    return free if wish.memory_bytes is None else min(wish.memory_bytes, free)


def _too_little(fits: int | None, room: int, law: Law | None, record: ExplanationRecord) -> str:
    """Why no more is proposed."""
    if fits is None:
        return f"no more was tried; proposals of more than {MOST_RUN} at once are run only with a higher --max-offered"
    if law is not None and proposed(law, record.rivals, record.trials, fits + 1, None) is None:
        return f"the values that can be tried here allow {fits}, and no more, by the law {law.formula}"
    return f"{room / (1 << 20):.0f} MiB of memory leave room for {fits}, by what the runs took"


def _merged(changes: tuple[Change, ...], extra: dict[str, int], first: Trial) -> tuple[Change, ...]:
    values = {each.name: each.value for each in changes}
    own = {each.name: each.value for each in first.values}
    for name, value in extra.items():
        values[name] = max(value, values.get(name, 0))
    return tuple(Change(name, value) for name, value in values.items() if own.get(name) != value)


def _attempt(changes: tuple[Change, ...], at_once: int, number: int, bench: Bench, done: Trial | None) -> Attempt:
    """A trial of these changes; `done` is one that was run for another purpose."""
    proposal = Proposal(f"proposed for {at_once} at once", changes, at_once + max(at_once // 2, BEYOND))
    trial = run_trial(proposal, number, bench) if done is None else done
    return Attempt(probe_of(with_changes(bench.experiment, changes, proposal.offered, bench.scratch)), trial)


def probe_of(experiment: Experiment) -> tuple[str, ...]:
    """The command line of holdfast that probes this experiment's server, as a person types it.

    Of headers it has the names: their values may be secret.
    """
    target = experiment.target
    own = ProbeTarget("") if isinstance(target, CommandTarget) else target
    assert isinstance(own, ProbeTarget)
    more = experiment.max_offered if experiment.max_offered > DEFAULT_MAX_OFFERED else None
    given = (
        ("--framework", own.framework),
        ("--python", own.python),
        ("--view", experiment.view),
        ("--port", experiment.port),
        ("--path", experiment.path if experiment.path != "/" else None),
        *(("-H", f"{name}: ...") for name, _ in experiment.headers),
        ("--max-offered", more),
        ("--nofile", experiment.nofile),
        ("--nproc", experiment.nproc),
        ("--address-space", experiment.address_space),
    )
    options = [word for name, value in given if value is not None for word in (name, str(value))]
    options += [name for name, is_on in (("--tls", experiment.tls), ("--http2", experiment.http2)) if is_on]
    variables = [f"{name}={value}" for name, value in experiment.environment]
    holdfast = (*(("env", *variables) if variables else ()), "holdfast")
    if isinstance(target, CommandTarget):
        return (*holdfast, "exec", *options, "--", *target.command)
    app = () if own.app is None else (own.app,)
    arguments = ("--", *own.arguments) if own.arguments else ()
    return (*holdfast, "probe", *app, "--server", own.server, *options, *arguments)


def _scaled(rival: Rival, trial: Trial, at_once: int) -> int:
    value = next(each.value for each in trial.values if each.name == rival.name)
    raised = -(-value * at_once // max(1, trial.in_service or 1)) + rival.share
    return raised if rival.most is None else min(raised, rival.most)
