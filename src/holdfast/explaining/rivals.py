"""The settings and limits that could decide, as data: what each counts, its value, and whether it can be changed."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from holdfast.model.experiment import Experiment
from holdfast.model.limits import ADDRESS_SPACE, MEMORY_MAX, NOFILE, NPROC, PIDS_MAX, THREADS_MAX
from holdfast.model.places import Place
from holdfast.model.trial import Change, Rival, RivalKind
from holdfast.model.verdict import Verdict
from holdfast.model.waiting import VARIED
from holdfast.servers.adapter import Setting
from holdfast.servers.effective import DEFAULT, SettingInForce
from holdfast.servers.settings_of import settings_of, with_settings

_OF_A_GROUP = "it is set for a group of processes, or for the whole machine"
_NUMBERS_OF_PROCESSES = frozenset({"workers", "processes"})


def rivals_of(experiment: Experiment, verdict: Verdict) -> tuple[Rival, ...]:
    """All that could decide a place's size, with what the first verdict shows of it."""
    return (
        *_of_server(settings_of(experiment, os.environ), verdict, http2=experiment.http2),
        *_of_libraries(verdict),
        *_of_environment(experiment, verdict),
    )


def values_in(experiment: Experiment, verdict: Verdict | None) -> tuple[Change, ...]:
    """The values of all settings and limits in an experiment, by name; those in force where a verdict says so."""
    known = ((each.setting.name, _value(each, verdict)) for each in settings_of(experiment, os.environ))
    values = {name: value for name, value in known if value is not None}
    values |= dict(experiment.library_limits)
    if verdict is not None:
        values |= {each.name: each.limit for each in verdict.libraries or () if each.limit is not None}
    limits = None if verdict is None else verdict.limits
    for name, asked, in_force in (
        (NOFILE, experiment.nofile, limits and limits.nofile),
        (NPROC, experiment.nproc, limits and limits.nproc),
        (ADDRESS_SPACE, experiment.address_space, limits and limits.address_space),
    ):
        if (value := in_force or asked) is not None:
            values[name] = value
    return tuple(Change(name, value) for name, value in values.items())


def with_changes(experiment: Experiment, changes: Sequence[Change], offered: int, scratch: Path) -> Experiment:
    """The experiment with other values for some settings and limits.

    Args:
        scratch: a directory for copies of the server's configuration files, as in `with_settings`.

    Raises:
        UsageError: one of them cannot be varied.
    """
    changed = replace(experiment, max_offered=offered, call=False, brief=True)
    for each in changes:
        if each.name == NOFILE:
            changed = replace(changed, nofile=each.value)
        elif each.name == NPROC:
            changed = replace(changed, nproc=each.value)
        elif each.name == ADDRESS_SPACE:
            changed = replace(changed, address_space=each.value)
        elif each.name in VARIED:
            others = tuple(pair for pair in changed.library_limits if pair[0] != each.name)
            changed = replace(changed, library_limits=(*others, (each.name, each.value)))
        else:
            changed = with_settings(changed, {each.name: each.value}, scratch, os.environ)
    return changed


def _of_server(settings: Sequence[SettingInForce], verdict: Verdict, *, http2: bool) -> Iterator[Rival]:
    for found in settings:
        each, value = found.setting, _value(found, verdict)
        counts_processes = each.name in _NUMBERS_OF_PROCESSES
        if (
            value is None
            # On, it bounds nothing.
            or (each.words and value != 0)
            # What the server takes no notice of is tried where it was given, to show so.
            or (not each.counts and found.origin == DEFAULT)
            or (each.for_streams and not http2)
            or (counts_processes and not (each.counts and value == verdict.model.processes))
        ):
            continue
        yield Rival(
            each.name,
            each.bounds,
            _kind(each, counts_processes=counts_processes),
            value,
            fixed=found.fixed,
            least=each.least,
            counts=each.counts,
        )


def _kind(setting: Setting, *, counts_processes: bool) -> RivalKind:
    if setting.words:
        return "switch"
    return "processes" if counts_processes else "streams" if setting.for_streams else "places"


def _value(found: SettingInForce, verdict: Verdict | None) -> int | None:
    """The value that is known beforehand.

    Of one that something computes, such as a file that is not run: of a number of processes, how many there were; of
    what each process takes, as many as were in service in each. If that is not its value, no trial will follow its law.
    """
    setting = found.setting
    if setting.value is not None or found.origin == DEFAULT or verdict is None:
        return setting.value
    processes, there = verdict.model.processes, verdict.ceiling.in_service
    if setting.name in _NUMBERS_OF_PROCESSES:
        return processes
    if setting.bounds is not Place.IN_SERVICE or not processes or not there or not verdict.ceiling.bounded:
        return None
    return None if there % processes else there // processes


def _of_libraries(verdict: Verdict) -> Iterator[Rival]:
    for each in verdict.libraries or ():
        if each.limit is not None:
            fixed = "" if each.name in VARIED else "the library has no option for it"
            yield Rival(each.name, Place.IN_SERVICE, "places", each.limit, fixed=fixed, inside=True)


def _of_environment(experiment: Experiment, verdict: Verdict) -> Iterator[Rival]:
    share = verdict.cost.descriptors
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    in_force = verdict.limits.nofile
    met = {each.name for each in verdict.pressure or () if each.hit}
    if in_force is not None:
        # Where the cost was not measured, each connection takes at least its own descriptor.
        whole = 1 if share is None else round(share)
        most = None if hard == resource.RLIM_INFINITY else hard
        near = NOFILE in met
        yield Rival(NOFILE, Place.IN_SERVICE, "share", in_force, share=max(whole, 1), most=most, near=near)
    nproc = verdict.limits.nproc
    if nproc is not None:
        # Without the option it does not bind a server of root's, so it could not be varied either.
        fixed = "" if experiment.nproc is not None or NPROC in met else "it is not varied unless --nproc is given"
        yield Rival(NPROC, Place.IN_SERVICE, "share", nproc, share=_tasks(verdict), fixed=fixed, near=NPROC in met)
    if (space := verdict.limits.address_space) is not None:
        yield Rival(ADDRESS_SPACE, Place.IN_SERVICE, "bytes", space, near=ADDRESS_SPACE in met)
    limits = verdict.limits
    for name, limit in (
        (PIDS_MAX, limits.pids_max),
        (THREADS_MAX, limits.threads_max),
        (MEMORY_MAX, limits.memory_max),
    ):
        if limit is not None:
            yield Rival(name, Place.IN_SERVICE, "share", limit, fixed=_OF_A_GROUP, near=name in met)


def _tasks(verdict: Verdict) -> int:
    """How many tasks each request takes: the kernel counts threads, of which a process has at least one."""
    return max(1, round(verdict.cost.threads or verdict.cost.processes or 1))
