"""What the proposals that were run show."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.advice import Advice, AdviceRecord, Attempt, Wish
from holdfast.model.trial import Trial, named


def advice_of(record: AdviceRecord, first: Trial, bodies: int | None) -> Advice:
    """The proposal to take, and whether it fulfils the wish.

    Args:
        first: the trial of the present settings.
        bodies: how many the application itself lets run at once; None where it does not limit them.
    """
    wish = record.wish
    if why := too_few_bodies(wish, bodies, named(first)):
        return Advice(wish, fulfilled=False, best=None, changes=(), attempts=record.attempts, why_not=why)
    if fulfils(first, wish):
        return Advice(wish, fulfilled=True, best=None, changes=(), attempts=record.attempts)
    good = [each for each in record.attempts if fulfils(each.trial, wish)]
    best = good[0] if good else _best_within(record.attempts, first, wish)
    return Advice(
        wish,
        fulfilled=bool(good),
        best=best,
        changes=() if best is None else best.trial.changes,
        attempts=record.attempts,
        why_not="" if good else record.stopped,
    )


def too_few_bodies(wish: Wish, bodies: int | None, run: str) -> str:
    """Why no setting of the server fulfils a wish: the application runs fewer bodies; "" where it does not."""
    if bodies is None or bodies >= wish.at_once:
        return ""
    return f"the application itself lets {bodies} run at once ({run}), whatever the server allows"


def fulfils(trial: Trial, wish: Wish) -> bool:
    """Whether a trial reached the wanted number within the memory."""
    return (trial.in_service or 0) >= wish.at_once and within(trial, wish)


def within(trial: Trial, wish: Wish) -> bool:
    """Whether a trial kept within the memory; where it could not be read, that is not known, and it did not."""
    limit = wish.memory_bytes
    return limit is None or (trial.full_bytes is not None and trial.full_bytes <= limit)


def _best_within(attempts: Sequence[Attempt], first: Trial, wish: Wish) -> Attempt | None:
    better = [each for each in attempts if (each.trial.in_service or 0) > (first.in_service or 0)]
    kept = [each for each in better if within(each.trial, wish)]
    return max(kept, key=lambda each: each.trial.in_service or 0, default=None)
