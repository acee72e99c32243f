"""The leaves of a journey, with what applies to each, worked out once for all clients of a crew; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeGuard

from holdfast.model.journey import (
    Assign,
    Count,
    Delay,
    Draw,
    Leave,
    MadeUp,
    Meeting,
    Node,
    Pace,
    Sequence,
    Sets,
    TakeRow,
    Timed,
    ValuesOfClients,
)
from holdfast.model.journey_request import Request

SETS = (Assign, Count, TakeRow, ValuesOfClients, Draw)


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """Something that a client does: a request, a pause, an end.

    Attributes:
        node: None does nothing.
        waits: before it, nearest first; all of them together.
        sets: values that it sets before, farthest first.
        meetings: after that, and before the waits.
        number: of a request, among those of its journey; -1 of the others.
    """

    node: Request | MadeUp | Delay | Pace | Leave | None
    waits: tuple[Delay | Pace, ...] = ()
    sets: tuple[Sets, ...] = ()
    number: int = -1
    meetings: tuple[Meeting, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A node with others below it, in order."""

    node: Node
    below: tuple[Branch | Leaf | Sets, ...]


@dataclass(frozen=True, slots=True)
class _Around:
    """What applies to the leaves at a place of the journey."""

    waits: tuple[Delay | Pace, ...] = ()
    sets: tuple[Sets, ...] = ()
    meetings: tuple[Meeting, ...] = ()

    def within(self, timed: Timed) -> _Around:
        """What applies to those within it."""
        waits = tuple(each for each in timed.waits if not isinstance(each, Meeting))
        meetings = tuple(each for each in timed.waits if isinstance(each, Meeting))
        return _Around(waits + self.waits, self.sets + timed.sets, meetings + self.meetings)

    def leaf(self, node: Request | MadeUp | Delay | Pace | Leave, number: int = -1) -> Leaf:
        """A leaf here."""
        return Leaf(node, self.waits, self.sets, number, self.meetings)


@dataclass(slots=True)
class _Numbering:
    requests: list[Request] = field(default_factory=list)


def is_sets(node: object) -> TypeGuard[Sets]:
    """Whether a node does no more than set values."""
    return isinstance(node, SETS)


def planned(journey: Sequence) -> Branch:
    """The journey with what applies to each of its leaves."""
    (branch,) = _below((journey,), _Around(), _Numbering())
    assert isinstance(branch, Branch)
    return branch


def requests_of(journey: Sequence) -> tuple[Request, ...]:
    """The requests of a journey, in the order of their numbers."""
    numbering = _Numbering()
    _below((journey,), _Around(), numbering)
    return tuple(numbering.requests)


def _below(nodes: tuple[Node, ...], around: _Around, numbering: _Numbering) -> tuple[Branch | Leaf | Sets, ...]:
    found: list[Branch | Leaf | Sets] = []
    for node in nodes:
        if isinstance(node, Timed):
            # It chooses nothing, so what is below it takes its place.
            found += _below(node.nodes, around.within(node), numbering)
        elif isinstance(node, Request):
            found.append(around.leaf(node, len(numbering.requests)))
            numbering.requests.append(node)
        elif isinstance(node, MadeUp | Delay | Pace | Leave):
            found.append(around.leaf(node))
        elif isinstance(node, Assign | Count | TakeRow | ValuesOfClients | Draw):
            found.append(node)
        else:
            found.append(Branch(node, _below(node.nodes, around, numbering)))
    return tuple(found)
