"""What a command line or a file says to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.engine.quantities import Threshold
from holdfast.model.frozen import frozen
from holdfast.model.load import StopRule
from holdfast.model.scenario import Group

if TYPE_CHECKING:
    from holdfast.model.journey import Journeys  # few loads have them


@frozen
class Asked:
    """What a command line or a file says to send: groups, or journeys.

    Attributes:
        stop: when the load ends early, according to the file.
        warning: what in the file is left out, in words; None if nothing is.
        thresholds: that the file demands.
    """

    groups: tuple[Group, ...]
    stop: StopRule
    warning: str | None
    journeys: Journeys | None = None
    thresholds: tuple[Threshold, ...] = ()
