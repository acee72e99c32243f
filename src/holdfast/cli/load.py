"""argv of `holdfast load` -> LoadExperiment -> exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.api.input_files import read_body, read_data_rows
from holdfast.api.load_arguments import ConnectionArguments, LoadArguments, RunArguments, has_memory, load_arguments
from holdfast.api.load_shape import group_of
from holdfast.api.loading import AskedLoad, loaded, targets_of
from holdfast.api.scenario_name import is_scenario
from holdfast.cli.asked import Asked
from holdfast.cli.checks import check_options, checks_of
from holdfast.cli.load_options import EXAMPLES, load_options
from holdfast.cli.load_report import files_of, finish, output_options
from holdfast.cli.option_groups import GroupedCommand, declared
from holdfast.engine.url import parse_url
from holdfast.interrupts import listening
from holdfast.loadtest.live_view import open_view
from holdfast.loadtest.run import RunElsewhere
from holdfast.model.load import LoadExperiment, StopRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.checks.fields import Fields
    from holdfast.model.journey import Journeys


@click.command("load", cls=GroupedCommand, epilog=EXAMPLES, context_settings={"allow_extra_args": True})
@click.argument("url", required=False)
@load_options
@declared(*check_options("p99 < 200ms"))
@output_options
@click.pass_context
def load_(context: click.Context, /, url: str | None, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Generate paced HTTP load and report the outcome of every request.

    Requests are sent on schedule, each on its own connection, whatever became of those before (open model), unless
    --clients is given. {id} in path, headers or body is the number of the request. FILE.toml in the place of URL is a
    scenario. --jmx or --har can say what to send; URL is then the server to send it to. What of the file holdfast
    cannot do is listed first.
    """
    _check_words(context, [*([] if url is None else [url]), *context.args, *(context.obj or ())])
    files = files_of(given)
    checks = checks_of(given, "load", _fields, "load")
    arguments = load_arguments(url, given)
    _check_events(context, arguments, to_file="events-csv" in files)
    asked = _asked(context, arguments)
    connection, run = arguments.connection, arguments.run
    experiment = LoadExperiment(
        asked.groups,
        connection.verify,
        run.seed,
        connection.sources,
        run.stop or asked.stop,
        run.processes,
        asked.journeys,
        connection.allowed_hosts,
    )
    if asked.journeys is None:
        checks.check_parts("label", [step.label for group in asked.groups for step in group.steps])
    else:
        from holdfast.loadtest.journey_plans import labels_of

        _check_journeys(context, run, asked.journeys)
        if (labels := labels_of(asked.journeys)) is not None:
            checks.check_parts("label", labels)
    targets = targets_of(experiment, connection.allowed_hosts)
    run_elsewhere = _cluster(context, run)
    quiet = run.quiet or run_elsewhere is not None
    remarks = () if asked.warning is None else (asked.warning,)
    load = AskedLoad(experiment, targets, (*asked.thresholds, *run.thresholds), remarks)
    # A signal that comes in between is raised once the result is out, so none is lost.
    with checks.told_without_result(), listening() as interrupts, interrupts.undisturbed():
        try:
            with open_view(experiment, interrupts, quiet=quiet, port=run.prometheus) as view:
                found = loaded(load, interrupts, view, run_elsewhere)
        except ValueError as error:
            raise click.UsageError(str(error), ctx=context) from error
        return finish(found, files, checks)


def _check_words(context: click.Context, words: Sequence[str]) -> None:
    """Refuses files of other kinds, and more than one word that is no option, with what is probably meant."""
    for word in words:
        kind = Path(word).suffix.lower().removeprefix(".")
        if kind in ("jmx", "har") and "://" not in word:
            right = " ".join(("holdfast load", f"--{kind}", word, *(each for each in words if each != word)))
            raise click.UsageError(f"{word} is given with --{kind}: {right}", ctx=context)
    if len(words) < 2:
        return
    if scenario := next(filter(is_scenario, words), None):
        why = (
            f"{scenario} says itself where its requests go, so it is given alone. To send them elsewhere, write "
            f'url = "{{base}}" into it, and base under [values]; then give -J base=URL.'
        )
        raise click.UsageError(why, ctx=context)
    raise click.UsageError(
        f"holdfast load takes one URL, and these are {len(words)} words: {', '.join(words)}. Quote a URL that has a "
        "blank or an & in it; several requests go into a scenario (FILE.toml).",
        ctx=context,
    )


def _fields() -> Fields:
    from holdfast.checks.load_fields import load_fields

    return load_fields()


def _asked(context: click.Context, arguments: LoadArguments) -> Asked:
    """What the URL or the file says to send."""
    plan = arguments.plan
    if arguments.url is None or is_scenario(arguments.url) or plan.jmx or plan.har or has_memory(arguments.memory):
        _check_plain(context, arguments.connection)
    files = [name for name, value in (("--jmx", plan.jmx), ("--har", plan.har)) if value]
    if arguments.url is not None and is_scenario(arguments.url):
        files.append(arguments.url)
    if len(files) > 1:
        raise click.UsageError(f"{' and '.join(files)} exclude each other: one file says what to send.", ctx=context)
    if plan.jmx is not None:
        from holdfast.cli.load_plan import read_jmx

        return read_jmx(context, plan.jmx, arguments)
    if plan.har is not None:
        from holdfast.cli.load_har import read_recording

        return read_recording(context, plan.har, arguments)
    if plan.pauses is not None:
        raise click.UsageError("--pauses goes with --har: it keeps the pauses of a recording.", ctx=context)
    if plan.maps:
        raise click.UsageError("--map goes with --jmx or --har: it replaces servers that the file names.", ctx=context)
    if files:
        from holdfast.cli.load_scenario import read_file

        return read_file(context, arguments)
    if arguments.url is None:
        what = "Give URL, a scenario (FILE.toml), --jmx PLAN or --har FILE."
        raise click.UsageError(f"Nothing says what to send. {what}", ctx=context)
    return _of_url(context, arguments.url, arguments)


def _of_url(context: click.Context, url: str, arguments: LoadArguments) -> Asked:
    """What options say to send to a URL."""
    request = arguments.request
    if request.once and request.data_rows is None:
        raise click.UsageError("--once goes with --data-rows: it ends the load with their last.", ctx=context)
    if arguments.plan.properties:
        raise click.UsageError("-J goes with --jmx or a scenario: it gives their properties and values.", ctx=context)
    path = parse_url(url).path
    body, data = read_body(request.data), read_data_rows(request.data_rows, again=not request.once)
    try:
        if has_memory(arguments.memory):
            from holdfast.api.journey_options import journeys_of

            return Asked((), StopRule(), None, journeys_of(arguments, body=body, data=data))
        return Asked((group_of(path, arguments, body=body, data=data),), StopRule(), None)
    except ValueError as error:
        raise click.UsageError(str(error), ctx=context) from error


def _check_events(context: click.Context, arguments: LoadArguments, *, to_file: bool) -> None:
    """Refuses what does not go with `--events`, or without it."""
    events = arguments.connection.events
    if to_file and not events:
        raise click.UsageError("--events-csv goes with --events: without it, no events are looked for.", ctx=context)
    if events and arguments.run.cluster is not None:
        raise click.UsageError("--events does not go with --cluster: hosts send rows, but no events.", ctx=context)


def _check_plain(context: click.Context, connection: ConnectionArguments) -> None:
    """Refuses what only the one request of a URL can be."""
    for option, given in (("--http2", connection.http2), ("--events", connection.events)):
        if given:
            why = "Requests of files, and of clients with a memory, are sent over HTTP/1.1, and their replies end."
            raise click.UsageError(f"{option} goes with a URL and nothing that is remembered. {why}", ctx=context)


def _check_journeys(context: click.Context, run: RunArguments, journeys: Journeys) -> None:
    """Refuses hosts for clients that share something."""
    from holdfast.loadtest.journey_plans import why_not_on_several_hosts

    if run.cluster is not None and (why := why_not_on_several_hosts(journeys)) is not None:
        raise click.UsageError(f"--cluster does not go with this load, because {why}. Leave it out.", ctx=context)


def _cluster(context: click.Context, run: RunArguments) -> RunElsewhere | None:
    """What sends the load from other hosts; None sends it from this one."""
    if run.cluster is None:
        return None
    if run.prometheus is not None:
        raise click.UsageError(
            "--prometheus shows the load of this machine; with --cluster other machines send it.", ctx=context
        )
    # A load from one machine needs neither asyncio nor what speaks to the others.
    from holdfast.cli.cluster_view import shown_runner

    return shown_runner(run.cluster, quiet=run.quiet)
