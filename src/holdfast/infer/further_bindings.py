"""What decides where no setting counts requests: code in a body, streams of one connection, memory, a switch; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from holdfast.infer.evidence import basis_of, without_repeats
from holdfast.infer.laws import measured, values_of
from holdfast.model.binding import INSIDE, Binding, NextBound, RuledOut
from holdfast.model.places import Place
from holdfast.model.sizes import shown_size
from holdfast.model.trial import Change, Rival, Trial, named
from holdfast.model.verdict import Verdict
from holdfast.model.waiting import Waiting

ONE_CONNECTION = "one_connection"
# Of memory, a trial takes so much more and so much less.
_OF_MEMORY = 4


def bodies_that_run(verdict: Verdict) -> int | None:
    """How many bodies the application runs at once; None where no fewer than there are requests in service."""
    call, there = verdict.call, verdict.ceiling.in_service
    if call is None or call.running is None or there is None or call.running >= there:
        return None
    return call.running


def in_the_body(verdict: Verdict, run: str, own: Binding | None) -> Binding | None:
    """That the application itself runs fewer bodies than there are requests in service; None where it does not.

    Args:
        run: how the run of this verdict is referred to.
        own: what decides how many are in service.
    """
    call, there, running = verdict.call, verdict.ceiling.in_service, bodies_that_run(verdict)
    if call is None or there is None or running is None:
        return None
    return Binding(
        setting=INSIDE,
        place="in_service",
        configured=None,
        effective=running,
        formula=f"bodies that run = {running}",
        evidence=(f"{run}: {running} of {call.at_once} bodies ran", *where(verdict.waiting or (), "call")),
        next=None if own is None else NextBound(own.setting, there),
    )


def where(waiting: Sequence[Waiting], phase: str) -> Iterator[str]:
    """The lines of code at which requests wait in the application."""
    for each in waiting:
        if each.phase == phase:
            parts = [f"at {each.file}:{each.line} in {each.function}"] if each.file else []
            parts += [f"({each.waits_in})"] if each.waits_in else []
            yield " ".join([f"{each.requests} wait", *parts])


def of_streams(rivals: Sequence[Rival], trials: Sequence[Trial]) -> Binding | None:
    """What decides how many streams of one HTTP/2 connection are in service; None where that was not shown."""
    first = trials[0]
    if first.streams is None:
        return None
    for rival in rivals:
        own = values_of(first).get(rival.name)
        if rival.kind != "streams" or own is None:
            continue
        constant = own - first.streams
        seen = [(each, values_of(each)[rival.name]) for each in trials if rival.name in values_of(each)]
        others = [(each, value) for each, value in seen if value != own and each.streams is not None]
        if others and 0 <= constant <= 1 and all(each.streams == value - constant for each, value in others):
            inner = f"{rival.name} - {constant}" if constant else rival.name
            return Binding(
                setting=rival.name,
                place=ONE_CONNECTION,
                configured=own,
                effective=own,
                formula=f"{ONE_CONNECTION} = {inner}",
                evidence=tuple(
                    _of_a_run(each, rival.name, value, each.streams) for each, value in [(first, own), *others]
                ),
            )
    return None


def memory_changes(rivals: Sequence[Rival], trials: Sequence[Trial]) -> tuple[str, Change, int] | None:
    """The next trial of a memory limit that was met: what for, the change, how many requests to offer; else None."""
    first = trials[0]
    there = measured(Place.IN_SERVICE, first)
    for rival in rivals:
        if rival.kind != "bytes" or not rival.near or rival.value is None or there is None:
            continue
        step = rival.value // _OF_MEMORY
        for what, value in (("raised", rival.value + step), ("lowered", rival.value - step)):
            if not any(values_of(each).get(rival.name) == value for each in trials):
                return f"{rival.name} {what}", Change(rival.name, value), 2 * there + 150
    return None


def of_memory(rivals: Sequence[Rival], trials: Sequence[Trial]) -> Binding | None:
    """That the size of the place follows a limit on memory: more with more of it, fewer with less; else None."""
    basis = basis_of(trials)
    if basis is None or basis is not trials[0]:
        return None
    for rival in rivals:
        if rival.kind == "bytes" and rival.value is not None and (found := _follows(rival, rival.value, basis, trials)):
            return found
    return None


def _follows(rival: Rival, own: int, basis: Trial, trials: Sequence[Trial]) -> Binding | None:
    there = measured(Place.IN_SERVICE, basis) or 0
    alone = [each for each in without_repeats(trials[1:]) if [change.name for change in each.changes] == [rival.name]]
    sizes = [(values_of(each)[rival.name], measured(Place.IN_SERVICE, each), each) for each in alone]
    seen = [(value, size, each) for value, size, each in sizes if size is not None]
    more = next((each for each in seen if each[0] > own and each[1] > there), None)
    less = next((each for each in seen if each[0] < own and each[1] < there), None)
    if more is None or less is None:
        return None
    share = (more[0] - less[0]) / (more[1] - less[1])
    rest = own - there * share
    return Binding(
        setting=rival.name,
        place="in_service",
        configured=own,
        effective=own,
        formula=f"in_service = about ({rival.name} - {shown_size(round(rest))}) / {shown_size(round(share))}",
        evidence=tuple(
            _of_a_run(each, rival.name, shown_size(value), size)
            for value, size, each in ((own, there, basis), more, less)
        ),
    )


def of_switch(rivals: Sequence[Rival], trials: Sequence[Trial]) -> Binding | None:
    """That one request at a time runs because something is off: with it on, and nothing else changed, more do."""
    if measured(Place.IN_SERVICE, trials[0]) != 1:
        return None
    for rival in rivals:
        on = next((each for each in trials[1:] if each.changes == (Change(rival.name, 1),)), None)
        if rival.kind != "switch" or on is None or (on.in_service or 0) <= 1:
            continue
        more = f"{on.in_service}{'' if on.bounded else ' or more'}"
        others = [each.name for each in rivals if each.name != rival.name]
        return Binding(
            setting=rival.name,
            place="in_service",
            configured=0,
            effective=0,
            formula=f"in_service = 1 while {rival.name} is off",
            evidence=(f"{named(trials[0])}: {rival.name} off: 1", f"{named(on)}: {rival.name} on: {more}"),
            ruled_out=tuple(RuledOut(name, f"{named(on)}: as it was, it allowed {on.in_service}") for name in others),
        )
    return None


def _of_a_run(trial: Trial, name: str, value: object, size: object) -> str:
    return f"{named(trial)}: {name}={value}: {size}"
