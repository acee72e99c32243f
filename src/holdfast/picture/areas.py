"""How many requests were in each place at each instant, so that the places add up to what was offered by then.

A request is a chain of legs: in which place it was from which instant on. Of many legs, not every instant can be
drawn. Those that are kept are instants at which the counts were really so, and among them are the most and the least
of each place in each stretch of time: an extreme is never averaged away.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain as chain_of

from holdfast.model.frozen import frozen

MOST_POINTS = 3000
"""Points of a picture: more than a screen has columns, and 100 kB as JSON with ten places."""

Leg = tuple[int, str]
"""From this instant on (CLOCK_MONOTONIC ns) the request is in this place."""


@frozen
class Area:
    """How many requests were in one place, one number for each instant of the picture."""

    place: str
    counts: tuple[int, ...]


@frozen
class Areas:
    """All places over time.

    Attributes:
        at_ns: instants, ascending; from each to the next nothing changes, except where `thinned`.
        areas: places in which a request ever was, from the bottom up; their counts add up to `offered`.
        offered: requests that had been offered by each instant.
        thinned: between two instants there were others, whose counts lie between the least and the most that is drawn
            of each place nearby.
    """

    at_ns: tuple[int, ...]
    areas: tuple[Area, ...]
    offered: tuple[int, ...]
    thinned: bool


def areas_of(
    chains: Iterable[Sequence[Leg]], order: Sequence[str], *, looks: Sequence[int] = (), most: int = MOST_POINTS
) -> Areas:
    """The places of all requests over time.

    Args:
        chains: the legs of each request, from the instant at which it was offered; of legs that begin in the same
            instant the last counts.
        order: all places, from the bottom up.
        looks: instants that the picture has as well, from the first request on.
        most: instants of the picture, about.
    """
    places = {place: number for number, place in enumerate(order)}
    moves = _Moves(chains, places)
    instants, seen = _instants(moves, len(places), most)
    thinned = len(instants) > most
    if thinned:
        instants = _kept(moves, (instants[0], instants[-1]), len(places), most // (2 * seen + 1))
    if instants:
        instants = sorted({*instants, *(at for at in looks if at >= instants[0])})
    columns = _counts(moves, instants, len(places))
    return Areas(
        at_ns=tuple(instants),
        areas=tuple(Area(place, tuple(columns[number])) for place, number in places.items() if any(columns[number])),
        offered=tuple(map(sum, zip(*columns, strict=True))),
        thinned=thinned,
    )


# A move is one number: its instant since the first one, and behind it the place that gains a request, or after all
# places the one that loses it. Ten million requests have twenty million moves. As numbers of Python's they would take
# 40 bytes each, and twice as much while they are sorted, so they are kept in 8 bytes, and sorted a stretch at a time.

_AT_ONCE = 1 << 16


class _Moves:
    """Every move of a request from a place to another, in order.

    Attributes:
        many: how many moves there are.
        first_at: the instant that they count from.
    """

    def __init__(self, chains: Iterable[Sequence[Leg]], places: Mapping[str, int]) -> None:
        self._codes = 2 * len(places)
        self.first_at = 0
        unordered = array("q")
        for chain in chains:
            if not unordered and chain:
                self.first_at = chain[0][0]
            unordered.extend(self._of(chain, places))
        self.many = len(unordered)
        self._stretches = _ordered(unordered)

    def _of(self, chain: Sequence[Leg], places: Mapping[str, int]) -> Iterator[int]:
        codes, first_at = self._codes, self.first_at
        before: str | None = None
        last = len(chain) - 1
        for number, (at_ns, place) in enumerate(chain):
            if place == before or (number < last and chain[number + 1][0] <= at_ns):
                continue
            at = (at_ns - first_at) * codes
            if before is not None:
                yield at + places[before] + len(places)
            yield at + places[place]
            before = place

    def __iter__(self) -> Iterator[int]:
        return chain_of.from_iterable(self._stretches)

    def at(self, move: int) -> int:
        """When a move happens."""
        return self.first_at + move // self._codes


def _ordered(numbers: array[int], at_once: int = _AT_ONCE) -> list[array[int]]:
    """These numbers in order, in stretches of about `at_once`; takes them away where they were."""
    if len(numbers) <= at_once:
        return [array("q", sorted(numbers))]
    least, most = min(numbers), max(numbers)
    stretches = len(numbers) // at_once + 1
    width = (most - least) // stretches + 1
    found = [array("q") for _ in range(stretches)]
    for number in numbers:
        found[(number - least) // width].append(number)
    del numbers[:]
    for at, stretch in enumerate(found):
        found[at] = array("q", sorted(stretch))
    return found


def _instants(moves: _Moves, places: int, most: int) -> tuple[list[int], int]:
    """When something moves, at most `most` + 1 instants and the last one, and how many places are concerned."""
    many = 2 * places
    found: list[int] = []
    concerned: set[int] = set()
    before: int | None = None
    last = 0
    for move in moves:
        last = move // many
        if last != before and len(found) <= most:
            found.append(moves.at(move))
        before = last
        concerned.add(move % many)
    if moves.many and found[-1] != moves.first_at + last:
        found.append(moves.first_at + last)
    return found, len({code % places for code in concerned})


def _kept(moves: _Moves, ends: tuple[int, int], places: int, stretches: int) -> list[int]:
    """In each stretch of time its first instant, and those of the most and of the least in each place that changes."""
    first, last = ends
    length = last - first + 1
    kept = {first, last}
    counts = [0] * places
    extremes: dict[int, tuple[int, int]] = {}
    stretch = -1
    for at, moved in _by_instant(moves, places):
        if (now := (at - first) * stretches // length) != stretch:
            kept.update(each for _, each in extremes.values())
            kept.add(at)
            extremes, stretch = {}, now
        for number, change in moved:
            counts[number] += change
        for number, _ in moved:
            count = counts[number]
            if number not in extremes or count > extremes[number][0]:
                extremes[number] = (count, at)
            if ~number not in extremes or count < extremes[~number][0]:
                extremes[~number] = (count, at)
    kept.update(each for _, each in extremes.values())
    return sorted(kept)


def _counts(moves: _Moves, instants: Sequence[int], places: int) -> list[list[int]]:
    """Of each place, how many requests were in it at each of these instants, ascending."""
    columns: list[list[int]] = [[] for _ in range(places)]
    counts = [0] * places
    steps = _by_instant(moves, places)
    step = next(steps, None)
    for at in instants:
        while step is not None and step[0] <= at:
            for number, change in step[1]:
                counts[number] += change
            step = next(steps, None)
        for column, count in zip(columns, counts, strict=True):
            column.append(count)
    return columns


def _by_instant(moves: _Moves, places: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Each instant with its moves: the place, and 1 or -1."""
    many, first_at = 2 * places, moves.first_at
    at: int | None = None
    moved: list[tuple[int, int]] = []
    for move in moves:
        now, what = divmod(move, many)
        if now != at:
            if at is not None:
                yield first_at + at, moved
            at, moved = now, []
        moved.append((what, 1) if what < places else (what - places, -1))
    if at is not None:
        yield first_at + at, moved
