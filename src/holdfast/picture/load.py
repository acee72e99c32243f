"""Where the requests of a load were at each instant, and how long they took: as its own side saw it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import compress
from operator import sub

from holdfast.model.frozen import frozen
from holdfast.model.places import REPLIED_LABELS, Outcome, Place
from holdfast.model.rows import Rows
from holdfast.picture.areas import Areas, Leg, areas_of
from holdfast.picture.percentiles import Curve, curve_of
from holdfast.picture.probe import REPLYING, UNPLACED

ORDER = (UNPLACED, Place.SYN.value, REPLYING, *(outcome.label for outcome in Outcome if outcome is not Outcome.PENDING))
"""From the bottom up: those on their way, and those that have ended, by how."""

FINE = 10_000
"""Instants of a load's picture: more than are drawn at once, so that there is more to see from nearer."""


@frozen
class LoadPicture:
    """What became of a load's requests over time; curves of those that were replied to."""

    areas: Areas
    from_due: Curve
    from_sent: Curve


def picture_of_load(chunks: Iterable[Rows]) -> LoadPicture:
    """The picture of all rows.

    Args:
        chunks: read once, one after another.
    """
    from_due = from_sent = array("q")

    def chains() -> Iterator[Sequence[Leg]]:
        nonlocal from_sent
        for rows in chunks:
            replied = [outcome in REPLIED_LABELS for outcome in rows.outcome]
            done = [*compress(rows.done_ns, replied)]
            due, sent = [*compress(rows.due_ns, replied)], [*compress(rows.sent_ns, replied)]
            # On kept connections they are the same instants, and their times are kept once.
            if from_sent is from_due and sent != due:
                from_sent = array("q", from_due)
            if from_sent is not from_due:
                from_sent.extend(map(sub, done, sent))
            from_due.extend(map(sub, done, due))
            yield from _chains(rows)

    areas = areas_of(chains(), ORDER, most=FINE)
    curve = curve_of("from due", from_due)
    if from_sent is from_due:
        return LoadPicture(areas, curve, replace(curve, name="from sent"))
    return LoadPicture(areas, curve, curve_of("from sent", from_sent))


def _chains(rows: Rows) -> Iterator[Sequence[Leg]]:
    """The legs of each request: it is due, then on its way until it is answered or ends otherwise."""
    columns = (rows.due_ns, rows.begun_ns, rows.opened_ns, rows.connected_ns, rows.first_byte_ns, rows.done_ns)
    for (due, begun, opened, connected, first_byte, done), outcome in zip(
        zip(*columns, strict=True), rows.outcome, strict=True
    ):
        chain = [(begun or due, Place.SYN.value if opened and connected != opened else UNPLACED)]
        if opened and connected:
            chain.append((connected, UNPLACED))
        if first_byte and first_byte < done:
            chain.append((first_byte, REPLYING))
        if done:
            chain.append((done, outcome))
        yield chain
