"""Files that say what a load is to send: read, listed as far as they differ, and made an experiment of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from holdfast.cli.load_shape import arrivals_of, checks_of, shape_of
from holdfast.console import say
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.loadtest.run import MOST_REQUESTS
from holdfast.model.load import StopRule
from holdfast.model.scenario import Clients, Group, Pause, Phases, Step, Timeouts

# What a plan says itself, and so does not go with it.
_OF_A_REQUEST = ("method", "data", "data_rows", "once")
_OF_A_SHAPE = ("requests", "over_s", "rate", "ramp", "stages", "burst", "clients", "poisson")
_NOT_WITH_JMX = (
    *_OF_A_SHAPE,
    *_OF_A_REQUEST,
    "headers",
    "expected",
    "body_texts",
    "body_patterns",
    "think",
    "keep_alive",
)


@dataclass(frozen=True, slots=True)
class FromFile:
    """What a file says.

    Attributes:
        stop: when the load ends before its time, by what the file says.
        warning: what of the file is left out, in words; None where nothing is.
    """

    groups: tuple[Group, ...]
    stop: StopRule
    warning: str | None


def from_file(context: click.Context, given: Mapping[str, Any]) -> FromFile:
    """The load that `--jmx` or `--har` names, after a list of what in it is left out or differs on standard error.

    Raises:
        UsageError: the file cannot be used, or an option does not go with it.
        EnvironmentFailure: a file cannot be read.
    """
    from holdfast.plans.differences import in_words

    file: Path = given["jmx"] or given["har"]
    if given["jmx"]:
        _refuse(context, "--jmx", _NOT_WITH_JMX)
        from holdfast.plans.jmx import read_plan

        plan = read_plan(
            _content(file, "plan"),
            file.name,
            read_file=lambda name: _named_in(file, name),
            properties=dict(given["properties"]),
            most_s=given["for_s"],
            seed=given["seed"],
        )
        groups, stop, notes = tuple(map(_bounded, plan.groups)), plan.stop, plan.notes
    else:
        _refuse(context, "--har", (*_OF_A_REQUEST, "properties"))
        from holdfast.plans.har import read_har

        recorded = read_har(_content(file, "archive"), file.name)
        groups, stop, notes = (_bounded(_recorded(given, recorded.url, recorded.steps)),), StopRule(), recorded.notes
    _list(file, in_words(notes))
    timeouts = {
        name: given[option]
        for name, option in (("connect_s", "connect_s"), ("first_byte_s", "first_byte_s"), ("whole_s", "patience_s"))
        if _is_given(context, option)
    }
    groups = tuple(replace(each, timeouts=replace(each.timeouts, **timeouts)) for each in groups)
    left_out = sorted({f"{note.kind} {note.name}".strip() for note in notes if note.what == "left out"})
    return FromFile(
        groups, stop, f"{file.name} was not run as a whole: left out {', '.join(left_out)}." if left_out else None
    )


def _recorded(given: Mapping[str, Any], url: str, steps: Iterable[Step]) -> Group:
    """The group that sends what was recorded, as often as options say; without any, one client once."""
    asked = {**given}
    if all(given[name] in (None, False) for name in _OF_A_SHAPE):
        if given["for_s"] is not None:
            raise UsageError("--for says how long, but not what.", "", "Give --clients N or --rate R with it.")
        asked |= {"clients": 1, "requests": 1}
    try:
        shape = shape_of(asked)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    replaced = {name.lower() for name, _ in given["headers"]}
    sent = tuple(
        replace(
            step,
            headers=(*(field for field in step.headers if field[0].lower() not in replaced), *given["headers"]),
            expected=frozenset(given["expected"]) or None,
            checks=checks_of(given),
            pause=given["think"] or Pause(),
        )
        for step in steps
    )
    keep_alive = given["keep_alive"]
    return Group(
        name=url,
        url=url,
        steps=sent,
        shape=shape,
        timeouts=Timeouts(),
        keep_alive=isinstance(shape, Clients) or len(sent) > 1 if keep_alive is None else keep_alive,
    )


def _bounded(group: Group) -> Group:
    """The same group, if a row for each of its requests can be kept.

    Raises:
        UsageError: it cannot.
    """
    shape = group.shape
    if isinstance(shape, Clients):
        passes = shape.iterations and shape.clients * shape.iterations
        if shape.requests is not None:
            passes = shape.requests
    elif isinstance(shape, Phases):
        passes = sum(int((each.from_per_s + each.to_per_s) / 2 * each.for_s) for each in shape.phases)
    else:
        passes = arrivals_of(shape)
    requests = (passes or 0) * len(group.steps)
    if requests <= MOST_REQUESTS:
        return group
    if isinstance(shape, Clients) and shape.for_s is not None:
        return replace(group, shape=replace(shape, iterations=None))
    raise UsageError(
        f"{group.name} is {requests:,} requests, more than {MOST_REQUESTS:,}.",
        "A row is kept for each.",
        "Ask for fewer, or say how long with --for S.",
    )


def _refuse(context: click.Context, option: str, names: Iterable[str]) -> None:
    """Refuses options that do not go with another one, by the name that the person has written."""
    for parameter in context.command.params:
        if parameter.name in names and _is_given(context, parameter.name):
            raise click.UsageError(
                f"{parameter.opts[-1]} does not go with {option}, which says so itself.", ctx=context
            )


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _list(file: Path, words: Sequence[str]) -> None:
    if words:
        say(f"Of {file.name}, holdfast leaves out or does otherwise:")
        for line in words:
            say(f"  {line}")


def _content(file: Path, what: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise EnvironmentFailure(
            f"The {what} {file} cannot be read.", f"{error.strerror}.", "Check the file's name."
        ) from error


def _named_in(plan: Path, name: str) -> bytes:
    """A file that a plan names: as seen from here, or, as in JMeter, where the plan is."""
    try:
        here = Path(name)
        found = here if here.exists() else plan.parent / name
        # What a plan names its reader may not know: a device has no end, and a pipe perhaps no writer.
        if found.exists() and not found.is_file():
            raise ValueError("It is no ordinary file")
        return found.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise EnvironmentFailure(
            f"{name}, which {plan.name} names, cannot be read.",
            f"{why}.",
            f"It is looked for in this directory and in {plan.parent.absolute()}.",
        ) from error
