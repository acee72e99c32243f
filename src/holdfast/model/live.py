"""What is seen of a probe while it runs; nothing of it is kept. Of what makes many probes: `live_study`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum
from typing import Protocol, TypeVar

from holdfast.model.frozen import frozen
from holdfast.model.places import PLACE_OF, Outcome, Place


class LivePhase(StrEnum):
    """What a probe is doing, in words, in the order in which most go through it."""

    STARTING = "starting the server"
    FIRST_REQUEST = "first request"
    RAMP = "ramp"
    COUNTING = "counting places"
    ASKING = "asking where requests wait"
    LEAVING = "letting clients leave"
    RELEASING = "releasing"
    REUSE = "seeing what is reused"
    CLEARING = "waiting for earlier requests to end"
    EXACT_LOAD = "exact load"
    STREAMS = "streams of one connection"
    CALLING = "running view bodies"
    ENDING = "ending the server"
    # Of a server that already runs, seen from outside.
    ALONE = "one request at a time"
    BURST = "burst"
    SATURATION = "saturation"


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
    """Where the requests of one phase are.

    Attributes:
        offered: how many there are.
        most: how many there may be; None where nothing bounds them.
        counts: by place, the sum is `offered` without those whose clients have left.
        left: how many clients have left.
    """

    offered: int
    most: int | None
    counts: Mapping[Place, int]
    left: int = 0


def ended_places(outcomes: Mapping[Outcome, int]) -> dict[Place, int]:
    """The places of requests that have ended, from their outcomes; those whose clients have left are in none."""
    counts: dict[Place, int] = {}
    for outcome, place in PLACE_OF.items():
        if outcome in outcomes:
            counts[place] = counts.get(place, 0) + outcomes[outcome]
    return counts


@frozen
class LiveProbe:
    """A probe as it is now.

    Attributes:
        elapsed_s: since its beginning.
        within_s: after so long, counted from now, this phase ends whatever the server does; None where it has no such
            limit.
        detail: what is waited for, in words; "" says nothing.
        places: None where this phase offers no requests.
        asked_to_end: the person has asked for the end.
    """

    phase: LivePhase
    elapsed_s: float
    within_s: float | None = None
    detail: str = ""
    places: LivePlaces | None = None
    workers: tuple[LiveWorker, ...] = field(default=())
    asked_to_end: bool = False


Seen_contra = TypeVar("Seen_contra", contravariant=True)


class Watch(Protocol[Seen_contra]):
    """Is told again and again that something in progress may be looked at now."""

    def __call__(self, look: Callable[[], Seen_contra], /, *, at_once: bool = False) -> None:
        """Calls `look` when it is time to, and seldom otherwise.

        Args:
            at_once: it is time to if anything has been shown, because nothing more will be for a while.
        """
        ...
