"""argv of `holdfast load` -> LoadExperiment -> exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast import options
from holdfast.command_line import checked, put_out, target_file
from holdfast.endings import say
from holdfast.errors import (
    EXIT_ANSWERED,
    EXIT_ENVIRONMENT,
    EXIT_EXPECTATION_FAILED,
    EXIT_INCONCLUSIVE,
    EnvironmentFailure,
)
from holdfast.interrupts import listening
from holdfast.load import words
from holdfast.load.columns import requests
from holdfast.loading import MOST_REQUESTS, Loaded, load
from holdfast.model.load import (
    DEFAULT_PATIENCE_S,
    Burst,
    Clients,
    LoadExperiment,
    LoadResult,
    Rise,
    Shape,
    Spread,
    Stages,
)
from holdfast.report.json import load_json
from holdfast.report.load import render_load, rows_csv
from holdfast.target import target_of

_COUNT = click.IntRange(1, MOST_REQUESTS)
_OWN_HEADERS = frozenset({"content-length", "transfer-encoding"})
_HARM = "A load on a server that is not yours is an attack, and on one that others use they get slower answers or none."
_STATUS = click.IntRange(100, 599)
_SHAPES = "--requests N --over S, --rate R --for S, --ramp A:B/S, --stages R:S,R:S, --burst N or --clients N"


def _header(text: str) -> tuple[str, str]:
    name, value = options.name_and_value(text)
    if name.lower() in _OWN_HEADERS:
        raise ValueError(f"{name} follows from the body, so holdfast sets it.")
    return name, value


@click.command("load")
@click.argument("url")
@click.option("--requests", type=_COUNT, help="Number of requests; of --clients, of all of them together.")
@click.option("--over", "over_s", callback=checked(words.duration_s), help="Spread --requests evenly over this time.")
@click.option(
    "--rate", callback=checked(words.rate_per_s), help="Requests per second (100, 100/s, 6000/m), with --for."
)
@click.option(
    "--for", "for_s", callback=checked(words.duration_s), help="How long (10s, 2m), with --rate or --clients."
)
@click.option("--ramp", callback=checked(words.ramp), help="Rate that changes evenly: 10:500/30s.")
@click.option("--stages", callback=checked(words.stages), help="Rates one after the other: 100/s:10s,500/s:30s.")
@click.option("--burst", type=_COUNT, help="So many requests at once.")
@click.option("--clients", type=click.IntRange(1, 1_000_000), help="Closed model: each sends its next when answered.")
@click.option("--poisson", is_flag=True, help="Arrivals by chance at these rates (--rate, --stages).")
@click.option("--seed", type=int, default=0, show_default=True, help="Of --poisson.")
@click.option("-X", "--method", default="GET", show_default=True, help="HTTP method.")
@click.option("-H", "--header", "headers", multiple=True, callback=checked(_header), help="Header 'Name: value'.")
@click.option("--data", help="Body of the requests; @FILE reads it from a file.")
@click.option(
    "--expect-status", "expected", type=_STATUS, multiple=True, help="Status that counts as an answer (<400)."
)
@click.option(
    "--timeout",
    "patience_s",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_PATIENCE_S,
    show_default=True,
    help="Seconds after which an unanswered request is given up.",
)
@click.option(
    "--threshold", "thresholds", multiple=True, callback=checked(words.threshold), help="p99<200ms, errors<1%."
)
@click.option("--insecure", is_flag=True, help="Take any TLS certificate, such as a self-signed one.")
@click.option("--allow-remote", "allowed_host", metavar="HOST", help="Load this host, although it is not loopback.")
@click.option("--csv", "csv_target", callback=target_file, help="Write the rows of all requests to FILE; - is stdout.")
@click.option("--json", "json_target", callback=target_file, help="Write the result to FILE; - is stdout.")
@click.pass_context
def load_(
    context: click.Context,
    /,
    url: str,
    json_target: str | None,
    csv_target: str | None,
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Send requests to a server at instants of their own, and say what came of each.

    {id} in the URL's path, in a header or in the body stands for the number of the request. An open model unless
    --clients is given: a request is sent when it is due, whatever became of those before.
    """
    shape = _shape(context, given)
    experiment = LoadExperiment(
        url=url,
        shape=shape,
        method=given["method"],
        headers=given["headers"],
        body=_body(given["data"]),
        expected=frozenset(given["expected"]) or None,
        patience_s=given["patience_s"],
        verify=not given["insecure"],
        seed=given["seed"],
    )
    target = target_of(url, given["allowed_host"], _HARM, verify=experiment.verify)
    with listening() as interrupts:
        # Whatever comes in between is raised when the result is out: none is lost.
        with interrupts.undisturbed():
            try:
                loaded = load(experiment, target, given["thresholds"], interrupts)
            except ValueError as error:
                raise click.UsageError(str(error), ctx=context) from error
            forms = [(json_target, load_json(loaded.result))]
            if csv_target is not None:
                forms.append((csv_target, _csv(loaded)))
            put_out(render_load(loaded.result), *forms)
        return EXIT_INCONCLUSIVE if interrupts.asked else _exit_code(loaded.result)


def _exit_code(result: LoadResult) -> int:
    if result.outcomes["refused"] == result.offered > 0:
        say(f"holdfast: Nobody listens at {result.target.url}: every connection was refused.")
        return EXIT_ENVIRONMENT
    if result.generator_limited:
        return EXIT_INCONCLUSIVE
    return EXIT_ANSWERED if all(each.held for each in result.thresholds) else EXIT_EXPECTATION_FAILED


def _shape(context: click.Context, given: dict[str, Any]) -> Shape:  # noqa: C901, PLR0912 - one line for each shape
    """Which shape the options mean.

    Raises:
        click.UsageError: none, several, or one without what belongs to it.
    """
    requests_, over_s, for_s = given["requests"], given["over_s"], given["for_s"]
    chosen = [name for name in ("rate", "ramp", "stages", "burst", "clients") if given[name] is not None]
    if over_s is not None or (requests_ is not None and not chosen):
        chosen.append("over")
    if len(chosen) != 1:
        what = "No load is asked for" if not chosen else f"These exclude each other: {', '.join(map(_option, chosen))}"
        raise click.UsageError(f"{what}. Give one of {_SHAPES}.", ctx=context)
    (shape,) = chosen
    if given["poisson"] and shape not in ("rate", "stages"):
        raise click.UsageError("--poisson goes with --rate or --stages.", ctx=context)
    if requests_ is not None and shape not in ("over", "clients"):
        raise click.UsageError(f"--requests does not go with {_option(shape)}, which says how many.", ctx=context)
    if for_s is not None and shape not in ("rate", "clients"):
        raise click.UsageError(f"--for does not go with {_option(shape)}, which says how long.", ctx=context)
    if shape == "over":
        if requests_ is None or over_s is None:
            raise click.UsageError("--requests N and --over S go together.", ctx=context)
        return Spread(requests_, over_s)
    if shape == "rate":
        if for_s is None:
            raise click.UsageError("--rate R needs --for S.", ctx=context)
        return _enough(Stages(((given["rate"], for_s),), given["poisson"]), given["rate"] * for_s, context)
    if shape == "ramp":
        first, last, seconds = given["ramp"]
        return _enough(Rise(first, last, seconds), (first + last) / 2 * seconds, context)
    if shape == "stages":
        many = sum(rate * seconds for rate, seconds in given["stages"])
        return _enough(Stages(given["stages"], given["poisson"]), many, context)
    if shape == "burst":
        return Burst(given["burst"])
    if requests_ is None and for_s is None:
        raise click.UsageError("--clients N needs --for S or --requests N.", ctx=context)
    return Clients(given["clients"], requests_, for_s)


def _enough(shape: Shape, requests_: float, context: click.Context) -> Shape:
    if requests_ > MOST_REQUESTS:
        raise click.UsageError(f"That is {requests_:,.0f} requests, more than {MOST_REQUESTS:,}.", ctx=context)
    if requests_ <= 0:
        raise click.UsageError("That is no request at all.", ctx=context)
    return shape


def _option(shape: str) -> str:
    return f"--{shape}"


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


def _csv(loaded: Loaded) -> bytes:
    columns = loaded.run.columns
    begun = [row for row in range(columns.capacity) if columns.due[row]]
    rows = requests(columns, begun, lambda _row: 0, loaded.run.sources)
    return "".join(rows_csv(rows)).encode()
