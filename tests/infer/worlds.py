"""Servers that are arithmetic only: how many requests are in service, as a function of the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from holdfast.infer.binding import binding_of
from holdfast.infer.next_trial import next_trial
from holdfast.model.binding import Binding
from holdfast.model.explanation import Undecided
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial

MOST_TRIALS = 12
MOST_OFFERED = 5000


@dataclass(frozen=True)
class Limit:
    """So many requests as `size` says, for the values of the settings; `names` are those that it depends on."""

    names: frozenset[str]
    size: Callable[[Mapping[str, int]], int]


@dataclass(frozen=True)
class World:
    """A server: its settings, and its limits, the tightest of which binds.

    Attributes:
        refuses: whether it does not start with these values.
        undercounts: how many requests fewer than there are a trial sees, by its number from 0 on.
        before_view: requests that wait in the application.
    """

    rivals: tuple[Rival, ...]
    limits: tuple[Limit, ...]
    refuses: Callable[[Mapping[str, int]], bool] = lambda _values: False
    undercounts: Mapping[int, int] = field(default_factory=dict)
    before_view: int | None = 0

    def values(self) -> dict[str, int]:
        return {each.name: each.value for each in self.rivals if each.value is not None}

    def size(self, values: Mapping[str, int]) -> int:
        return max(0, min(each.size(values) for each in self.limits))

    def binding(self) -> tuple[Limit, ...]:
        """The limits that bind as the server was asked for."""
        values = self.values()
        return tuple(each for each in self.limits if each.size(values) == self.size(values))


@dataclass(frozen=True)
class Explained:
    trials: tuple[Trial, ...]
    binding: Binding | Undecided


def explained(world: World, up_to: int = 0) -> Explained:
    """What `holdfast explain` finds out of it."""
    trials = [_trial(world, 0, "", (), MOST_OFFERED)]
    while len(trials) < MOST_TRIALS:
        proposal = next_trial(world.rivals, trials, up_to)
        if proposal is None:
            break
        offered = min(proposal.offered, MOST_OFFERED)
        trials.append(_trial(world, len(trials), proposal.purpose, proposal.changes, offered))
    return Explained(tuple(trials), binding_of(Place.IN_SERVICE, world.rivals, trials))


def _trial(world: World, number: int, purpose: str, changes: tuple[Change, ...], offered: int) -> Trial:
    values = {**world.values(), **{each.name: each.value for each in changes}}
    known = tuple(Change(name, value) for name, value in values.items())
    if world.refuses(values):
        return Trial(None, purpose, changes, known, offered, failure="the server did not start")
    there = world.size(values)
    seen = max(0, min(there, offered) - world.undercounts.get(number, 0))
    return Trial(
        number + 1,
        purpose,
        changes,
        known,
        offered,
        in_service=seen,
        bounded=there < offered,
        processes=1,
        before_view=world.before_view,
    )
