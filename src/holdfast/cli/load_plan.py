"""JMeter plans: read, listed where they differ, and turned into groups; and what other files of a load need too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from holdfast.api.input_files import read_input
from holdfast.api.load_arguments import SHAPE_NAMES, LoadArguments
from holdfast.cli.asked import Asked
from holdfast.console import say
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.model.load import MOST_REQUESTS, StopRule
from holdfast.model.scenario import DEFAULT_TIMEOUT_S, Group, Timeouts
from holdfast.model.shapes import Clients

if TYPE_CHECKING:
    from holdfast.model.journey import Journeys
    from holdfast.plans.differences import Note
    from holdfast.plans.jmx import PlanRead
    from holdfast.plans.origins import Origins

# What a plan or recording itself says, so that the option does not go with it.
OF_A_REQUEST = ("method", "data", "data_rows", "once")
OF_MEMORY = ("first", "then", "extracts", "cookies", "follow", "hooks")
_NOT_WITH_JMX = (
    *SHAPE_NAMES,
    *OF_A_REQUEST,
    *OF_MEMORY,
    "headers",
    "expected",
    "body_texts",
    "body_patterns",
    "think",
    "pauses",
    "keep_alive",
)


def read_jmx(context: click.Context, file: Path, arguments: LoadArguments) -> Asked:
    """Reads the file of `--jmx`, and lists on standard error what in it is left out or differs.

    Raises:
        UsageError: a file does not exist or cannot be used, or an option does not go with it.
        EnvironmentFailure: a file may not be read.
    """
    refuse(context, "--jmx", _NOT_WITH_JMX)
    content = read_input(file)
    files = _FilesOfPlan(file)
    origins = origins_of(context, arguments)
    from holdfast.jmeter.reading import read_journeys
    from holdfast.plans.differences import in_words
    from holdfast.plans.elsewhere import groups_elsewhere, journeys_elsewhere

    fixed = _fixed_plan(content, file, files, arguments)
    if fixed is not None:
        sent = groups_elsewhere(fixed.groups, origins, file.name)
        _say_first(sent.choice)
        files.tell()
        groups = tuple(map(bounded, sent.groups))
        return asked_of(context, arguments, file, groups, fixed.stop, fixed.notes, sent.left_out)

    read = read_journeys(
        content,
        file.name,
        read_file=files.read,
        properties=dict(arguments.plan.properties),
        most_s=arguments.shape.for_s,
        seed=arguments.run.seed,
        environment=os.environ,
        elsewhere=origins.base is not None,
    )
    values = {name: value for values in read.journeys.values for name, value in values}
    sent = journeys_elsewhere(read.journeys, values, origins, file.name)
    _say_first(sent.choice)
    files.tell()
    list_differences(file, in_words(read.notes))
    assert sent.journeys is not None
    journeys = _with_timeouts(sent.journeys, given_timeouts(context, arguments))
    return Asked((), StopRule(), not_as_a_whole(file, read.notes, sent.left_out), journeys)


def _say_first(choice: str) -> None:
    if choice:
        say(choice)


def origins_of(context: click.Context, arguments: LoadArguments) -> Origins:
    """Which servers of the file are loaded, and where instead."""
    from holdfast.plans.origins import base, mapped, origins

    try:
        url = None if arguments.url is None else base(arguments.url)
        return origins(url, tuple(map(mapped, arguments.plan.maps)))
    except ValueError as error:
        raise click.UsageError(str(error), ctx=context) from error


def _fixed_plan(content: bytes, file: Path, files: _FilesOfPlan, arguments: LoadArguments) -> PlanRead | None:
    """The load of a plan that is fixed beforehand; None where only a client under way can decide what JMeter sends."""
    from holdfast.jmeter.choice import is_fixed, may_be_fixed
    from holdfast.plans.jmx import read_plan
    from holdfast.plans.jmx_tree import plan_tree

    root = plan_tree(content, file.name)
    if not may_be_fixed(root):
        return None
    try:
        plan = read_plan(
            content,
            file.name,
            read_file=files.read,
            properties=dict(arguments.plan.properties),
            most_s=arguments.shape.for_s,
            seed=arguments.run.seed,
        )
    except UsageError:
        return None
    return plan if is_fixed(root, plan.notes) else None


def _with_timeouts(journeys: Journeys, given: Callable[[Timeouts], Timeouts]) -> Journeys:
    from holdfast.model.journey_changes import with_requests

    return with_requests(journeys, lambda request: replace(request, timeouts=given(request.timeouts)))


def asked_of(  # parameters: what a file says, and what was said beside it
    context: click.Context,
    arguments: LoadArguments,
    file: Path,
    groups: tuple[Group, ...],
    stop: StopRule,
    notes: Sequence[Note],
    elsewhere: Sequence[str] = (),
) -> Asked:
    """What a file says to send, with the timeouts that were given; lists what is left out or differs.

    Args:
        elsewhere: servers to which its requests are left out.
    """
    from holdfast.plans.differences import in_words

    list_differences(file, in_words(notes))
    given = given_timeouts(context, arguments)
    groups = tuple(replace(each, timeouts=given(each.timeouts)) for each in groups)
    return Asked(groups, stop, not_as_a_whole(file, notes, elsewhere))


def given_timeouts(context: click.Context, arguments: LoadArguments) -> Callable[[Timeouts], Timeouts]:
    """A plan's timeouts -> the same with those that were given.

    A plan without any waits for ever, as in JMeter; but a load that has an end by `--for` must come to it.
    """
    given = {
        field: getattr(arguments.timeouts, field)
        for field, option in (("connect_s", "connect_s"), ("first_byte_s", "first_byte_s"), ("whole_s", "timeout_s"))
        if _is_given(context, option)
    }
    bounded = arguments.shape.for_s is not None

    def with_given(timeouts: Timeouts) -> Timeouts:
        least = {"whole_s": DEFAULT_TIMEOUT_S} if bounded and timeouts.whole_s is None else {}
        return replace(timeouts, **{**least, **given})

    return with_given


def not_as_a_whole(file: Path, notes: Sequence[Note], elsewhere: Sequence[str]) -> str | None:
    """The warning for what is left out of a file; None if nothing is."""
    left_out = sorted({f"{note.kind} {note.name}".strip() for note in notes if note.what == "left out"})
    left_out += [f"requests to {server}" for server in elsewhere]
    return f"{file.name} was not run as a whole: left out {', '.join(left_out)}." if left_out else None


class _FilesOfPlan:
    """Reads the files that a plan names, and keeps which of them lie outside of its directory."""

    def __init__(self, plan: Path) -> None:
        self._plan = plan
        self._outside: list[str] = []

    def read(self, name: str) -> bytes:
        """A file's content; raises UsageError or EnvironmentFailure."""
        found = _named(self._plan, name)
        real = os.path.realpath(found)
        if not Path(real).is_relative_to(os.path.realpath(self._plan.parent)) and real not in self._outside:
            self._outside.append(real)
        return _read_named(self._plan, name, found)

    def tell(self) -> None:
        """Lists those outside: someone else may have written the plan, and what it reads it may send."""
        if self._outside:
            say(f"{self._plan.name} reads files outside of its directory, and may send what is in them:")
            for each in self._outside:
                say(f"  {each}")


def bounded(group: Group) -> Group:
    """The same group, if a row for each of its requests can be kept.

    Raises:
        UsageError: it cannot.
    """
    shape = group.shape
    requests = (shape.passes or 0) * len(group.steps)
    if requests <= MOST_REQUESTS:
        return group
    # Only clients that come back can be bounded by time instead of by a number.
    if isinstance(shape, Clients) and shape.for_s is not None:
        return replace(group, shape=replace(shape, iterations=None))
    raise UsageError(
        f"{group.name} is {requests:,} requests, more than {MOST_REQUESTS:,}.",
        "A row is kept for each request.",
        "Ask for fewer, or say how long with --for DURATION.",
    )


def refuse(context: click.Context, option: str, names: Iterable[str]) -> None:
    """Refuses options that do not go with another one, by the name that was typed."""
    for parameter in context.command.params:
        if parameter.name in names and _is_given(context, parameter.name):
            raise click.UsageError(
                f"{parameter.opts[-1]} does not go with {option}, which says so itself.", ctx=context
            )


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def list_differences(file: Path, words: Sequence[str]) -> None:
    """Says what of a file is left out or done otherwise."""
    if words:
        say(f"Of {file.name}, holdfast leaves out, does otherwise, or notes:")
        for line in words:
            say(f"  {line}")


def _named(plan: Path, name: str) -> Path:
    """Where a file is that a plan names: relative to this directory, or, as in JMeter, to the plan's."""
    here = Path(name)
    try:
        return here if here.exists() else plan.parent / name
    except (OSError, ValueError):  # a name that no file can have
        return here


def _read_named(plan: Path, name: str, found: Path) -> bytes:
    """Reads a file that a plan names.

    Args:
        found: where it is.
    """
    try:
        # The reader may not know the plan: a device has no end, and a pipe may have no writer.
        if found.exists() and not found.is_file():
            raise ValueError("It is not a regular file")
        return found.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            directories = " and ".join(dict.fromkeys((os.getcwd(), str(plan.parent.absolute()))))
            raise UsageError(
                f"{name}, which {plan.name} names, does not exist.",
                f"Looked in {directories}.",
                "Put it there, or run holdfast in its directory.",
            ) from error
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise EnvironmentFailure(
            f"Cannot read {name}, which {plan.name} names.", f"{why}.", "Check that it is a file that you may read."
        ) from error
