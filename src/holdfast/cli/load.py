"""argv of `holdfast load` -> LoadExperiment -> exit code."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import click

from holdfast.cli import option_values
from holdfast.cli.click_types import checked
from holdfast.cli.load_plan import FromFile, from_file
from holdfast.cli.load_report import finish, output_options, targets_of
from holdfast.cli.load_shape import group_of
from holdfast.cluster.coordinator import on
from holdfast.console import say
from holdfast.errors import EnvironmentFailure, UsageError
from holdfast.interrupts import listening
from holdfast.load import quantities
from holdfast.load.target import Target, check_sources, reached, target_of
from holdfast.load.url import parse_url
from holdfast.loadtest.live_view import watching
from holdfast.loadtest.run import MOST_REQUESTS, Fleet, load, remarked
from holdfast.model.load import LoadExperiment, StopRule
from holdfast.model.scenario import DEFAULT_PATIENCE_S, DataRows

_COUNT = click.IntRange(1, MOST_REQUESTS)
_OWN_HEADERS = frozenset({"content-length", "transfer-encoding"})
_HARM = "A load on a server that is not yours is an attack, and on one that others use they get slower answers or none."
_TIME = checked(quantities.some_time_s)
_STATUS = click.IntRange(100, 599)


def _header(text: str) -> tuple[str, str]:
    name, value = option_values.name_and_value(text)
    if name.lower() in _OWN_HEADERS:
        raise ValueError(f"{name} follows from the body, so holdfast sets it.")
    return name, value


@click.command("load")
@click.argument("url", required=False)
@click.option("--jmx", type=click.Path(path_type=Path), help="Run a JMeter test plan (.jmx), as far as holdfast can.")
@click.option("--har", type=click.Path(path_type=Path), help="Send again what a browser recorded (.har).")
@click.option(
    "-J",
    "properties",
    multiple=True,
    callback=checked(quantities.property_),
    help="A property of --jmx: -J name=value.",
)
@click.option("--requests", type=_COUNT, help="Number of requests; of --clients, of all of them together.")
@click.option(
    "--over", "over_s", callback=checked(quantities.duration_s), help="Spread --requests evenly over this time."
)
@click.option(
    "--rate", callback=checked(quantities.rate_per_s), help="Requests per second (100, 100/s, 6000/m), with --for."
)
@click.option(
    "--for",
    "for_s",
    callback=checked(quantities.duration_s),
    help="How long (10s, 2m), with --rate or --clients; of --jmx, at most.",
)
@click.option("--ramp", callback=checked(quantities.ramp), help="Rate that changes evenly: 10:500/30s.")
@click.option("--stages", callback=checked(quantities.stages), help="Rates one after the other: 100/s:10s,500/s:30s.")
@click.option("--burst", type=_COUNT, help="So many requests at once.")
@click.option("--clients", type=click.IntRange(1, 1_000_000), help="Closed model: each sends its next when answered.")
@click.option("--poisson", is_flag=True, help="Arrivals by chance at these rates (--rate, --stages).")
@click.option("--seed", type=int, default=0, show_default=True, help="Of what comes by chance.")
@click.option("-X", "--method", help="HTTP method [default: GET; with --data POST].")
@click.option("-H", "--header", "headers", multiple=True, callback=checked(_header), help="Header 'Name: value'.")
@click.option("--data", help="Body of the requests; @FILE reads it from a file.")
@click.option(
    "--expect-status", "expected", type=_STATUS, multiple=True, help="Status that counts as an answer (<400)."
)
@click.option("--expect-body", "body_texts", multiple=True, help="Text that the body of an answer contains.")
@click.option(
    "--expect-match",
    "body_patterns",
    multiple=True,
    callback=checked(quantities.pattern),
    help="Regular expression found in the body of an answer.",
)
@click.option(
    "--data-rows",
    type=click.Path(path_type=Path),
    help="CSV file with a head; {column} in path, header or body stands for the value in the request's row.",
)
@click.option("--once", is_flag=True, help="End the load with the last of --data-rows, instead of beginning anew.")
@click.option(
    "--think", callback=checked(quantities.pause), help="Pause of a client before each request: 1s, or 1s-3s by chance."
)
@click.option(
    "--keep-alive/--no-keep-alive",
    default=None,
    help="Use a connection again [default: with --clients], or open one for each request [otherwise].",
)
@click.option(
    "--source", "sources", multiple=True, callback=checked(quantities.source), help="Own address to send from."
)
@click.option("--processes", type=click.IntRange(1, 256), help="Load processes [default: as descriptors require].")
@click.option(
    "--stop", callback=checked(quantities.stop_rule), help="End the load early: first-failure, or errors>10%."
)
@click.option(
    "--connect-timeout",
    "connect_s",
    callback=_TIME,
    help="Seconds after which a connection attempt is given up.",
)
@click.option(
    "--first-byte-timeout",
    "first_byte_s",
    callback=_TIME,
    help="Seconds after which an unbegun reply is given up.",
)
@click.option(
    "--timeout",
    "patience_s",
    callback=_TIME,
    default=f"{DEFAULT_PATIENCE_S:g}s",
    show_default=True,
    help="Time after which an unanswered request is given up.",
)
@click.option(
    "--threshold", "thresholds", multiple=True, callback=checked(quantities.threshold), help="p99<200ms, errors<1%."
)
@click.option("--insecure", is_flag=True, help="Take any TLS certificate, such as a self-signed one.")
@click.option(
    "--allow-remote",
    "allowed_hosts",
    metavar="HOST",
    multiple=True,
    help="Load this host, although it is not loopback.",
)
@click.option(
    "--cluster", callback=checked(quantities.cluster), help="Dask scheduler whose hosts share the load; local:N."
)
@click.option("--quiet", is_flag=True, help="Show nothing while the load goes on.")
@click.option("--prometheus", type=click.IntRange(0, 65535), help="Answer GET /metrics on this port meanwhile; 0: any.")
@output_options
@click.pass_context
def load_(context: click.Context, /, url: str | None, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Send requests to a server at instants of their own, and say what came of each.

    {id} in the URL's path, in a header or in the body stands for the number of the request. An open model unless
    --clients is given: a request is sent when it is due, whatever became of those before. --jmx and --har stand in the
    URL's place: what they have that holdfast does not is listed before anything is sent.
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
