"""Work on an answer whose time depends on what a person wrote: a pattern, or a path with one; pure.

The engine bounds it. What did not come to an end once is not tried again in the load: each time would cost as much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from holdfast.journeys.context import Context

_Made = TypeVar("_Made")
OURS = "too slow"
"""Kept of a client (`Context.own`) where something did not come to an end: that is not the server's fault."""
_BEGINNING = 60


class TooSlowError(ValueError):
    """It did not come to an end; the message says so in words."""


def in_time(written: str, do: Callable[[], _Made], context: Context) -> _Made:
    """Does something.

    Args:
        written: the pattern or path on which its time depends.

    Raises:
        TooSlowError: it does not come to an end in time, or did not before.
    """
    key = (OURS, written)
    if key in context.remembered:
        context.own[OURS] = True
        raise TooSlowError(context.remembered[key])
    try:
        return context.within(do)
    except TimeoutError:
        shown = written if len(written) <= _BEGINNING else f"{written[:_BEGINNING]}..."
        why = (
            f"{shown!r} did not come to an end in time, and is not tried again: repetitions within one another do that"
        )
        context.remembered[key] = why
        context.own[OURS] = True
        raise TooSlowError(why) from None
