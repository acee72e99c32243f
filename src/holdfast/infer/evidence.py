"""Which settings are left as the one that decides a place's size, and which trials prove one; pure.

Decisions
---------
* A place takes what the tightest of its limits allows. So a trial refutes a law that allows less than was seen, and
  never one that allows more: another limit may have been tighter there.
* A law is proved by a trial in which the place has another size than in the first one, as this law predicts and no law
  of any other setting does.
* Of the laws of one setting (with other constants, with the number of processes or without) those are left that predict
  the size of most trials: of a trial in which another limit was tighter, one of them may do so by chance.
* A trial is run again with the same changes where its size fits no law. The greater size counts: what was in service
  was seen, and a machine that is busy shows less than there is, never more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from holdfast.infer.laws import Law, at_least, candidate_laws, measured, size, values_of
from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.trial import SET_AT_START, Change, Rival, Trial

ALL_RAISED = "everything else raised"
AS_ASKED_AGAIN = "as asked, once more"


@frozen
class Suspect:
    """A setting that could decide.

    Attributes:
        name: of the setting.
        laws: those that no trial refutes, the simplest first.
        proved_by: the trials with another value whose size one of these laws predicts, and no law of another setting.
        shared: the trials whose size one of these predicts, with the same value or as a law of another setting does.
        certain: whether the trials suffice: one in which the place grew with this setting and not with all of them, or
            two of different sizes. What shrinks with a setting may have been bound by another one at first, and one of
            many sizes may fit by chance.
    """

    name: str
    laws: tuple[Law, ...]
    proved_by: tuple[Trial, ...]
    shared: tuple[Trial, ...]
    certain: bool


def as_found(rivals: Sequence[Rival], trials: Sequence[Trial]) -> tuple[Rival, ...]:
    """The rivals, those of them fixed that no trial could change: what starts the server sets them again."""
    return tuple(replace(each, fixed=SET_AT_START) if _was_set_again(each, trials) else each for each in rivals)


def _was_set_again(rival: Rival, trials: Sequence[Trial]) -> bool:
    asked = [each for each in trials[1:] if not each.failure and rival.name in {change.name for change in each.changes}]
    own = values_of(trials[0]).get(rival.name)
    return bool(asked) and all(
        values_of(each).get(rival.name) == own and rival.name not in {change.name for change in in_force(each)}
        for each in asked
    )


def in_force(trial: Trial) -> tuple[Change, ...]:
    """The changes of a trial that the server had; a limit may have been set again by what starts it."""
    values = values_of(trial)
    return tuple(each for each in trial.changes if values.get(each.name, each.value) == each.value)


def suspects(rivals: Sequence[Rival], trials: Sequence[Trial], place: Place = Place.IN_SERVICE) -> tuple[Suspect, ...]:
    """The settings that can be changed and whose laws fit the first trial that filled the place, likeliest first."""
    basis = basis_of(trials, place)
    if basis is None:
        return ()
    later = without_repeats(since(basis, trials)[1:])
    far = any(each.purpose == ALL_RAISED and is_moved(place, each, basis) for each in later)
    groups: dict[str, list[Law]] = {}
    free = [each for each in rivals if not each.fixed]
    for law in candidate_laws(place, basis, free, far=far):
        groups.setdefault(law.main, []).append(law)
    left = {name: found for name, laws in groups.items() if (found := _left(laws, later))}
    proved: dict[str, list[Trial]] = {name: [] for name in left}
    shared: dict[str, list[Trial]] = {name: [] for name in left}
    for trial in later:
        names = [name for name, laws in left.items() if is_moved(place, trial, basis) and _is_its(laws, trial, later)]
        # One that was raised for nothing is bound to be less tight than another, unless a trial proves it by itself.
        likely = [name for name in names if not _is_idle(left[name], later, basis)] or names
        for name in likely:
            alone = len(likely) == 1 and values_of(trial)[name] != values_of(basis)[name]
            (proved if alone else shared)[name].append(trial)
    return tuple(_suspect(name, laws, proved[name], shared[name], later, basis) for name, laws in left.items())


def _suspect(  # parameters: what is known of it
    name: str,
    laws: Sequence[Law],
    proved: Sequence[Trial],
    shared: Sequence[Trial],
    trials: Sequence[Trial],
    basis: Trial,
) -> Suspect:
    place, there = laws[0].place, measured(laws[0].place, basis) or 0
    grew = [each for each in proved if (at_least(place, each) or 0) > there]
    found = grew if _falls_otherwise(name, laws, trials, basis) else proved
    sizes = {measured(place, each) for each in found}
    # The kernel itself says how long an accept queue may become.
    certain = len(sizes) > (place is not Place.ACCEPT_QUEUE) or any(
        each.purpose != ALL_RAISED or len(each.changes) == 1 for each in grew
    )
    simplest = sorted(laws, key=lambda law: len(law.factors))
    return Suspect(name, tuple(simplest), tuple(found), tuple(shared), certain)


def proved_laws(rivals: Sequence[Rival], trials: Sequence[Trial], place: Place = Place.IN_SERVICE) -> tuple[Law, ...]:
    """The laws of the setting that decides; of several that are equally tight, one after the other.

    Returns:
        the simplest first; none where the trials prove no setting.
    """
    return tuple(law for each in suspects(rivals, trials, place) if each.certain for law in each.laws)


def as_asked_again(trials: Sequence[Trial]) -> Trial | None:
    """The trial in which nothing was changed; None where there was none."""
    return next((each for each in trials[1:] if not each.changes), None)


def differs(again: Trial, first: Trial) -> bool:
    """Whether the server did something else the second time, with nothing changed."""
    seen, there = measured(Place.IN_SERVICE, again), measured(Place.IN_SERVICE, first)
    return bool(again.failure) or (seen is not None and there is not None and seen != there)


def basis_of(trials: Sequence[Trial], place: Place = Place.IN_SERVICE) -> Trial | None:
    """The first trial in which a place was full; None where it never was."""
    return next((each for each in trials if measured(place, each) is not None), None)


def since(basis: Trial, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The trials from this one on."""
    return tuple(trials[trials.index(basis) :])


def without_repeats(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Of several trials with the same changes, the one that showed most."""
    best: dict[frozenset[tuple[str, int]], Trial] = {}
    for each in trials:
        key = frozenset((change.name, change.value) for change in each.changes)
        if key not in best or (each.in_service or 0) > (best[key].in_service or 0):
            best[key] = each
    return tuple(best.values())


def is_moved(place: Place, trial: Trial, basis: Trial) -> bool:
    """Whether the place was full, with another size."""
    return measured(place, trial) not in {None, measured(place, basis)}


def fits(trial: Trial, basis: Trial, found: Sequence[Suspect]) -> bool:
    """Whether the ceiling was met, and was as at first or as one of the laws predicts."""
    there = measured(Place.IN_SERVICE, trial)
    if there is None:
        return False
    return there == measured(Place.IN_SERVICE, basis) or any(_predicted(each.laws, trial) for each in found)


def _predicted(laws: Sequence[Law], trial: Trial) -> bool:
    return any(size(law, values_of(trial)) == measured(law.place, trial) for law in laws)


def _is_its(laws: Sequence[Law], trial: Trial, trials: Sequence[Trial]) -> bool:
    """Whether these laws predict the size of a trial, and it is not the size of another limit.

    It is that where another trial has the same size, and these laws allow more there.
    """
    if not _predicted(laws, trial):
        return False
    place = laws[0].place
    same = [each for each in trials if measured(place, each) == measured(place, trial)]
    return not any(_allow_more(laws, each) for each in same)


def _is_idle(laws: Sequence[Law], trials: Sequence[Trial], basis: Trial) -> bool:
    """Whether the place kept its size in a trial in which these laws allow more."""
    place = laws[0].place
    return any(measured(place, each) == measured(place, basis) and _allow_more(laws, each) for each in trials)


def _falls_otherwise(name: str, laws: Sequence[Law], trials: Sequence[Trial], basis: Trial) -> bool:
    """Whether the place shrank with this setting, and not as these laws say: a law that was no bound became one."""
    place, own = laws[0].place, values_of(basis)[name]
    lowered = [each for each in trials if values_of(each).get(name, own) < own and measured(place, each) is not None]
    shrank = [each for each in lowered if (measured(place, each) or 0) < (measured(place, basis) or 0)]
    return any(not _predicted(laws, each) for each in shrank)


def _allow_more(laws: Sequence[Law], trial: Trial) -> bool:
    there = measured(laws[0].place, trial)
    return there is not None and all((size(law, values_of(trial)) or 0) > there for law in laws)


def _left(laws: Sequence[Law], trials: Sequence[Trial]) -> tuple[Law, ...]:
    found = [law for law in laws if not any(_refutes(trial, law) for trial in trials)]
    right = [sum(size(law, values_of(each)) == measured(law.place, each) for each in trials) for law in found]
    return tuple(law for law, number in zip(found, right, strict=True) if number == max(right))


def _refutes(trial: Trial, law: Law) -> bool:
    seen, allowed = at_least(law.place, trial), size(law, values_of(trial))
    return seen is not None and allowed is not None and seen > allowed
