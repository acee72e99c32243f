"""Which trial to run next: the one that tells apart what is left.

Decisions
---------
* The most plausible setting is raised first, with all others as they were. If the place grows as its law says, nothing
  else was the bound: every other limit let more through.
* Then it is lowered: a law of three points, one on each side. A number of processes is raised by one along with that,
  so that "threads" is told from "workers x threads".
* Where the most plausible setting does not move the place, everything is raised together, each to another size: the one
  that the size follows decides. If that does nothing, no setting that can be raised does. Those that can only be
  lowered are.
* A trial that says nothing (the server did not start, there were not enough requests, the size fits no law) is run
  again with that one setting changed and by less, and then once more as it was.
* Where none but the first trial succeeds, and where sizes fit no law, the server is started once more with nothing
  changed: a command may run only once, and a server may differ from start to start.
* Last, the setting is raised to the number that the person wants to know about, with everything else as it was: what
  binds there is the next limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.infer.evidence import (
    ALL_RAISED,
    AS_ASKED_AGAIN,
    Suspect,
    as_asked_again,
    as_found,
    basis_of,
    differs,
    fits,
    is_moved,
    since,
    suspects,
)
from holdfast.infer.further_bindings import memory_changes, of_switch
from holdfast.infer.laws import Law, measured, size, values_of
from holdfast.infer.trial_values import BEYOND, Proposal, all_raised, alone, least_of, moved, streams_beside
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, Trial

# Requests in service of the trial of a server that met no bound, and what it takes besides, of what they share.
_OF_UNBOUNDED = 90
_OWN_USE = 40
# Of requests in service, and where only further processes take them: what is looked for beyond the present ceiling.
MORE = 4
_MORE_PROCESSES = 2
# Settings that are lowered where raising all of them did nothing, likeliest first.
_LOWERED = 2
# Trials that one setting gets in one direction: with others, alone, and alone once more.
_TRIES = 3
# Further trials that only tell laws of one setting apart.
_FURTHER = 3


def next_trial(rivals: Sequence[Rival], trials: Sequence[Trial], up_to: int | None) -> Proposal | None:
    """The next trial; None where there is nothing left that one would decide.

    Args:
        rivals: with what the first trial shows of them.
        trials: so far, at least the first.
        up_to: number of requests in service up to which the next bound is looked for; 0 looks for none, None is four
            times as many as there are, and twice as many where each of them takes a process.
    """
    first, again, rivals = trials[0], as_asked_again(trials), as_found(rivals, trials)
    if again is None and trials[-1].failure and all(each.failure for each in trials[1:]):
        return Proposal(AS_ASKED_AGAIN, (), first.offered)
    if again is not None and differs(again, first):
        return None
    wanted = _wanted(rivals, trials, up_to)
    unexplained = wanted is None and again is None and not any(each.certain for each in suspects(rivals, trials))
    basis = basis_of(trials)
    if unexplained and basis is not None and any(is_moved(Place.IN_SERVICE, each, basis) for each in trials):
        return Proposal(AS_ASKED_AGAIN, (), first.offered)
    return wanted


def _wanted(rivals: Sequence[Rival], trials: Sequence[Trial], up_to: int | None) -> Proposal | None:
    basis = basis_of(trials)
    if basis is None:
        return _lowered_until_it_binds(rivals, trials) or _of_streams(rivals, trials)
    if (wanted := _switched_on(rivals, trials, up_to)) or of_switch(rivals, trials):
        return wanted
    found = suspects(rivals, trials)
    proved = [each for each in found if each.proved_by]
    shared = [each for each in found if each.shared]
    wanted = _to_be_sure(proved, rivals, trials) if proved else None
    certain = [each for each in proved if each.certain]
    if wanted is None and not certain:
        of_memory = memory_changes(rivals, trials)
        wanted = Proposal(of_memory[0], (of_memory[1],), of_memory[2]) if of_memory else None
        return wanted or _to_tell_apart(shared or found, rivals, trials) or _of_streams(rivals, trials)
    if wanted is None and basis is trials[0]:
        return _of_streams(rivals, trials) or _to_the_next(certain[0].laws[0], rivals, trials, up_to)
    return wanted


def _switched_on(rivals: Sequence[Rival], trials: Sequence[Trial], up_to: int | None) -> Proposal | None:
    """The trial with a switch turned on, where one request at a time runs with it off."""
    for rival in rivals if measured(Place.IN_SERVICE, trials[0]) == 1 else ():
        on = Proposal(f"{rival.name} on", (Change(rival.name, 1),), max(BEYOND, up_to or 0))
        if rival.kind == "switch" and not rival.fixed and not _was_run(on, trials):
            return on
    return None


def _to_be_sure(proved: Sequence[Suspect], rivals: Sequence[Rival], trials: Sequence[Trial]) -> Proposal | None:
    """The trial on the other side, and those that tell apart what is left of the law."""
    suspect = proved[0]
    for up in (True, False):
        if proposal := _tried(suspect, suspect.laws, rivals, trials, up=up):
            return proposal
    once_more = alone(suspect.laws[0], rivals, _ends(trials), up=False)
    if not suspect.certain and _can_fall(suspect.laws[0], _ends(trials)[1]) and not _was_run(once_more, trials):
        return once_more
    told = [each for each in trials if each.purpose.startswith(f"{suspect.name} ")]
    if len(suspect.laws) > 1 and len(told) < 2 + _FURTHER:
        for up in (False, True):
            proposal = moved(suspect.laws[0], suspect.laws, rivals, _ends(trials), up=up)
            if not _was_run(proposal, trials):
                return proposal
    return None


def _to_tell_apart(found: Sequence[Suspect], rivals: Sequence[Rival], trials: Sequence[Trial]) -> Proposal | None:
    """The trial with the likeliest setting raised; then everything; then the rest one by one, last lowered."""
    laws = [law for each in found for law in each.laws]
    fruitless = False
    for suspect, up in _in_turn(found, rivals, trials):
        if fruitless and (together := _together(rivals, trials)):
            return together
        if proposal := _tried(suspect, laws, rivals, trials, up=up):
            return proposal
        fruitless = True
    return _together(rivals, trials)


def _in_turn(
    found: Sequence[Suspect], rivals: Sequence[Rival], trials: Sequence[Trial]
) -> Iterator[tuple[Suspect, bool]]:
    basis = basis_of(trials)
    assert basis is not None
    risen = [each for each in trials if each.purpose == ALL_RAISED]
    # Raised together, none of them moved the place: only what cannot be raised is left, and processes.
    idle = any(measured(Place.IN_SERVICE, each) == measured(Place.IN_SERVICE, basis) for each in risen)
    counted = {each.name for each in rivals if each.kind == "processes"}
    for suspect in found:
        if _can_rise(suspect.laws[0], rivals, basis) and (not idle or suspect.name in counted):
            yield suspect, True
    # Of two limits that are equally tight, one shows only when it is lowered, and so does one that meets the next soon.
    for place, suspect in enumerate(found):
        if not idle or place < _LOWERED or suspect.name in counted or not _can_rise(suspect.laws[0], rivals, basis):
            yield suspect, False


def _tried(
    suspect: Suspect, laws: Sequence[Law], rivals: Sequence[Rival], trials: Sequence[Trial], *, up: bool
) -> Proposal | None:
    """The next trial of one setting in one direction; None where one has said something, or none will."""
    ends, law = _ends(trials), suspect.laws[0]
    basis = ends[-1]
    if not (_can_rise(law, rivals, basis) if up else _can_fall(law, basis)):
        return None
    tries = [each for each in since(basis, trials)[1:] if _is_try(each, law, basis, up=up)]
    found = suspects(rivals, trials)
    if any(fits(each, basis, found) for each in tries) or len(tries) >= _TRIES:
        return None
    if not tries:
        return moved(law, laws, rivals, ends, up=up)
    again = alone(law, rivals, ends, up=up)
    same = [each for each in trials if set(each.changes) == set(again.changes)]
    # What the server refuses, it refuses again, and as many requests are too few again. A size is looked at twice.
    return None if len(same) > 1 or any(measured(law.place, each) is None for each in same) else again


def _ends(trials: Sequence[Trial]) -> tuple[Trial, Trial]:
    basis = basis_of(trials)
    assert basis is not None
    return trials[0], basis


def _is_try(trial: Trial, law: Law, basis: Trial, *, up: bool) -> bool:
    if trial.purpose == ALL_RAISED or not trial.purpose.startswith(f"{law.main} "):
        return False
    own = values_of(basis)[law.main]
    given = [each.value for each in trial.changes if each.name == law.main] or [own]
    return given[0] > own if up else given[0] < own


def _was_run(proposal: Proposal, trials: Sequence[Trial]) -> bool:
    return any(set(each.changes) == set(proposal.changes) for each in trials)


def _can_rise(law: Law, rivals: Sequence[Rival], basis: Trial) -> bool:
    rival = next(each for each in rivals if each.name == law.main)
    return rival.most is None or rival.most >= values_of(basis)[law.main] + law.share


def _can_fall(law: Law, basis: Trial) -> bool:
    values = values_of(basis)
    return values[law.main] > least_of(law) and (size(law, values) or 0) > 1


def _together(rivals: Sequence[Rival], trials: Sequence[Trial]) -> Proposal | None:
    laws = [law for each in suspects(rivals, trials) for law in each.laws]
    proposal = all_raised(laws, rivals, _ends(trials))
    return None if proposal is None or any(each.purpose == ALL_RAISED for each in trials) else proposal


def _of_streams(rivals: Sequence[Rival], trials: Sequence[Trial]) -> Proposal | None:
    """The trial with another number of streams of one connection, where no other trial has had one."""
    first = trials[0]
    for rival in rivals:
        own = values_of(first).get(rival.name)
        if rival.kind != "streams" or rival.fixed or own is None or first.streams is None:
            continue
        if all(values_of(each).get(rival.name) == own for each in trials):
            change = Change(rival.name, streams_beside(rival, own, up=True))
            return Proposal(f"{rival.name} raised", (change,), 2 * change.value + BEYOND)
    return None


def _lowered_until_it_binds(rivals: Sequence[Rival], trials: Sequence[Trial]) -> Proposal | None:
    """A resource of which each request takes a share, lowered until it is the bound."""
    for rival in rivals:
        if rival.kind != "share" or rival.fixed or rival.share < 1 or rival.value is None:
            continue
        value = rival.share * _OF_UNBOUNDED + _OWN_USE
        proposal = Proposal(
            f"{rival.name} lowered", (Change(rival.name, value),), _OF_UNBOUNDED + _OWN_USE + 2 * BEYOND
        )
        if value < rival.value and not _was_run(proposal, trials):
            return proposal
    return None


def _to_the_next(law: Law, rivals: Sequence[Rival], trials: Sequence[Trial], wanted: int | None) -> Proposal | None:
    first = trials[0]
    own = values_of(first)
    there = measured(Place.IN_SERVICE, first)
    up_to = (MORE if law.setting else _MORE_PROCESSES) * (there or 0) if wanted is None else wanted
    if there is None or there >= up_to or law.main not in own:
        return None
    rival = next(each for each in rivals if each.name == law.main)
    value = own[law.main]
    while (size(law, {**own, law.main: value}) or 0) < up_to:
        value += 1
    value = value if rival.most is None else min(value, rival.most)
    reached = size(law, {**own, law.main: value}) or 0
    proposal = Proposal(f"{law.main} raised for {reached}", (Change(law.main, value),), reached + BEYOND)
    needless = _was_reached(proposal, reached, rivals, trials) or _is_refused(proposal.changes[0], trials)
    return None if value <= own[law.main] or needless else proposal


def _is_refused(raised: Change, trials: Sequence[Trial]) -> bool:
    """Whether the server did not even run with less of this setting, and nothing else changed."""
    alone = [each.changes[0] for each in trials if each.failure and len(each.changes) == 1]
    return any(each.name == raised.name and each.value <= raised.value for each in alone)


def _was_reached(proposal: Proposal, reached: int, rivals: Sequence[Rival], trials: Sequence[Trial]) -> bool:
    """Whether a trial with these changes, and those of the queues at most, has shown what it was to show."""
    queues = {each.name for each in rivals if each.place is not Place.IN_SERVICE}
    return _was_run(proposal, trials) or any(
        {each for each in trial.changes if each.name not in queues} == set(proposal.changes)
        and measured(Place.IN_SERVICE, trial) == reached
        for trial in trials
    )
