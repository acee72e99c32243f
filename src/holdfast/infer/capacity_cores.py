"""Who had the machine's cores: a server that computes all the time, the load, or other programs; pure."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.infer.capacity_disturbed import LEAST_OTHERS
from holdfast.model.capacity import ProcessCores

ALL_THE_TIME = 0.85
BUSY = 0.9
"""Of a load process's time on a core, from which on it may be what makes requests late."""
_LEAST_CORES = 0.05
_SEVERAL_LOCKED = 0.9
_STARVING_OTHERS = 0.5
_STARVED_MS = 5.0
_STARVED_SHARE = 0.2
_OR_KEEP = ", or use connections again (--keep-alive)"
_KEEP_OR = "Use connections again (--keep-alive), or "


def computes(process: ProcessCores) -> bool:
    """Whether one of its threads, or all of them in turns under one lock, computed all the time.

    Time on a run queue counts: with more cores it would have been computing.
    """
    if process.busiest >= ALL_THE_TIME and process.cores >= _LEAST_CORES:
        return True
    return takes_turns(process) and process.cores + process.waited >= _SEVERAL_LOCKED


def takes_turns(process: ProcessCores) -> bool:
    """Whether several of its threads run Python code, under one lock."""
    return process.python and process.gil and process.threads > 1


def taken_by_others(server: Sequence[ProcessCores], others: float | None, cores: int) -> float:
    """Share of the processor time that a computing server needed and other programs took.

    A process that computes under one lock, or on one thread, needs one core. What it lacks of that, others took, as far
    as they used so much.

    Args:
        others: cores that neither the server nor the load used; None is not known.
        cores: of the machine.
    """
    busy = [each for each in server if computes(each)]
    if not busy or others is None or others < LEAST_OTHERS:
        return 0.0
    needed = float(min(len(busy), cores))
    lacked = max(0.0, needed - sum(each.cores for each in busy))
    return round(min(lacked, others) / needed, 4)


def waited_for_a_core_ms(server: Sequence[ProcessCores], load_waited: float, answered_per_s: float | None) -> float:
    """How long the server and the load waited for a core for each request that was answered, ms.

    A process that computes all the time is left out: what it lacked is `taken_by_others`.

    Args:
        load_waited: time for which the load's processes waited, for each second.
    """
    if not answered_per_s:
        return 0.0
    waited = load_waited + sum(each.waited for each in server if not computes(each))
    return 1000 * waited / answered_per_s


def is_starved(waited_ms: float, others: float | None, alone_ms: float) -> bool:
    """Whether waiting for cores that others had made a good part of what requests took."""
    if others is None or others < _STARVING_OTHERS:
        return False
    return waited_ms >= max(_STARVED_MS, _STARVED_SHARE * alone_ms)


def lateness_in_words(lag_ms: float, busiest: float | None, others: float | None, *, kept: bool = False) -> str:
    """That a load was late, who had the cores, and what helps.

    Args:
        lag_ms: how late the hundredth of its requests that was latest began.
        busiest: share of the time for which the busiest of its threads had a core; None is not known.
        others: cores that neither the server nor the load used; None is not known.
        kept: its connections are used again.
    """
    late = f"The load was late: at least one request in a hundred began {lag_ms:.0f} ms or more after it was due"
    if busiest is not None and busiest >= BUSY:
        why = f"a load process was busy for {busiest:.0%} of the time"
        return f"{late}, and {why}. Give more of them (--processes N){'' if kept else _OR_KEEP}."
    if others is not None and others >= LEAST_OTHERS:
        return f"{late}, and other programs used {others:.1f} cores."
    return f"{late}. {'Share' if kept else _KEEP_OR + 'share'} it out (--processes N)."
