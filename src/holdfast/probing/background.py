"""Watches for longer whether places come, where requests wait in what may move by itself: an application, or a front.

Facts
-----
* A semaphore in middleware, a pool in a dependency or a limiter of a library may be raised by a timer, a task or a
  thread of the application: by one place each second, say. The whole server sleeps between two of these steps.
* A front may hand on one request for a page that it is to keep, and let the others wait for the answer, but only for a
  time (nginx's proxy_cache_lock_timeout, 5 s). Its clock is not seen.
* What wakes up by itself is seen in the process (`holdfast_inside.background`), what it will do then is not.

Decisions
---------
* Requests that wait in the server itself are not watched for longer, nor those of an application in which nothing
  wakes up by itself.
* A front that keeps back all that wait is watched for KEPT_BACK_NS.
* One behind which a queue has room, and that turned requests away, may do so by a rate that is slower than the ramp.
  That shows when all have been let go (`when_idle`). Where too many are held for that, it is watched for LOOK_NS, then
  requests are offered one by one: if some are let in before one is turned away, it is a rate, and how many wait is no
  bound.
* Of an application without the GIL, in which threads are not looked at, it is not known: something may wake up there.
* One that is known to wake up after at most LONGEST_S is waited for. Of any other it is said for how long it was
  watched.
* A request may wait for a time itself and be turned away then. So no further ones are offered until a place has come:
  those that are turned away would make room for them for as long as they last.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from holdfast.engine.prober import Prober
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import Snapshot
from holdfast.model.units import NS_PER_S
from holdfast.model.waiting import Background
from holdfast.probing.asking import Told
from holdfast.probing.ramp_pace import varied
from holdfast.probing.ramp_up import NO_CEILING, Climb, count_places, find_ceiling, told_by_held_requests
from holdfast.probing.session import Session
from holdfast.probing.slots import EXACT_PLACES
from holdfast.probing.waits import turn_until
from holdfast.servers.growth import Growth

LOOK_NS = 2500 * 1_000_000
LONGEST_S = 4.0
KEPT_BACK_NS = 6 * NS_PER_S
MOST_LET_IN = 20
AWAY_S = 0.2
_MOST_NAMED = 3


def watch_for_places(
    session: Session, prober: Prober, climb: Climb, ramp: Ramp, told: Told
) -> tuple[Ramp, Snapshot | None, str] | None:
    """Watches a server whose ramp has found a ceiling, and continues that where places come, until none has for longer.

    Args:
        told: what wakes up by itself where requests wait in the application, or that this is not known.

    Returns:
        How it ended then, the places counted anew, and what the person is told, "" for nothing. Where no place came,
        the counted ones hold, also where requests that waited have been turned away since, and there are no new ones.
        None where there is nothing to watch, the person asked for the end before anything came, or the server ended
        what it held while only a rate was looked for.

    Raises:
        InconclusiveError: as of `find_ceiling`.
    """
    wakes, kept_back, may_let_in = told.background, _kept_back_by(session, prober), _may_let_in(session, ramp)
    if not (wakes or kept_back or may_let_in or told.unread) or ramp.reason in NO_CEILING:
        return None
    if session.experiment.over_s is not None or session.interrupts.asked:
        return None
    least_ns = KEPT_BACK_NS if kept_back else LOOK_NS
    look_ns = max(least_ns, session.growth.look_ns, *(_woken_within_ns(each) for each in wakes))
    watching = replace(session, growth=Growth(session.growth.by, look_ns, session.growth.most_ns))
    was_clear, ended = _is_clear(session, prober), prober.ended
    with told_by_held_requests(session, prober):
        rests = climb.rests(look_ns)
    if rests is None:
        return None
    again, placed = ramp, None
    if rests and not was_clear and _is_clear(session, prober) and prober.ended == ended:
        # What the front had kept is closed by now, so that the rest can be told.
        placed = count_places(session, prober, came=climb.workers_came)
    if not rests:
        climb.watch(watching)
        again, placed = find_ceiling(watching, prober, climb)
        if again.reason in NO_CEILING:
            # Where only a rate was looked for, a time limit that is shorter than the watch leaves the count before it.
            cut = again.reason == "ended by the server" and not (wakes or kept_back or told.unread)
            return None if cut else (again, placed, "")
        kept_back, may_let_in = _kept_back_by(session, prober), may_let_in and again.reason == ramp.reason
    if may_let_in and (prober.ended == ended or not rests):
        most = min(MOST_LET_IN, session.experiment.max_offered - prober.offered)
        let_in = lets_in_again(prober, most, functools.partial(turn_until, session, prober))
        with told_by_held_requests(session, prober):
            placed = count_places(session, prober, came=climb.workers_came)
        if let_in:
            return replace(again, reason="let in later"), placed, ""
    waits = session.recording.in_service(0, prober.offered) < prober.offered - prober.ended
    says = _told(told, kept_back, max(look_ns, varied(again.step_ns)), clear=_is_clear(session, prober))
    return again, placed, says if waits else ""


def _is_clear(session: Session, prober: Prober) -> bool:
    in_service, under_way = session.recording.in_service(0, prober.offered), prober.offered - prober.ended
    return session.front is None or session.front.is_clear(in_service, under_way)


def _kept_back_by(session: Session, prober: Prober) -> str:
    """The front that keeps back all requests that wait; "" where there is none, or none waits."""
    in_service = session.recording.in_service(0, prober.offered)
    waits = in_service < prober.offered - prober.ended
    kept = session.front is not None and waits and session.front.keeps_back(in_service)
    return session.front.program if session.front is not None and kept else ""


def _may_let_in(session: Session, ramp: Ramp) -> bool:
    """Whether requests were turned away where there is a front and a queue behind it has room.

    Only where so many are in service that not all are let go before requests are sent one by one (`when_idle`).
    """
    many = session.recording.in_service(0, session.slots.recorded) > EXACT_PLACES
    return many and ramp.reason == "turned away" and session.front is not None and session.front.finds_room


def lets_in_again(prober: Prober, most: int, turn: Callable[[Callable[[], bool], float], object]) -> bool:
    """Whether of requests that are offered one by one some are let in before one is turned away.

    Args:
        most: so many are offered.
        turn: turns the load's loop until a state is reached, or for so many seconds.
    """
    first = prober.offered
    for _ in range(most):
        prober.open(1)
        turn(lambda: bool(_took_ns(prober, first)), AWAY_S)
        if _took_ns(prober, first):
            break
    # Those that came after it may be turned away after as long.
    within_s = varied(2 * max(_took_ns(prober, first), default=0)) / NS_PER_S
    turn(lambda: len(_took_ns(prober, first)) == prober.offered - first, within_s)
    return 0 < len(_took_ns(prober, first)) < prober.offered - first


def _took_ns(prober: Prober, first: int) -> list[int]:
    """How long each request from this id on had been under way that has ended."""
    columns = prober.columns
    return [columns.done[id] - columns.opened[id] for id in range(first, prober.offered) if columns.outcome[id]]


def _woken_within_ns(one: Background) -> int:
    return varied(int(one.wakes_s * NS_PER_S)) if one.wakes_s <= LONGEST_S else 0


def _told(told: Told, kept_back: str, watched_ns: int, *, clear: bool) -> str:
    wakes = told.background
    if not wakes and not kept_back and not told.unread:
        return ""
    if not wakes and not kept_back:
        return (
            "Requests wait inside the application, and what wakes up there by itself could not be read. In the last "
            f"{watched_ns / NS_PER_S:.1f} s no place was added. Growth that is slower is not seen."
        )
    if not wakes:
        all_are, it_is = ("All requests that wait are", "is") if clear else ("Requests that wait may all be", "may be")
        return (
            f"{all_are} in {kept_back} or before it; it handed on no more in {watched_ns / NS_PER_S:.1f} s: the "
            f"number in service {it_is} its limit, not the server's. A limit that ends after a longer time is not seen."
        )
    names = list(dict.fromkeys(_name(each) for each in wakes))
    shown = ", ".join(names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"Requests wait inside the application, where something wakes up by itself ({shown}{more}) and might add "
        f"places. In the last {watched_ns / NS_PER_S:.1f} s none was added. Growth that is slower is not seen."
    )


def _name(one: Background) -> str:
    file = Path(one.file)
    where = os.path.relpath(file) if file.is_absolute() and file.is_relative_to(Path.cwd()) else one.file
    after = f", after {one.wakes_s:.1f} s" if one.wakes_s > LONGEST_S else ""
    return f"{one.function} in {where}:{one.line}{after}"
