"""What was seen at the plateau at which a ramp was broken off for exact load, where the ramp after it came to nothing.

A ramp that begins anew fills the queues, which takes longer. If the server ends what it held meanwhile (a time limit
for requests), or the person asks for the end, the plateau of the first climb is what there is.
"""

from __future__ import annotations

import time
from dataclasses import replace

from holdfast.engine.prober import Prober
from holdfast.infer.signals import ended_by_server, peak
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.samples import Usage
from holdfast.model.timeline import Entry, Snapshot
from holdfast.model.units import NS_PER_S
from holdfast.probing.asking import NOTHING_TOLD
from holdfast.probing.measured import Measured
from holdfast.probing.ramp_up import Climb, look_with_the_front


@frozen
class Climbed:
    """The plateau at which a ramp was broken off.

    Attributes:
        held: the handlers that ran.
        plateau_ns: since when requests had waited without any change.
        released_ns: when the first of them was let go.
    """

    held: tuple[Entry, ...]
    placed: Snapshot
    plateau_ns: int
    first_sent_ns: int
    released_ns: int
    usage: tuple[Usage, ...]


def at_the_plateau(seen: Measured, prober: Prober, climb: Climb, usage: tuple[Usage, ...]) -> Climbed:
    """What there is at the plateau on which a ramp was broken off.

    Args:
        usage: what the server's processes used so far, and now.
    """
    held, placed = seen.session.recording.entries(0, prober.offered), look_with_the_front(seen.session, prober)
    return Climbed(held, placed, climb.stalled_since_ns, seen.marks["first_sent_ns"], time.monotonic_ns(), usage)


def keep_the_first_climb(seen: Measured, climbed: Climbed) -> None:
    """Lets what had been offered by that plateau be the run's ramp, and nothing that came later."""
    seen.later = tuple(
        replace(each, phase=Phase.RAMP) if each.phase is Phase.FIRST_CLIMB else each for each in seen.later
    )
    seen.requests = tuple(
        each if each.opened_ns < climbed.placed.ended_ns else replace(each, phase=Phase.FIRST_CLIMB)
        for each in seen.requests
    )
    # Processes were asked where requests wait when others waited.
    seen.told = NOTHING_TOLD
    seen.placed, seen.usage, seen.gone = climbed.placed, list(climbed.usage), ()
    # The look with every place full came when the server had ended what it held.
    seen.usage_again = ()
    if seen.ramp is not None:
        seen.ramp = replace(seen.ramp, plateau_ns=climbed.plateau_ns)
    seen.marks |= {
        "first_sent_ns": climbed.first_sent_ns,
        "placed_ns": climbed.placed.ended_ns,
        "released_ns": climbed.released_ns,
    }


def cut_short(seen: Measured, prober: Prober, climbed: Climbed | None) -> str:
    """That the server ended requests of a ramp that had come as far as the plateau before, while others waited.

    Args:
        climbed: None where no plateau was looked at.

    Returns:
        What a person is told of that time limit; "" where it was not so.
    """
    if climbed is None or seen.ramp is None or seen.ramp.reason != "ended by the server":
        return ""
    session = seen.session
    entries = session.recording.entries(0, prober.offered)
    ended = [each for each in entries if _is_ended(prober, each)]
    if not ended:
        return ""
    first_ns = min(prober.columns.done[each.id] for each in ended)
    waited = sum(each < first_ns for each in prober.columns.opened[: prober.offered]) > len(climbed.held)
    if not waited or peak(entries, first_ns) != len(climbed.held):
        return ""
    longest_ns = max(first_ns - each.entered_ns for each in ended)
    return (
        f"The server has a time limit for requests, of about {longest_ns / NS_PER_S:.1f} s: it ended held requests "
        f"while its queues were being filled. {len(climbed.held)} were in service at once before that, while others "
        "waited, and the places are those of then. Raise that limit for the probe to see the queues."
    )


def _is_ended(prober: Prober, entry: Entry) -> bool:
    outcome = Outcome(prober.columns.outcome[entry.id])
    return ended_by_server(outcome, entry.entered_ns, prober.columns.done[entry.id])
