"""How the size of a place could follow from the settings, and whether a trial agrees.

Decisions
---------
* A law is complete: it has its constant, so that one trial can refute it. Where a resource is taken in shares of
  several, each constant that fits the first trial is a law of its own.
* A law with a setting that was not changed agrees with every trial in which nothing moved. It is confirmed only by a
  trial for which it predicts another size than the first one had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import prod

from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.trial import Rival, Trial

# A limit that counts a few things besides requests: the listener, a pipe, the request that is being judged.
_OWN_USE = 8
# Descriptors that a server has of its own: listeners, pipes, files of its libraries.
OWN_DESCRIPTORS = 96
_NO_NOTICE = 5
_FAR = 9


@frozen
class Law:
    """size = times x (product of `factors`) x floor((value of `setting` - constant) / share).

    Attributes:
        factors: settings that count processes.
        setting: "" where the size follows from the factors alone.
        times: requests that each process takes where there is no setting for it, else 1.
    """

    place: Place
    factors: tuple[str, ...]
    setting: str = ""
    share: int = 1
    constant: int = 0
    times: int = 1

    @property
    def settings(self) -> frozenset[str]:
        """All that it depends on."""
        return frozenset({*self.factors, self.setting} - {""})

    @property
    def main(self) -> str:
        """The setting that it is named by."""
        return self.setting or self.factors[0]

    @property
    def formula(self) -> str:
        """As `workers x threads` or `(nofile - 4) / 4`."""
        parts = list(self.factors)
        if self.setting:
            sign = "-" if self.constant > 0 else "+"
            inner = f"{self.setting} {sign} {abs(self.constant)}" if self.constant else self.setting
            if self.share > 1:
                inner = f"({inner}) / {self.share}" if self.constant else f"{inner} / {self.share}"
            parts.append(f"({inner})" if parts and inner != self.setting else inner)
        if self.times > 1 or not self.setting:
            parts.append(str(self.times))
        return " x ".join(parts)


def size(law: Law, values: Mapping[str, int]) -> int | None:
    """What the law predicts; None where a value is not known."""
    if any(name not in values for name in law.settings):
        return None
    own = (values[law.setting] - law.constant) // law.share if law.setting else 1
    return max(0, law.times * prod(values[name] for name in law.factors) * own)


def measured(place: Place, trial: Trial) -> int | None:
    """The size of a place in a trial, where it was driven full; else None."""
    if place is Place.IN_SERVICE:
        return trial.in_service if trial.bounded else None
    if place is Place.USERSPACE_QUEUE:
        # A server that accepts no request before a handler is free for it has no such place.
        waits = trial.accepted is not None and trial.accepted != trial.in_service
        return trial.accepted if trial.accepted_bounded and waits else None
    # The kernel says how long it is, whether it was full or not: its limit, and one more.
    return None if trial.backlog is None else trial.backlog + 1


def at_least(place: Place, trial: Trial) -> int | None:
    """What the place took at least, whether it was full or not; None where nothing was measured."""
    return {Place.IN_SERVICE: trial.in_service, Place.USERSPACE_QUEUE: trial.accepted}.get(place, trial.accept_queue)


def candidate_laws(place: Place, first: Trial, rivals: Sequence[Rival], *, far: bool = False) -> tuple[Law, ...]:
    """The laws that agree with the first trial, most plausible first; none where the place was not full.

    Args:
        far: a setting far from the size of the place is a candidate too. That is worth asking only once none that is
            near has turned out to decide.
    """
    there = measured(place, first)
    if there is None or there < 1:
        return ()
    values = values_of(first)
    # Of several settings of one name, the one that is said to bound this place.
    known = [each for each in rivals if each.name in values]
    processes = [each.name for each in known if each.kind == "processes"]
    ranked: list[tuple[int, Law]] = []
    for rival in known:
        # What is accepted is a limit of what is in service, too.
        of_both = place is Place.IN_SERVICE and rival.place is Place.USERSPACE_QUEUE
        if rival.kind == "share" or (rival.kind == "places" and (rival.place is place or of_both)):
            ranked += _of_setting(place, there, values, rival, processes, far=far)
    # Behind the settings of the same rank: raising one of those tells at once which it is.
    ranked += _of_processes(place, there, values, processes)
    found = dict.fromkeys(law for _, law in sorted(ranked, key=lambda each: each[0]))
    return tuple(found)


def confirmed_by(law: Law, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The trials whose size the law predicts, and in which it differs from that of the first."""
    there = measured(law.place, trials[0])
    found = (each for each in trials[1:] if measured(law.place, each) not in {None, there})
    return tuple(each for each in found if size(law, values_of(each)) == measured(law.place, each))


def borne_out(law: Law, trials: Sequence[Trial]) -> Law:
    """The law without each number of processes that was one at first, and that it does not hold for beyond one.

    Several processes may have a constant of their own: pipes to a master, for example.

    Args:
        trials: the first is the one that the law agrees with.
    """
    own = values_of(trials[0])
    kept = [name for name in law.factors if own[name] != 1 or not _fails_beyond_one(name, law, trials[1:])]
    return replace(law, factors=tuple(kept)) if law.setting else law


def _fails_beyond_one(name: str, law: Law, trials: Sequence[Trial]) -> bool:
    full = [each for each in trials if values_of(each).get(name, 1) != 1 and measured(law.place, each) is not None]
    return bool(full) and not any(size(law, values_of(each)) == measured(law.place, each) for each in full)


def values_of(trial: Trial) -> dict[str, int]:
    """The values of the rivals in a trial, by name."""
    return {each.name: each.value for each in trial.values}


def _of_processes(
    place: Place, there: int, values: Mapping[str, int], processes: Sequence[str]
) -> Iterator[tuple[int, Law]]:
    """Each process takes as many requests as it takes."""
    for name in processes:
        times, rest = divmod(there, values[name])
        if not rest and times:
            yield (1 if times == 1 else 4), Law(place, (name,), times=times)


def _of_setting(  # parameters: what a law is made of
    place: Place, there: int, values: Mapping[str, int], rival: Rival, processes: Sequence[str], *, far: bool
) -> Iterator[tuple[int, Law]]:
    for number in range(len(processes) + 1):
        for factors in combinations(processes, number):
            each, rest = divmod(there, prod(values[name] for name in factors))
            if rest or not each or rival.share < 1:
                continue
            most = values[rival.name] - rival.share * each
            for constant in range(most - rival.share + 1, most + 1):
                rank = _rank(rival, constant)
                rank = _FAR if rank is None and far else rank
                if rank is not None:
                    yield rank, Law(place, factors, rival.name, rival.share, constant)


def _rank(rival: Rival, constant: int) -> int | None:
    """How plausible it is that so much of a setting is used otherwise; None where it is not."""
    if rival.kind == "share":
        if not 0 <= constant <= OWN_DESCRIPTORS:
            return None
        return 0 if rival.near else 3
    if not rival.counts and abs(constant) <= _OWN_USE:
        return _NO_NOTICE
    if constant == 0:
        return 1
    return 2 if abs(constant) <= _OWN_USE else None
