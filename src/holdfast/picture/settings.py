"""How the size of a place went with each setting that was varied: each run as a point, and the law between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.infer.binding import PLACES
from holdfast.infer.evidence import basis_of, proved_laws
from holdfast.infer.laws import Law, measured, size, values_of
from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.trial import Rival, Trial

_MOST_POINTS = 200


@frozen
class Run:
    """One trial of a chart.

    Attributes:
        value: of the setting.
        size: of the place.
        full: the place was full; otherwise it takes at least so many.
        others: values of the other settings that were varied; "" where they are those of the first trial.
    """

    run: int | None
    purpose: str
    value: int
    size: int
    full: bool
    others: str


@frozen
class SettingChart:
    """One setting and one place.

    Attributes:
        formula: the law by which the size follows from this setting; "" where this setting does not decide it.
        law: values of the setting, and the size that the law gives with all other settings as in the first trial.
    """

    setting: str
    place: str
    runs: tuple[Run, ...]
    formula: str
    law: tuple[tuple[int, int], ...]


def setting_charts(rivals: Sequence[Rival], trials: Sequence[Trial]) -> tuple[SettingChart, ...]:
    """A chart for each setting that had several values while a place could be measured."""
    return tuple(chart for place in PLACES for chart in _of_place(place, rivals, trials))


def _of_place(place: Place, rivals: Sequence[Rival], trials: Sequence[Trial]) -> Iterator[SettingChart]:
    laws = proved_laws(rivals, trials, place)
    varied = list(dict.fromkeys(change.name for trial in trials for change in trial.changes))
    for setting in varied:
        law = next((each for each in laws if setting in each.settings), None)
        own = any(each.name == setting and each.place is place for each in rivals)
        runs = tuple(_runs(place, setting, varied, trials))
        if (law or own) and len({each.value for each in runs}) > 1:
            formula = law.formula if law is not None else ""
            yield SettingChart(setting, place.value, runs, formula, tuple(_curve(law, setting, runs, trials)))


def _runs(place: Place, setting: str, varied: Sequence[str], trials: Sequence[Trial]) -> Iterator[Run]:
    first = values_of(trials[0])
    for trial in trials:
        values, (found, full) = values_of(trial), _size(place, trial)
        if found is None or setting not in values:
            continue
        moved = (name for name in varied if name != setting and values.get(name) != first.get(name))
        others = [f"{name}={values[name]}" for name in moved if name in values]
        yield Run(trial.run, trial.purpose, values[setting], found, full, ", ".join(others))


def _size(place: Place, trial: Trial) -> tuple[int | None, bool]:
    full = measured(place, trial)
    if full is not None:
        return full, True
    return {Place.IN_SERVICE: trial.in_service, Place.USERSPACE_QUEUE: trial.accepted}.get(place), False


def _curve(law: Law | None, setting: str, runs: Sequence[Run], trials: Sequence[Trial]) -> Iterator[tuple[int, int]]:
    basis = basis_of(trials, law.place) if law is not None else None
    if law is None or basis is None:
        return
    values = values_of(basis)
    least, most = min(each.value for each in runs), max(each.value for each in runs)
    step = max(1, -(-(most - least) // _MOST_POINTS))
    for value in sorted({*range(least, most + 1, step), most}):
        found = size(law, {**values, setting: value})
        if found is not None:
            yield value, found
