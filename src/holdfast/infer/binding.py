"""What the trials show: the setting that decides each place, those that were ruled out, and what is undecided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from holdfast.infer.advice import advice_of
from holdfast.infer.evidence import (
    Suspect,
    as_asked_again,
    as_found,
    basis_of,
    differs,
    in_force,
    proved_laws,
    since,
    suspects,
)
from holdfast.infer.further_bindings import bodies_that_run, in_the_body, of_memory, of_streams, of_switch, where
from holdfast.infer.laws import OWN_DESCRIPTORS, Law, at_least, borne_out, confirmed_by, measured, size, values_of
from holdfast.infer.overload import judge_overload
from holdfast.infer.silent import judge_silent
from holdfast.infer.slopes import cost_over
from holdfast.model.binding import INSIDE, Binding, NextBound, RuledOut
from holdfast.model.explanation import Explanation, ExplanationRecord, Undecided
from holdfast.model.limits import ADDRESS_SPACE, NOFILE
from holdfast.model.places import Place
from holdfast.model.trial import Rival, Trial, named
from holdfast.model.verdict import Verdict

PLACES = (Place.IN_SERVICE, Place.USERSPACE_QUEUE, Place.ACCEPT_QUEUE)
_FIELD = {
    Place.IN_SERVICE: "in_service",
    Place.USERSPACE_QUEUE: "userspace_queue",
    Place.ACCEPT_QUEUE: "accept_queue",
}
# What the law is of.
_WHAT = {**_FIELD, Place.USERSPACE_QUEUE: "in_service + userspace_queue"}
# Where a request takes several descriptors one after the other, the last of them may be taken by two, and suffice for
# neither.
_BY_CHANCE = 1
SOMAXCONN = "somaxconn"
# Limits of each process.
_EACH = frozenset({NOFILE, ADDRESS_SPACE})


def explanation_of(verdict: Verdict, record: ExplanationRecord) -> Explanation:
    """What the trials show.

    Args:
        verdict: of the first trial.
        record: with at least that trial.
    """
    record = replace(record, rivals=as_found(record.rivals, record.trials))
    rivals, trials = record.rivals, record.trials
    found = [binding_of(place, rivals, trials) for place in PLACES]
    bindings = tuple(_all_of(verdict, record, [each for each in found if isinstance(each, Binding)]))
    known = {each.place for each in bindings}
    undecided = tuple(
        _with_front(each, verdict) for each in found if isinstance(each, Undecided) and each.place not in known
    )
    own = next((each for each in bindings if each.place == "in_service"), None)
    unknown = {name: why for name, why in verdict.unknown.items() if own is None or name != "binding"}
    if own is None:
        unknown["binding"] = next(each.why for each in undecided if each.place == "in_service")
    return Explanation(
        verdict=replace(verdict, binding=own, unknown=unknown),
        trials=trials,
        rivals=rivals,
        bindings=bindings,
        ruled_out=() if own is None else own.ruled_out,
        undecided=undecided,
        reached=max((each.in_service for each in trials if each.in_service is not None), default=None),
        cost=cost_over(trials),
        seconds=record.seconds,
        advice=None if record.advice is None else advice_of(record.advice, trials[0], bodies_that_run(verdict)),
        overload=None if record.overload is None else judge_overload(record.overload),
        silent=None if record.silent is None else judge_silent(record.silent),
        interrupted=record.interrupted,
        out_of_time=record.out_of_time,
    )


def _with_front(undecided: Undecided, verdict: Verdict) -> Undecided:
    """With the front, whose settings no trial changes, where requests have a bound that no setting was found to be."""
    if verdict.front is None or undecided.place != "in_service" or not verdict.ceiling.bounded:
        return undecided
    return replace(
        undecided, why=f"{undecided.why}. What {verdict.front.program} in front of it allows was not changed"
    )


def _all_of(verdict: Verdict, record: ExplanationRecord, found: Sequence[Binding]) -> Iterator[Binding]:
    """With the lines of code at which requests wait, and with what bounds where no setting counts requests."""
    rivals, trials = record.rivals, record.trials
    own = of_switch(rivals, trials) or next((each for each in found if each.place == "in_service"), None)
    own = own or of_memory(rivals, trials)
    if own is not None and own.setting == INSIDE:
        own = replace(own, evidence=(*own.evidence, *where(verdict.waiting or (), "ramp")))
    if in_body := in_the_body(verdict, named(trials[0]), own):
        yield in_body
    elif own is not None:
        yield own
    yield from (each for each in found if each.place != "in_service")
    if streams := of_streams(rivals, trials):
        yield streams


def binding_of(place: Place, rivals: Sequence[Rival], trials: Sequence[Trial]) -> Binding | Undecided:
    """The setting that decides a place's size, or why that is not decided."""
    first = trials[0]
    basis = basis_of(trials, place)
    if basis is None:
        return Undecided(_FIELD[place], f"it was never full, with {first.offered} requests offered")
    found = suspects(rivals, trials, place)
    proved = [each for each in found if each.certain]
    if place is Place.ACCEPT_QUEUE and not proved and (capped := _capped(rivals, trials)):
        return capped
    if not proved and basis is first and (constant := _constant(place, rivals, trials, found)):
        return constant
    if not proved:
        return Undecided(_FIELD[place], _why_undecided(place, rivals, trials, found))
    law = borne_out(proved[0].laws[0], since(basis, trials))
    if basis is not first:
        why = _not_met(law, first, trials)
    else:
        why = _unexplained(law, rivals, first) if len(proved) == 1 else ""
    return Undecided(_FIELD[place], why) if why else _bound_by(proved, rivals, trials)


def _bound_by(proved: Sequence[Suspect], rivals: Sequence[Rival], trials: Sequence[Trial]) -> Binding:
    """By the first of the settings that were proved: where there are several, all are equally tight."""
    first, law = trials[0], borne_out(proved[0].laws[0], trials)
    others = [borne_out(each.laws[0], trials) for each in proved[1:]]
    within = _of_each_process(law, rivals, first)
    formula = law.formula if within in {None, INSIDE, *_EACH} else f"{' x '.join(law.factors)} x {within}"
    if others:
        formula = f"min({', '.join([formula, *(each.formula for each in others)])})"
    configured = law.times if within not in {None, *_EACH} else values_of(first).get(within or law.main)
    there = measured(law.place, first)
    assert there is not None
    return Binding(
        setting=_main(law, first) if within is None else within,
        place=_FIELD[law.place],
        configured=configured,
        effective=configured,
        formula=f"{_WHAT[law.place]} = {formula}",
        evidence=tuple(_sentence(law, trial) for trial in (first, *confirmed_by(law, trials))),
        ruled_out=tuple(_ruled_out(frozenset({*law.settings, *_mains(proved), within}), law, rivals, trials)),
        next=NextBound(others[0].main, there) if others else _next(law, rivals, trials),
    )


def _unexplained(law: Law, rivals: Sequence[Rival], first: Trial) -> str:
    """Why the number of processes is not what decides, where each takes several and nothing says why; "" if not so."""
    if law.setting or law.times == 1 or _of_each_process(law, rivals, first) is not None:
        return ""
    return (
        f"by the law {law.formula} each process takes {law.times}, and nothing that could be changed decides these "
        f"{law.times}"
    )


def _mains(proved: Sequence[Suspect]) -> Iterator[str]:
    return (each.name for each in proved)


def _main(law: Law, first: Trial) -> str:
    """The setting to name: of "workers x threads" with one thread each, it is the workers."""
    values = values_of(first)
    several = [name for name in law.factors if values[name] > 1]
    return several[0] if law.setting and values[law.setting] == 1 and several else law.main


def _of_each_process(law: Law, rivals: Sequence[Rival], first: Trial) -> str | None:
    """What bounds each process where only the number of processes could be changed; None if it is that number."""
    if law.setting or law.place is not Place.IN_SERVICE:
        return None
    met = _met([each for each in rivals if each.name in _EACH])
    return met or _fixed_limit(law.times, rivals, first) or (INSIDE if law.times > 1 and first.before_view else None)


def _fixed_limit(number: int, rivals: Sequence[Rival], first: Trial) -> str | None:
    """The limit of this size that cannot be changed here, on the side of the view on which the others wait."""
    found = [
        each.name
        for each in rivals
        if each.fixed
        and each.kind == "places"
        and each.place is Place.IN_SERVICE
        and each.value == number
        and each.inside == bool(first.before_view)
    ]
    return found[0] if len(found) == 1 else None


def _met(rivals: Sequence[Rival]) -> str | None:
    """The one limit that cannot be changed here, and that the kernel says was met."""
    found = [each.name for each in rivals if each.fixed and each.near]
    return found[0] if len(found) == 1 else None


def _constant(
    place: Place, rivals: Sequence[Rival], trials: Sequence[Trial], found: Sequence[Suspect]
) -> Binding | None:
    """What is left where nothing that was changed moved the place: a limit that cannot be changed here.

    It is named where one of that size is known, or where the others wait in the application. That follows only from
    changes: each setting that could decide was changed, and all of them together.
    """
    first, there = trials[0], measured(place, trials[0])
    tried = [each for each in trials[1:] if measured(place, each) == there]
    untried = {each.name for each in found} - {change.name for trial in trials[1:] for change in in_force(trial)}
    moved = any((at_least(place, each) or 0) > (there or 0) for each in trials[1:])
    if place is not Place.IN_SERVICE or there is None or untried or moved or any(each.shared for each in found):
        return None
    met = _met(rivals)
    name = met or _fixed_limit(there, rivals, first) or (INSIDE if first.before_view else None)
    if name is None or not (tried or not found):
        return None
    changed = [f"{named(each)}: {_said(each)}: {there}" for each in tried]
    waiting = f"{named(first)}: {first.before_view} waited in the application" if first.before_view else ""
    return Binding(
        setting=name,
        place=_FIELD[place],
        configured=None if name == INSIDE else there,
        effective=there,
        formula=f"{_FIELD[place]} = {there if name in {INSIDE, met} else name}",
        evidence=tuple(each for each in (f"{named(first)}: {there}", waiting, *changed) if each),
        ruled_out=tuple(RuledOut(change.name, named(each)) for each in tried[:1] for change in in_force(each)),
    )


def _said(trial: Trial) -> str:
    return ", ".join(f"{each.name}={each.value}" for each in in_force(trial)) or "nothing changed"


def _capped(rivals: Sequence[Rival], trials: Sequence[Trial]) -> Binding | None:
    """The kernel cuts a backlog to somaxconn without a word.

    Source: listen(2), Notes; Linux net/socket.c, __sys_listen().
    """
    first = trials[0]
    values = values_of(first)
    for each in rivals:
        asked = values.get(each.name)
        if each.place is not Place.ACCEPT_QUEUE or asked is None or first.somaxconn is None:
            continue
        follows = [
            trial
            for trial in trials[1:]
            if trial.backlog is not None and values_of(trial).get(each.name) == trial.backlog < first.somaxconn
        ]
        if asked > first.somaxconn == first.backlog and (follows or each.fixed):
            return Binding(
                setting=SOMAXCONN,
                place=_FIELD[Place.ACCEPT_QUEUE],
                configured=asked,
                effective=first.somaxconn,
                formula=f"accept_queue = min({each.name}, {SOMAXCONN}) + 1",
                evidence=tuple(
                    f"{named(trial)}: {each.name}={values_of(trial)[each.name]}: {trial.backlog} in force"
                    for trial in (first, *follows)
                ),
            )
    return None


def _sentence(law: Law, trial: Trial) -> str:
    values = values_of(trial)
    said = ", ".join(f"{name}={values[name]}" for name in (*law.factors, law.setting) if name in values)
    return f"{named(trial)}: {said}: {measured(law.place, trial)}"


def _ruled_out(
    named_ones: frozenset[str | None], law: Law, rivals: Sequence[Rival], trials: Sequence[Trial]
) -> Iterator[RuledOut]:
    """Each other rival, by the first trial that shows that it allowed more than there were."""
    there = measured(law.place, trials[0])
    assert there is not None
    for rival in rivals:
        if rival.name in named_ones:
            continue
        for trial in trials[1:]:
            reached = at_least(law.place, trial) or 0
            unchanged = values_of(trial).get(rival.name) == values_of(trials[0]).get(rival.name)
            if unchanged and reached > there:
                yield RuledOut(rival.name, f"{named(trial)}: as it was, it allowed {reached}")
                break
            if not unchanged and measured(law.place, trial) == size(law, values_of(trial)):
                now = values_of(trial).get(rival.name)
                yield RuledOut(rival.name, f"{named(trial)}: {now} instead of {rival.value} changed nothing")
                break


def next_bound(law: Law, rivals: Sequence[Rival], trials: Sequence[Trial], trial: Trial) -> NextBound | None:
    """What was met in a trial that took less than the law allows, and was full; None where it took all of it."""
    allowed, reached = size(law, values_of(trial)), measured(law.place, trial)
    if allowed is None or reached is None or not reached < allowed - _BY_CHANCE * (law.share > 1):
        return None
    return NextBound(_named_by_size(law, reached, trial, rivals, trials), reached)


def _next(law: Law, rivals: Sequence[Rival], trials: Sequence[Trial]) -> NextBound | None:
    if law.place is not Place.IN_SERVICE:
        return None
    alone = [each for each in trials[1:] if {change.name for change in each.changes} <= law.settings]
    return next((found for trial in alone if (found := next_bound(law, rivals, trials, trial))), None)


def _named_by_size(law: Law, reached: int, trial: Trial, rivals: Sequence[Rival], trials: Sequence[Trial]) -> str:
    values = values_of(trial)
    for other in proved_laws(rivals, trials, Place.USERSPACE_QUEUE):
        if size(other, values) == reached:
            return other.main
    processes = max(1, trial.processes or 1)
    for rival in rivals:
        if rival.name in law.settings or rival.name not in values:
            continue
        each = -(-reached // processes)
        if rival.kind == "places" and rival.place is not Place.ACCEPT_QUEUE and values[rival.name] in {reached, each}:
            return rival.name
        if rival.kind == "share" and 0 <= values[rival.name] - rival.share * each <= OWN_DESCRIPTORS:
            return rival.name
    return "something that was not varied"


def _not_met(law: Law, first: Trial, trials: Sequence[Trial]) -> str:
    at = size(law, values_of(first))
    runs = ", ".join(named(each) for each in confirmed_by(law, since(basis_of(trials, law.place) or first, trials)))
    return (
        f"no bound was met with {first.offered} requests; by the law {_WHAT[law.place]} = {law.formula} ({runs}) "
        f"{law.main} would be the bound at {at}"
    )


def _why_undecided(place: Place, rivals: Sequence[Rival], trials: Sequence[Trial], found: Sequence[Suspect]) -> str:
    if both := [each for each in found if each.shared]:
        formulas = " or ".join(law.formula for each in both for law in each.laws)
        return f"the trials do not tell these apart: {formulas}"
    there = measured(place, trials[0])
    again = as_asked_again(trials)
    if again is not None and again.failure:
        why = again.failure.rstrip(".")
        return f"the server could not be started again with nothing changed, so nothing could be tried: {why}"
    if again is not None and differs(again, trials[0]):
        return f"it differs from start to start: {there}, then {again.in_service} with nothing changed"
    changed = dict.fromkeys(each.name for trial in trials[1:] for each in in_force(trial))
    if not changed:
        return _why_nothing_changed(place, rivals, found)
    sizes = dict.fromkeys(seen for each in trials if (seen := measured(place, each)) is not None)
    if len(sizes) > 1:
        return f"its sizes fit no law of the settings that were changed: {', '.join(map(str, sizes))}"
    return f"it stayed at {there} whatever was changed: {', '.join(changed)}"


def _why_nothing_changed(place: Place, rivals: Sequence[Rival], found: Sequence[Suspect]) -> str:
    if found:
        return f"it ended before anything had been varied ({', '.join(each.name for each in found)})"
    names = ", ".join(each.name for each in rivals if each.place is place)
    if names and all(each.kind in {"share", "bytes"} for each in rivals):
        return f"no setting of the server was found that could be varied, and it is not near {names}"
    return f"nothing that bounds it could be varied ({names})" if names else "no setting is known to bound it"
