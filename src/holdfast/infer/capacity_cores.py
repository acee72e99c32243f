"""Whether a server computes all the time, and how much of what it needs for that other programs take; pure."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.model.capacity import ProcessUse

ALL_THE_TIME = 0.85
_LEAST_CORES = 0.2
_SEVERAL_LOCKED = 0.9
_LEAST_OTHERS = 0.2


def computes(process: ProcessUse) -> bool:
    """Whether one of its threads, or all of them in turns under one lock, computed all the time.

    Time on a run queue counts: with more cores it would have been computing.
    """
    if process.busiest >= ALL_THE_TIME and process.cores >= _LEAST_CORES:
        return True
    return process.python and process.threads > 1 and process.cores + process.waited >= _SEVERAL_LOCKED


def taken_by_others(server: Sequence[ProcessUse], others: float | None, cores: int) -> float:
    """Share of the processor time that a computing server needed and other programs took.

    A process that computes under one lock, or on one thread, needs one core. What it lacks of that, others took, as far
    as they used so much.

    Args:
        others: cores that neither the server nor the load used; None is not known.
        cores: of the machine.
    """
    busy = [each for each in server if computes(each)]
    if not busy or others is None or others < _LEAST_OTHERS:
        return 0.0
    needed = float(min(len(busy), cores))
    lacked = max(0.0, needed - sum(each.cores for each in busy))
    return round(min(lacked, others) / needed, 4)
