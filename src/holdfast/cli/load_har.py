"""Recordings of a browser: read, listed where they differ, and turned into what a load sends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.api.input_files import read_input
from holdfast.api.load_arguments import SHAPE_NAMES, LoadArguments
from holdfast.api.load_shape import shape_of
from holdfast.cli.asked import Asked
from holdfast.cli.load_plan import (
    OF_A_REQUEST,
    OF_MEMORY,
    asked_of,
    bounded,
    list_differences,
    not_as_a_whole,
    origins_of,
    refuse,
)
from holdfast.console import say
from holdfast.errors import UsageError
from holdfast.model.load import StopRule
from holdfast.model.scenario import Group, Pause, Step, Timeouts

if TYPE_CHECKING:
    from holdfast.model.shapes import Shape
    from holdfast.plans.differences import Note
    from holdfast.plans.har import Recorded


def read_recording(context: click.Context, file: Path, arguments: LoadArguments) -> Asked:
    """Reads the file of `--har`; says first which servers are loaded, then what is left out or differs.

    Raises:
        UsageError: it does not exist or cannot be used, or an option does not go with it.
        EnvironmentFailure: it may not be read.
    """
    refuse(context, "--har", (*OF_A_REQUEST, *(each for each in OF_MEMORY if each != "cookies"), "properties"))
    from holdfast.plans.har import PAUSES, read_har

    factor = arguments.plan.pauses
    if factor is not None and arguments.shape.think is not None:
        raise click.UsageError("--think and --pauses exclude each other: one of them says how long.", ctx=context)
    recorded = read_har(read_input(file), file.name, origins_of(context, arguments))
    if factor is not None:
        recorded = replace(recorded, notes=tuple(each for each in recorded.notes if each.kind != PAUSES))
    if any(name.lower() == "cookie" for name, _ in arguments.request.headers):
        meaning = "that of -H is sent instead of the recorded ones; new ones that the server sets are ignored"
        recorded = replace(recorded, notes=_of_cookies(recorded.notes, meaning))
    if recorded.choice:
        say(recorded.choice)
    shape = _shape(arguments)
    steps = tuple(
        _sent(step, arguments, None if factor is None else Pause(factor * pause_s))
        for step, pause_s in zip(recorded.steps, recorded.pauses_s, strict=True)
    )
    if arguments.memory.cookies or len(set(recorded.servers)) > 1:
        return _as_journeys(file, arguments, recorded, steps, shape)
    keep_alive = arguments.connection.keep_alive
    url = recorded.servers[0]
    group = Group(
        name=url,
        url=url,
        steps=steps,
        shape=shape,
        timeouts=Timeouts(),
        keep_alive=shape.clients is not None or len(steps) > 1 if keep_alive is None else keep_alive,
    )
    return asked_of(context, arguments, file, (bounded(group),), StopRule(), recorded.notes, recorded.elsewhere)


def _as_journeys(
    file: Path, arguments: LoadArguments, recorded: Recorded, steps: tuple[Step, ...], shape: Shape
) -> Asked:
    """What clients send that keep cookies, or connections to several servers."""
    from holdfast.api.journey_options import journeys_of_steps
    from holdfast.plans.differences import in_words

    notes = recorded.notes
    if arguments.memory.cookies:
        steps = tuple(
            replace(step, headers=tuple(each for each in step.headers if each[0].lower() != "cookie")) for step in steps
        )
        meaning = "the recorded ones are not sent; each client keeps those that it is given"
        notes = _of_cookies(notes, meaning)
    list_differences(file, in_words(notes))
    try:
        journeys = journeys_of_steps(steps, recorded.servers, shape, arguments)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return Asked((), StopRule(), not_as_a_whole(file, notes, recorded.elsewhere), journeys)


def _of_cookies(notes: tuple[Note, ...], meaning: str) -> tuple[Note, ...]:
    """Notes with another meaning of the one about cookies, if there is one."""
    return tuple(replace(each, meaning=meaning) if each.kind == "cookies" else each for each in notes)


def _shape(arguments: LoadArguments) -> Shape:
    """When clients come; unless options say more, one client passes through the recording once."""
    given = arguments.shape
    if all(getattr(given, name) in (None, False) for name in SHAPE_NAMES):
        if given.for_s is not None:
            raise UsageError("--for says how long, but not what.", "", "Give --clients N or --rate R with it.")
        given = replace(given, clients=1, requests=1)
    try:
        return shape_of(given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _sent(step: Step, arguments: LoadArguments, pause: Pause | None) -> Step:
    """A recorded request as it is sent, with what options say of it."""
    headers = arguments.request.headers
    replaced = {name.lower() for name, _ in headers}
    return replace(
        step,
        headers=(*(field for field in step.headers if field[0].lower() not in replaced), *headers),
        expected=arguments.check.expected,
        checks=arguments.check.checks,
        pause=pause or arguments.shape.think or Pause(),
    )
