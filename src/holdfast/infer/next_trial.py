"""Which trial to run next: the one that tells apart the laws that are left.

Decisions
---------
* The most plausible setting is raised first, with all others as they were. If the place grows as its law says, nothing
  else was the bound: every other limit let more through.
* Then it is lowered: a law of three points, one on each side. A number of processes is raised by one along with that,
  so that "threads" is told from "workers x threads".
* Where no plausible setting moves the place, all others are raised together. If that does nothing, no setting that can
  be changed decides.
* Settings of the queues are changed in the same trials. Each has a law of its own, and the sizes of the queues show it.
* Last, the setting is raised to the number that the person wants to know about, with everything else as it was: what
  binds there is the next limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from holdfast.infer.laws import Law, agreeing, candidate_laws, confirmed_by, measured, size, values_of
from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial

# Of requests in service that a trial goes up to, unless more are wanted: it is to take seconds.
_MOST = 600
# Requests offered beyond those that a trial is expected to hold, so that some wait for sure.
_BEYOND = 150
# Accept queues that fill quickly, for the trial that raises and the one that lowers; and room in a limit on accepted
# requests, in front of the handlers.
_BACKLOGS = (37, 60)
_ROOM = (24, 40)
# Requests in service of the trials of a server that met no bound.
_OF_UNBOUNDED = (90, 130, 170)
_OWN_USE = 40


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


def next_trial(rivals: Sequence[Rival], trials: Sequence[Trial], up_to: int) -> Proposal | None:
    """The next trial; None where there is nothing left that one would decide.

    Args:
        rivals: with what the first trial shows of them.
        trials: so far, at least the first.
        up_to: number of requests in service up to which the next bound is looked for; 0 looks for none.
    """
    basis = basis_of(trials)
    if basis is None:
        return _lowered_until_it_binds(rivals, trials)
    free = {each.name for each in rivals if not each.fixed}
    laws = [law for law in alive_laws(rivals, trials) if law.main in free]
    confirmed = [law for law in laws if confirmed_by(law, since(basis, trials))]
    if confirmed:
        # A law that has moved the place once may have a rival that moves it too, in a trial that was not run yet.
        return _to_be_sure(confirmed, rivals, trials, basis) or _to_the_next(confirmed[0], rivals, trials, up_to)
    for law in laws:
        up = _can_rise(law, rivals, basis)
        if not _changed(law.main, trials, basis, up=up):
            return _moved(law, laws, rivals, trials, up=up)
    return _all_others(rivals, trials, basis)


def _to_be_sure(
    confirmed: Sequence[Law], rivals: Sequence[Rival], trials: Sequence[Trial], basis: Trial
) -> Proposal | None:
    """The trial on the other side, and those that tell apart what is left."""
    mains = {law.main: law for law in reversed(confirmed)}
    for law in mains.values():
        ways = [up for up in (True, False) if (_can_rise(law, rivals, basis) if up else _can_fall(law, basis))]
        # First each way once: that alone may leave one law.
        ways.sort(key=lambda up: _changed(law.main, trials, basis, up=up))
        for up in ways:
            if len(confirmed) > 1 or not _shown(law, trials, basis, up=up):
                proposal = _moved(law, confirmed, rivals, trials, up=up)
                if not _was_run(proposal, trials):
                    return proposal
    return None


def _shown(law: Law, trials: Sequence[Trial], basis: Trial, *, up: bool) -> bool:
    """Whether a trial on this side has come out as the law predicts."""
    return any(_changed(law.main, (basis, each), basis, up=up) for each in confirmed_by(law, since(basis, trials)))


def alive_laws(rivals: Sequence[Rival], trials: Sequence[Trial], place: Place = Place.IN_SERVICE) -> tuple[Law, ...]:
    """The laws of a place that no trial refutes, most plausible first."""
    basis = basis_of(trials, place)
    if basis is None:
        return ()
    far = any(len(each.changes) > 1 and each.purpose == ALL_RAISED for each in trials)
    laws = candidate_laws(place, basis, rivals, far=far)
    for trial in since(basis, trials)[1:]:
        laws = agreeing(laws, trial)
    return laws


def proved_laws(rivals: Sequence[Rival], trials: Sequence[Trial], place: Place = Place.IN_SERVICE) -> tuple[Law, ...]:
    """Of those laws, the ones that have predicted how the place changed; the simplest first."""
    basis = basis_of(trials, place)
    if basis is None:
        return ()
    found = [law for law in alive_laws(rivals, trials, place) if confirmed_by(law, since(basis, trials))]
    return tuple(sorted(found, key=lambda law: len(law.factors)))


def basis_of(trials: Sequence[Trial], place: Place = Place.IN_SERVICE) -> Trial | None:
    """The first trial in which a place was full; None where it never was."""
    return next((each for each in trials if measured(place, each) is not None), None)


def since(basis: Trial, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The trials from this one on."""
    return tuple(trials[trials.index(basis) :])


ALL_RAISED = "everything else raised"


def _changed(name: str, trials: Sequence[Trial], basis: Trial, *, up: bool) -> bool:
    own = values_of(basis).get(name)
    given = [change.value for trial in since(basis, trials)[1:] for change in trial.changes if change.name == name]
    return own is not None and any(value > own if up else value < own for value in given)


def _was_run(proposal: Proposal, trials: Sequence[Trial]) -> bool:
    return any(set(each.changes) == set(proposal.changes) for each in trials)


def _can_rise(law: Law, rivals: Sequence[Rival], basis: Trial) -> bool:
    rival = next(each for each in rivals if each.name == law.main)
    return rival.most is None or rival.most > values_of(basis)[law.main] + law.share


def _can_fall(law: Law, basis: Trial) -> bool:
    values = values_of(basis)
    return values[law.main] > 1 and (size(law, values) or 0) > 1


def _moved(law: Law, laws: Sequence[Law], rivals: Sequence[Rival], trials: Sequence[Trial], *, up: bool) -> Proposal:
    """The trial with this law's settings raised or lowered that tells most of the laws apart."""
    basis = basis_of(trials)
    assert basis is not None
    own = values_of(basis)
    best = max(
        _options(law, rivals, trials, own, up=up), key=lambda each: _told_apart(laws, {**own, **each}, law, basis)
    )
    expected = max(size(each, {**own, **best}) or 0 for each in laws)
    sides = _sides(rivals, basis, {*law.settings, *best}, expected, up=up)
    first = {each.name: each.value for each in trials[0].values}
    wanted = {**_kept(basis), **best, **sides}
    changes = tuple(Change(name, value) for name, value in wanted.items() if first.get(name) != value)
    # Said once for all that a law names: the number of processes is changed only to tell laws apart.
    return Proposal(f"{law.main} {'raised' if up else 'lowered'}", changes, _to_offer(expected, sides, rivals, basis))


def _kept(basis: Trial) -> dict[str, int]:
    return {each.name: each.value for each in basis.changes}


def _options(
    law: Law, rivals: Sequence[Rival], trials: Sequence[Trial], own: Mapping[str, int], *, up: bool
) -> Iterator[dict[str, int]]:
    by_name = {each.name: each for each in rivals}
    there = size(law, own) or 1
    choices = [list(_values(by_name[law.main], own[law.main], there, up=up))]
    names = [law.main]
    for each in rivals:
        if each.kind == "processes" and each.name != law.main and not each.fixed and each.name in own:
            names.append(each.name)
            # Along with the raised value it would hide what that alone does: a server may be another one with several
            # processes. Once is enough to see that.
            more = not up and not any(change.name == each.name for trial in trials for change in trial.changes)
            choices.append([own[each.name], own[each.name] + 1] if more else [own[each.name]])
    for values in product(*choices):
        yield dict(zip(names, values, strict=True))


def _values(rival: Rival, own: int, there: int, *, up: bool) -> Iterator[int]:
    """Values to try: with shares, each remainder, since one of them tells which constant is right."""
    if rival.kind == "processes":
        yield own + 1 if up else max(1, own - 1)
        return
    step = max(2, min(there, _MOST) // 4) * rival.share
    for more in range(rival.share + 2):
        value = own + step + more if up else own - step - more
        if rival.most is None or value <= rival.most:
            yield max(1, value)


def _told_apart(laws: Sequence[Law], values: Mapping[str, int], law: Law, basis: Trial) -> tuple[bool, int]:
    """Whether the law in question moves, and how few laws such a trial will leave, for the most part."""
    counts = Counter(size(each, values) for each in laws)
    return size(law, values) != measured(law.place, basis), -sum(each * each for each in counts.values())


def _sides(rivals: Sequence[Rival], basis: Trial, taken: set[str], expected: int, *, up: bool) -> dict[str, int]:
    """Values for the settings of the queues, small enough to be filled at once."""
    own, found = values_of(basis), {}
    for each in rivals:
        if each.name in taken or each.fixed or each.kind != "places" or each.name not in own:
            continue
        if each.place is Place.ACCEPT_QUEUE:
            low = _BACKLOGS[not up]
            found[each.name] = low if low < own[each.name] else own[each.name] + low
        elif each.place is Place.USERSPACE_QUEUE and own[each.name] > expected + max(_ROOM):
            found[each.name] = expected + _ROOM[not up]
    return found


def _to_offer(expected: int, sides: Mapping[str, int], rivals: Sequence[Rival], basis: Trial) -> int:
    processes = max(1, basis.processes or 1) + 1
    by_place = {each.name: each.place for each in rivals}
    room = sum(value * (processes if by_place[name] is Place.USERSPACE_QUEUE else 1) for name, value in sides.items())
    return expected + max(expected // 2, _BEYOND) + room


def _lowered_until_it_binds(rivals: Sequence[Rival], trials: Sequence[Trial]) -> Proposal | None:
    """A resource of which each request takes a share, lowered until it is the bound."""
    for rival in rivals:
        if rival.kind != "share" or rival.fixed or rival.share < 1 or rival.value is None:
            continue
        value = rival.share * _OF_UNBOUNDED[0] + _OWN_USE
        proposal = Proposal(
            f"{rival.name} lowered", (Change(rival.name, value),), _OF_UNBOUNDED[0] + _OWN_USE + 2 * _BEYOND
        )
        if value < rival.value and not _was_run(proposal, trials):
            return proposal
    return None


def _to_the_next(law: Law, rivals: Sequence[Rival], trials: Sequence[Trial], up_to: int) -> Proposal | None:
    first = trials[0]
    own = values_of(first)
    there = measured(Place.IN_SERVICE, first)
    if there is None or there >= up_to or law.main not in own:
        return None
    rival = next(each for each in rivals if each.name == law.main)
    value = own[law.main]
    while (size(law, {**own, law.main: value}) or 0) < up_to:
        value += 1
    value = value if rival.most is None else min(value, rival.most)
    reached = size(law, {**own, law.main: value}) or 0
    proposal = Proposal(f"{law.main} raised for {reached}", (Change(law.main, value),), reached + _BEYOND)
    return None if _was_run(proposal, trials) or value <= own[law.main] else proposal


def _all_others(rivals: Sequence[Rival], trials: Sequence[Trial], basis: Trial) -> Proposal | None:
    own = values_of(basis)
    changes: list[Change] = []
    for each in rivals:
        if each.fixed or each.kind in {"processes", "bytes"} or each.name not in own:
            continue
        raised = 2 * own[each.name] + len(changes) + 1
        value = raised if each.most is None else min(raised, each.most)
        if value > own[each.name]:
            changes.append(Change(each.name, value))
    there = measured(Place.IN_SERVICE, basis) or 1
    proposal = Proposal(ALL_RAISED, tuple(changes), 4 * there + 2 * _BEYOND)
    if not changes or any(each.purpose == ALL_RAISED for each in trials):
        return None
    return proposal
