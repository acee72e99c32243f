"""After which time a server is said to end silent connections. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from holdfast.model.silent import Timeout
from holdfast.servers.address import option_value

Timeouts = Callable[[Sequence[str]], tuple[Timeout, ...]]


def no_timeouts(_arguments: Sequence[str]) -> tuple[Timeout, ...]:
    """Of a server that is said to have none."""
    return ()


def timeouts(*defaults: Timeout) -> Timeouts:
    """Those of a server whose command line may give them other values.

    Args:
        defaults: with the values of the server's own code; 0 is none at all.
    """
    return lambda arguments: tuple(in_force(each, arguments) for each in defaults)


def in_force(default: Timeout, arguments: Sequence[str]) -> Timeout:
    """The time-out with the value that these arguments give it; one that is not a number leaves it as it was."""
    given = option_value(arguments, *default.options) if default.options else None
    seconds = default.seconds
    if given is not None:
        with contextlib.suppress(ValueError):
            seconds = float(given) / default.units_per_s
    return replace(default, seconds=seconds or None)
