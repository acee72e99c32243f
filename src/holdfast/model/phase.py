"""Why a request was sent."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """What a request was sent for."""

    FIRST_REQUEST = "first request"
    """Answered at once: it shows how the server treats a request."""
    RAMP = "ramp"
    """The ramp up to the ceiling and past it; from outside, the burst whose requests' places are counted."""
    FIRST_CLIMB = "first climb"
    """The beginning of a ramp that was broken off at its first plateau and begun anew, for exact load in between."""
    ROUND = "round"
    """Every other round of a look from outside."""
    REUSE = "reuse"
    """Sent one after another when all was released, to see whether threads and processes serve again."""
    FREED_PLACE = "freed place"
    """Sent after a client has left, to see whether its place has become free."""
    EQUAL = "equal"
    """Equal ones, and some with a query string of their own, to see whether the former wait for each other."""
    EXACT_LOAD = "exact load"
    """Exactly as many as there are places, several times."""
    CALLED_ALONE = "called alone"
    """The first whose view's body is run."""
    CALLED_TOGETHER = "called together"
    """Those whose views' bodies are run together."""
    STREAM = "stream"
    """On one of many streams of a connection."""
