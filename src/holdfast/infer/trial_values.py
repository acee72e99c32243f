"""The values that a trial gives to settings, and how many requests it offers; pure.

Decisions
---------
* A trial is to take seconds: a setting moves by a quarter, up to a size of `_MOST` requests.
* A number of processes is raised along with a setting that is lowered, by one, so that one trial tells "threads" from
  "workers x threads". Along with a setting that is raised it would hide what that alone does: a server may be another
  one with several processes.
* Settings of the queues are changed in the same trials. Each has a law of its own, and the sizes of the queues show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from holdfast.infer.evidence import ALL_RAISED
from holdfast.infer.laws import Law, measured, size, values_of
from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial

# Of requests in service that a trial goes up to, unless more are wanted.
_MOST = 600
# Requests offered beyond those that a trial is expected to hold, so that some wait for sure.
BEYOND = 150
# Accept queues that fill quickly, for the trial that raises and the one that lowers; and room in a limit on accepted
# requests, in front of the handlers.
_BACKLOGS = (37, 60)
_ROOM = (24, 40)


@frozen
class Proposal:
    """A trial to run.

    Attributes:
        changes: against the first trial.
        offered: requests to offer.
    """

    purpose: str
    changes: tuple[Change, ...]
    offered: int


def moved(law: Law, laws: Sequence[Law], rivals: Sequence[Rival], trials: Sequence[Trial], *, up: bool) -> Proposal:
    """The trial with this law's settings raised or lowered that tells most of the laws apart.

    Args:
        trials: the first in which the place was full, and the first of all in front of it.
    """
    first, basis = trials[0], trials[-1]
    own = values_of(basis)
    best = max(_options(law, rivals, own, up=up), key=lambda each: _told_apart(laws, {**own, **each}, law, basis))
    expected = max(size(each, {**own, **best}) or 0 for each in laws)
    sides = _sides(rivals, basis, {*law.settings, *best}, expected, up=up)
    offered = _to_offer(expected, sides, rivals, basis)
    # Said once for all that a law names: the number of processes is changed only to tell laws apart.
    return Proposal(_purpose(law, up=up), _against(first, basis, {**best, **sides}), offered)


def alone(law: Law, rivals: Sequence[Rival], trials: Sequence[Trial], *, up: bool) -> Proposal:
    """The trial with this law's setting alone raised or lowered, by little.

    Args:
        trials: as of `moved`.
    """
    first, basis = trials[0], trials[-1]
    own = values_of(basis)
    rival = next(each for each in rivals if each.name == law.main)
    # Below a small size, `moved` goes down by two: another size says more.
    step = 1 if rival.kind == "processes" or (rival.kind == "places" and not up) else 2 * law.share
    value = own[law.main] + step if up else max(least_of(law), own[law.main] - step)
    value = value if rival.most is None else min(value, rival.most)
    expected = max(size(law, {**own, law.main: value}) or 0, measured(law.place, basis) or 0)
    return Proposal(f"{_purpose(law, up=up)} alone", _against(first, basis, {law.main: value}), 2 * expected + BEYOND)


def all_raised(laws: Sequence[Law], rivals: Sequence[Rival], trials: Sequence[Trial]) -> Proposal | None:
    """The trial with everything raised but the number of processes; None where nothing can be.

    Args:
        laws: that are to predict another size each.
        trials: as of `moved`.
    """
    first, basis = trials[0], trials[-1]
    own = values_of(basis)
    there = measured(Place.IN_SERVICE, basis) or 1
    wanted: dict[str, int] = {}
    for each in rivals:
        if each.fixed or each.kind in {"processes", "bytes", "switch"} or each.name not in own:
            continue
        raised = 2 * own[each.name] + (len(wanted) + 1) * each.share
        # Each to another size, which tells which of them decides.
        while _is_taken(each.name, {**own, **wanted}, raised, laws) and raised < (each.most or raised + 1):
            raised += each.share
        value = raised if each.most is None else min(raised, each.most)
        if value > own[each.name]:
            wanted[each.name] = value
    return Proposal(ALL_RAISED, _against(first, basis, wanted), 4 * there + 2 * BEYOND) if wanted else None


def streams_beside(rival: Rival, own: int, *, up: bool) -> int:
    """Another number of streams of one connection, near the present one."""
    step = max(1, min(own, _MOST) // 4)
    return own + step if up else max(rival.least, own - step)


def least_of(law: Law) -> int:
    """The least value of a law's setting with which there is room for a request."""
    return max(1, law.constant + law.share)


def _is_taken(name: str, values: Mapping[str, int], value: int, laws: Sequence[Law]) -> bool:
    """Whether a law of this setting would predict the size that one of a setting before it predicts."""
    own = {size(each, {**values, name: value}) for each in laws if each.main == name}
    return any(each.main != name and size(each, values) in own for each in laws)


def _purpose(law: Law, *, up: bool) -> str:
    return f"{law.main} {'raised' if up else 'lowered'}"


def _against(first: Trial, basis: Trial, wanted: Mapping[str, int]) -> tuple[Change, ...]:
    asked = values_of(first)
    kept = {each.name: each.value for each in basis.changes}
    return tuple(Change(name, value) for name, value in {**kept, **wanted}.items() if asked.get(name) != value)


def _options(law: Law, rivals: Sequence[Rival], own: Mapping[str, int], *, up: bool) -> Iterator[dict[str, int]]:
    by_name = {each.name: each for each in rivals}
    choices = [list(_values(law, by_name[law.main], own, up=up))]
    names = [law.main]
    for each in rivals:
        if each.kind == "processes" and each.name != law.main and not each.fixed and each.name in own:
            names.append(each.name)
            choices.append([own[each.name]] if up else [own[each.name], own[each.name] + 1])
    for values in product(*choices):
        yield dict(zip(names, values, strict=True))


def _values(law: Law, rival: Rival, own: Mapping[str, int], *, up: bool) -> Iterator[int]:
    """Values to try: with shares, each remainder, since one of them tells which constant is right."""
    value, least = own[law.main], max(least_of(law), rival.least)
    if rival.kind == "processes":
        yield value + 1 if up else max(1, value - 1)
        return
    step = max(2, min(size(law, own) or 1, _MOST) // 4) * rival.share
    for more in range(rival.share + 2):
        tried = value + step + more if up else value - step - more
        if rival.most is None or tried <= rival.most:
            yield max(least, tried)
    if rival.most is not None and up and value < rival.most < value + step:
        yield rival.most


def _told_apart(laws: Sequence[Law], values: Mapping[str, int], law: Law, basis: Trial) -> tuple[bool, int]:
    """Whether the law in question moves, and how few laws such a trial will leave, for the most part."""
    counts = Counter(size(each, values) for each in laws)
    return size(law, values) != measured(law.place, basis), -sum(each * each for each in counts.values())


def _sides(rivals: Sequence[Rival], basis: Trial, taken: set[str], expected: int, *, up: bool) -> dict[str, int]:
    """Values for the settings of the queues, small enough to be filled at once."""
    own, found = values_of(basis), {}
    for each in rivals:
        if each.name in taken or each.fixed or each.name not in own:
            continue
        if each.kind == "streams":
            found[each.name] = streams_beside(each, own[each.name], up=up)
        if each.kind != "places":
            continue
        if each.place is Place.ACCEPT_QUEUE:
            # Two that differ, also where both are less than the server takes.
            low = max(_BACKLOGS[not up], each.least + (not up))
            found[each.name] = low if low < own[each.name] else own[each.name] + low
        elif each.place is Place.USERSPACE_QUEUE:
            is_large = own[each.name] > expected + max(_ROOM)
            found[each.name] = (expected if is_large else own[each.name]) + _ROOM[not up]
    return found


def _to_offer(expected: int, sides: Mapping[str, int], rivals: Sequence[Rival], basis: Trial) -> int:
    processes = max(1, basis.processes or 1) + 1
    by_place = {each.name: each.place for each in rivals}
    room = sum(value * (processes if by_place[name] is Place.USERSPACE_QUEUE else 1) for name, value in sides.items())
    return expected + max(expected // 2, BEYOND) + room
