"""What is seen of a probe, a study or an explanation while it runs; nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Protocol

from holdfast.model.frozen import frozen
from holdfast.model.places import Place


class Step(StrEnum):
    """What a probe is doing, in words, in the order in which most probes go through it."""

    STARTING = "starting the server"
    FIRST_REQUEST = "first request"
    RAMP = "ramp"
    COUNTING = "counting places"
    ASKING = "asking where requests wait"
    LEAVING = "clients leave"
    RELEASING = "releasing"
    REUSE = "seeing what is reused"
    CLEARING = "waiting for earlier requests to end"
    EXACT_LOAD = "exact load"
    STREAMS = "streams of one connection"
    CALLING = "running view bodies"
    ENDING = "ending the server"


@frozen
class LiveWorker:
    """A process of the server that has run handlers.

    Attributes:
        holds: how many requests each of its threads holds that has run a handler, in the order in which they first did.
    """

    pid: int
    holds: tuple[int, ...]


@frozen
class LivePlaces:
    """Where the requests of one step are.

    Attributes:
        offered: how many there are, at most `most`.
        counts: by place, the sum is `offered` without those whose clients have left.
        left: how many clients have left.
    """

    offered: int
    most: int
    counts: Mapping[Place, int]
    left: int = 0


@frozen
class LiveProbe:
    """A probe as it is now.

    Attributes:
        elapsed_s: since its beginning.
        within_s: after so long, counted from now, this step ends whatever the server does; None where it has no such
            limit.
        detail: what is waited for, in words; "" says nothing.
        places: None where this step offers no requests.
        asked_to_end: the person has asked for the end.
    """

    step: Step
    elapsed_s: float
    within_s: float | None = None
    detail: str = ""
    places: LivePlaces | None = None
    workers: tuple[LiveWorker, ...] = field(default=())
    asked_to_end: bool = False


class Watch(Protocol):
    """Is told again and again that a probe may be looked at now."""

    def __call__(self, look: Callable[[], LiveProbe], /, *, at_once: bool = False) -> None:
        """Calls `look` when it is time to, and seldom otherwise.

        Args:
            at_once: it is time to if anything has been shown, because nothing more will be for a while.
        """
        ...
