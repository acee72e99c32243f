"""What a load process does: the steps of its part's loop, until that ends or is to end at once.

Decisions
---------
* Where no request waits for another, the loop has nothing to say until the next one is due or times out: all that comes
  meanwhile is taken in without it. It then is asked once for each request instead of twice.
* Whether the load is to stop is asked every LOOK_NS and not at each step, as it takes a call of the kernel.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial

from holdfast.engine.columns import Columns, Tally
from holdfast.engine.loop import Loop, Seen, Step
from holdfast.engine.plan import Plan, Stop, nothing_listens, stop_reason
from holdfast.engine.sender import Sender
from holdfast.engine.shapes import EngineShape
from holdfast.engine.stalls import Stalls
from holdfast.model.frozen import frozen
from holdfast.model.load import StopRule

LOOK_NS = 5_000_000
_NO_RULE = StopRule()
_NOT, _DRAIN, _AT_ONCE = Stop  # as the states in `exchange`


@frozen
class Control:
    """What a load process is told, and where it tells how far it is.

    Attributes:
        stopped: whether it is to stop; never takes back what it said.
        rule: of this process alone.
        number: its index in the tally.
    """

    stopped: Callable[[], Stop]
    rule: StopRule
    tally: Tally
    number: int


def send(plan: Plan, loop: Loop, columns: Columns, connections: Sender, control: Control) -> Stalls:
    """Carries out the steps of a loop; returns its stalls.

    Args:
        columns: of the plan.
    """
    shape, tally, number = plan.shape, control.tally, control.number
    keeping = shape if plan.keeps and not shape.refills else None
    ended_of = connections.finished if shape.follows_each_end else _nothing
    rule = None if control.rule == _NO_RULE else control.rule
    turn = partial(_turn_for, connections) if rule is None and not shape.waits_for_replies else connections.turn
    stop, stalls, now_ns, look_ns, ended = _NOT, Stalls(), time.monotonic_ns(), 0, 0
    with contextlib.suppress(StopIteration):
        step = next(loop)
        while True:
            if now_ns >= look_ns:
                look_ns = now_ns + LOOK_NS
                if (stop := max(stop, control.stopped())) is _AT_ONCE:
                    break
            if step.open or step.expire:
                _carry_out(step, columns, connections, keeping)
            if shape.refills:
                connections.refill(step.refill)
            in_flight, before_ns = connections.begun > connections.ended, now_ns
            # What ended in this step may be what the next request waits for.
            wait_ns = step.wait_ns if connections.ended == ended else 0
            if step.open and wait_ns:
                # They have taken time.
                wait_ns = max(0, now_ns + wait_ns - time.monotonic_ns())
            turn(wait_ns)
            ended = connections.ended
            tally.begun[number] = connections.begun
            tally.ended[number] = ended
            tally.unanswered[number] = connections.unanswered
            tally.reached[number] = connections.highest_row + 1
            if _is_to_drain(connections, rule, shape):
                stop = max(stop, _DRAIN)
            now_ns = time.monotonic_ns()
            beyond_ns = now_ns - before_ns - wait_ns
            if in_flight:
                stalls.add(beyond_ns)
            seen = Seen(now_ns, ended, connections.taken, stop is _DRAIN, ended_of(), connections.room)
            step = loop.send(seen)
            # What is opened now became due meanwhile.
            if step.open and not in_flight:
                stalls.add(beyond_ns)
    return stalls


def _carry_out(step: Step, columns: Columns, connections: Sender, keeping: EngineShape | None) -> None:
    """Ends and begins requests; `keeping`: its clients keep their connections."""
    for row in step.expire:
        connections.expire(row)
    if keeping is None:
        for row in step.open:
            connections.open(row, columns.due[row] or None)
        return
    steps, clients = keeping.steps, keeping.clients
    for row in step.open:
        connections.open(row, columns.due[row] or None, row // steps % clients, last=keeping.is_last(row))


def _turn_for(connections: Sender, wait_ns: int) -> None:
    """Turns for so long, or until nothing is in flight."""
    until_ns = time.monotonic_ns() + wait_ns
    connections.turn(wait_ns)
    while connections.ended < connections.begun and (left_ns := until_ns - time.monotonic_ns()) > 0:
        connections.turn(left_ns)


def _is_to_drain(connections: Sender, rule: StopRule | None, shape: EngineShape) -> bool:
    """Whether no further request is to begin."""
    if rule is not None and stop_reason(rule, connections.ended, connections.unanswered):
        return True
    return bool(nothing_listens(connections, waits_for_replies=shape.waits_for_replies))


def _nothing() -> Sequence[int]:
    return ()
