"""Where the requests of a load were at each instant, and how long they took: as its own side saw it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from holdfast.model.frozen import frozen
from holdfast.model.places import REPLIED, Outcome, Place
from holdfast.model.rows import Rows
from holdfast.picture.areas import Areas, Leg, areas_of
from holdfast.picture.percentiles import Curve, curve_of
from holdfast.picture.probe import REPLYING, UNPLACED

ORDER = (UNPLACED, Place.SYN.value, REPLYING, *(outcome.label for outcome in Outcome if outcome is not Outcome.PENDING))
"""From the bottom up: those on their way, and those that have ended, by how."""

_REPLIED = frozenset(outcome.label for outcome in REPLIED)


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
    from_due, from_sent = array("q"), array("q")

    def chains() -> Iterator[Sequence[Leg]]:
        for rows in chunks:
            for due, sent, done, outcome in zip(rows.due_ns, rows.sent_ns, rows.done_ns, rows.outcome, strict=True):
                if outcome in _REPLIED:
                    from_due.append(done - due)
                    from_sent.append(done - sent)
            yield from _chains(rows)

    areas = areas_of(chains(), ORDER)
    return LoadPicture(areas, curve_of("from due", from_due), curve_of("from sent", from_sent))


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
