"""argv of `holdfast load` -> LoadExperiment -> exit code."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import click

from holdfast.cli.load_options import EXAMPLES, load_options
from holdfast.cli.load_plan import FromFile, from_file
from holdfast.cli.load_report import finish, output_options, targets_of
from holdfast.cli.load_shape import group_of
from holdfast.cli.option_groups import GroupedCommand
from holdfast.console import say
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.interrupts import listening
from holdfast.load.target import Target, check_sources, reached, target_of
from holdfast.load.url import parse_url
from holdfast.loadtest.live_view import watching
from holdfast.loadtest.run import Fleet, load, remarked
from holdfast.model.load import LoadExperiment, StopRule
from holdfast.model.scenario import DataRows

_HARM = "A load on a server that is not yours is an attack, and on one that others use they get slower answers or none."


@click.command("load", cls=GroupedCommand, epilog=EXAMPLES)
@click.argument("url", required=False)
@load_options
@output_options
@click.pass_context
def load_(context: click.Context, /, url: str | None, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Generate paced HTTP load and report the outcome of every request.

    Requests are sent on schedule, each on its own connection, whatever became of those before (open model), unless
    --clients is given. {id} in path, headers or body is the number of the request. Instead of URL, --jmx or --har can
    say what to send; what of it holdfast cannot do is listed first.
    """
    outputs = targets_of(given)
    asked = _asked(context, url, given)
    experiment = LoadExperiment(
        asked.groups,
        not given["insecure"],
        given["seed"],
        given["sources"],
        given["stop"] or asked.stop,
        given["processes"],
    )
    targets = [_target(group.url, given) for group in asked.groups]
    for target in targets:
        check_sources(given["sources"], target)
    fleet = _fleet(context, given)
    quiet = given["quiet"] or fleet is not None
    # Whatever signal comes in between is raised when the result is out: none is lost.
    with listening() as interrupts, interrupts.undisturbed():
        try:
            with watching(experiment, interrupts, quiet=quiet, port=given["prometheus"]) as watch:
                done = load(experiment, targets, given["thresholds"], interrupts, watch, fleet)
        except ValueError as error:
            raise click.UsageError(str(error), ctx=context) from error
        return finish(done if asked.warning is None else remarked(done, asked.warning), outputs)


def _asked(context: click.Context, url: str | None, given: dict[str, Any]) -> FromFile:
    """What is to be sent: the one thing that says it."""
    named = [name for name, value in (("URL", url), ("--jmx", given["jmx"]), ("--har", given["har"])) if value]
    if len(named) != 1:
        what = f"These exclude each other: {', '.join(named)}." if named else "Nothing says what to send."
        raise click.UsageError(f"{what} Give one of URL, --jmx PLAN and --har FILE.", ctx=context)
    if url is None:
        return from_file(context, given)
    if given["once"] and given["data_rows"] is None:
        raise click.UsageError("--once goes with --data-rows: it ends the load with their last.", ctx=context)
    if given["properties"]:
        raise click.UsageError("-J goes with --jmx: it gives a plan's properties their values.", ctx=context)
    path = parse_url(url).path
    body, data = _body(given["data"]), _data_rows(given["data_rows"], again=not given["once"])
    try:
        return FromFile((group_of(url, path, given, body=body, data=data),), StopRule(), None)
    except ValueError as error:
        raise click.UsageError(str(error), ctx=context) from error


def _target(url: str, given: dict[str, Any]) -> Target:
    """The server that a URL means; each host that is not loopback must have been named."""
    hosts = given["allowed_hosts"]
    host = parse_url(url).host
    return reached(target_of(url, host if host in hosts else None, _HARM, verify=not given["insecure"]))


def _fleet(context: click.Context, given: dict[str, Any]) -> Fleet | None:
    """Who sends the load instead of this machine."""
    if given["cluster"] is None:
        return None
    if given["prometheus"] is not None:
        raise click.UsageError("--prometheus tells of this machine's load; with --cluster others send it.", ctx=context)
    # A load from one machine needs neither asyncio nor what speaks to the others.
    from holdfast.cluster.coordinator import on

    return on(given["cluster"], (lambda _line: None) if given["quiet"] else say)


def _body(data: str | None) -> bytes | None:
    if data is None or not data.startswith("@"):
        return None if data is None else data.encode()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise EnvironmentFailure(
            f"The body cannot be read from {data[1:]}.",
            f"{error.strerror}.",
            "Check the file's name; a body that begins with @ must come from a file.",
        ) from error


def _data_rows(file: Path | None, *, again: bool) -> DataRows | None:
    if file is None:
        return None
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise EnvironmentFailure(
            f"The rows of {file} cannot be read.", f"{why}.", "It is to be CSV in UTF-8, its first line the names."
        ) from error
    names, *values = [row for row in rows if row] or [[]]
    for number, row in enumerate(values, 1):
        if len(row) != len(names):
            raise UsageError(
                f"Row {number} of {file} has {len(row)} values, and the first line names {len(names)}.",
                f"The row is {','.join(row)!r}.",
                "Give each row as many values as there are names.",
            )
    if "id" in names or len(set(names)) < len(names):
        raise UsageError(
            f"The columns of {file} cannot all be told apart.",
            f"They are {', '.join(names)}, and id is the number of the request.",
            "Give each column a name of its own.",
        )
    if not values:
        raise UsageError(f"{file} has no rows.", "Its first line names the columns.", "Add rows of values below it.")
    return DataRows(tuple(names), tuple(map(tuple, values)), again, str(file))
