"""Checks of bodies that end in time, whatever their patterns are.

Facts
-----
* Python's regular expressions backtrack: `(a+)+$` takes twice as long for each further `a` before a `b`. Nothing in
  `re` bounds it.
* The matcher runs the handlers of signals every 4,096 steps, and an exception in one ends the match (CPython,
  Modules/_sre/sre_lib.h, MAYBE_CHECK_SIGNALS).
* ITIMER_VIRTUAL counts the processor time of this process: one that is stopped or has no core loses none
  (setitimer(2)).

Decisions
---------
* A body has MOST_S of processor time for each check. A pattern of one pass takes 0.1 s for the 16 MiB that checks see.
* The handler belongs to the load process, so this is for a process's main thread.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from holdfast.engine.acceptance import TooSlowError, holds

if TYPE_CHECKING:
    from holdfast.model.scenario import Check

MOST_S = 1.0
_BEGINNING = 60


_Found = TypeVar("_Found")


class _LateError(Exception):
    """The time is up."""


def in_time(do: Callable[[], _Found]) -> _Found:
    """Does something that may take any time, such as matching a pattern.

    Raises:
        TimeoutError: it took MOST_S of processor time.
    """
    if signal.getsignal(signal.SIGVTALRM) is not _is_late:
        signal.signal(signal.SIGVTALRM, _is_late)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, MOST_S)
        return do()
    except _LateError:
        raise TimeoutError(f"It did not come to an end within {MOST_S:.0f} s.") from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def checks_in_time() -> Callable[[Sequence[Check], bytes], bool]:
    """What says whether a body passes all checks, and raises TooSlowError if one of them does not end in time.

    Takes SIGVTALRM for itself, for the rest of the process's life.
    """
    signal.signal(signal.SIGVTALRM, _is_late)
    return _hold_in_time


def _hold_in_time(checks: Sequence[Check], body: bytes) -> bool:
    for check in checks:
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, MOST_S)
            passed = holds(check, body)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        except _LateError:
            raise TooSlowError(_in_words(check, body)) from None
        if not passed:
            return False
    return True


def _is_late(_number: int, _frame: FrameType | None) -> None:
    raise _LateError


def _in_words(check: Check, body: bytes) -> str:
    shown = check.text if len(check.text) <= _BEGINNING else f"{check.text[:_BEGINNING]}..."
    return (
        f"The pattern {shown!r} did not come to an end within {MOST_S:.0f} s on a body of {len(body):,} bytes: "
        "it backtracks too much, as a repetition within a repetition does. It was not tried again, and the requests "
        "whose replies it was to check count as failed. Write it without nested repetitions."
    )
