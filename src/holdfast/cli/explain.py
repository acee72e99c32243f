"""`holdfast explain`: which setting decides, shown by changing it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli import option_values
from holdfast.cli.answer import bid_farewell
from holdfast.cli.checks import Checks, check_options, checks_of, no_checks
from holdfast.cli.click_types import checked, json_option
from holdfast.cli.option_groups import OUTPUT, GroupedCommand, declared, option
from holdfast.cli.probe import (
    PORT_OF_PROBE,
    app_argument,
    limit_options,
    measurement_options,
    request_options,
    server_options,
    target_options,
    with_defaults,
)
from holdfast.console import say
from holdfast.errors import EXIT_ANSWERED, EXIT_ENVIRONMENT, EXIT_EXPECTATION_FAILED, EXIT_INCONCLUSIVE
from holdfast.explain.run import Asked, shown_again
from holdfast.explain.run import explain as run_explanation
from holdfast.explain.trials import bench_for
from holdfast.infer.queueing import busy_places, places_for
from holdfast.interrupts import listening
from holdfast.load.quantities import rate_per_s, some_time_s
from holdfast.model.advice import Wish
from holdfast.model.experiment import Experiment, experiment_of
from holdfast.model.explanation import Explanation
from holdfast.model.silent import DEFAULT_PATIENCE_S
from holdfast.model.sizes import size_of

if TYPE_CHECKING:
    from holdfast.checks.fields import Fields
    from holdfast.model.check import CheckResult

EXPLAIN = "Explanation"
ADVICE = "Advice"
CLIENTS = "Clients"

_EXAMPLES = """\b
Examples:
  holdfast explain --server flask --nofile 256
  holdfast explain app.py --server gunicorn -- -w 2 --threads 8
  holdfast explain -- gunicorn -c conf.py shop:app

Arguments after -- are the server's own, as for `holdfast probe`. Without APP and --server, they are your own command,
as for `holdfast exec`.
"""
_OF_A_KNOWN_SERVER = ("app", "server", "framework", "python")


@click.command("explain", cls=GroupedCommand, passes_on=True, epilog=_EXAMPLES)
@app_argument
@declared(
    *server_options(),
    *target_options(PORT_OF_PROBE, "Kind of view to hold.  [default: as your application has it]"),
    option(
        EXPLAIN,
        "--up-to",
        type=click.IntRange(0, option_values.MOST_OFFERED),
        metavar="N",
        help="Look for the next limit up to N requests at once.  [default: four times as many as now, or twice where "
        "each takes a process; 0: do not look]",
    ),
    option(
        ADVICE,
        "--want",
        type=click.IntRange(1, option_values.MOST_OFFERED),
        metavar="N",
        help="Propose settings for N requests at once, and run them.",
    ),
    option(
        ADVICE,
        "--rate",
        "rate_per_s",
        callback=checked(rate_per_s),
        metavar="RATE",
        help="Propose settings for requests that come at this rate (100/s), and run them.",
    ),
    option(
        ADVICE,
        "--service-time",
        "service_s",
        callback=checked(some_time_s),
        metavar="TIME",
        help="With --rate or --overload, how long each request takes (200ms).",
    ),
    option(
        ADVICE,
        "--p99",
        "p99_s",
        callback=checked(some_time_s),
        metavar="TIME",
        help="With --rate, in which time 99 of 100 are to be answered, waiting included.",
    ),
    option(
        ADVICE,
        "--memory",
        "memory_bytes",
        callback=checked(size_of),
        metavar="SIZE",
        help="Propose what fits into so much memory, as 512M or 1G, all processes together.",
    ),
    option(
        CLIENTS,
        "--overload",
        is_flag=True,
        help="Also put the server under half, one, one and a half and twice the load that its ceiling takes.",
    ),
    option(
        CLIENTS,
        "--health",
        "health_path",
        default="",
        metavar="PATH",
        help="With --overload, request this path meanwhile, as a health check does.  [default: the same path]",
    ),
    option(
        CLIENTS,
        "--silent",
        is_flag=True,
        help="Also find out how many clients that send nothing, or read nothing, make others wait.",
    ),
    option(
        CLIENTS,
        "--patience",
        "patience_s",
        callback=checked(some_time_s),
        metavar="TIME",
        help=f"With --silent, look for so long what becomes of such clients.  [default: {DEFAULT_PATIENCE_S:g}s]",
    ),
    *request_options(),
    *measurement_options(),
    *limit_options(),
    *check_options(),
    json_option("explanation"),
    option(OUTPUT, "--quiet", is_flag=True, help="Do not tell which probe is running."),
)
@click.pass_context
def explain(
    context: click.Context,
    /,
    json_target: str | None,
    quiet: bool,  # noqa: FBT001 - a flag of the command line
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Find out which setting decides, by changing it and probing again.

    It probes the server as asked, changes one setting or limit after another, and reports which of them decides how
    many requests run at once, by which law, and what would be the next limit. Each probe is saved as a run of its own.
    """
    asked = _asked(given)
    options = with_defaults(context, given)
    checks = checks_of(options, "explain", _fields, "explanation")
    experiment = _experiment(context, options)
    tell = (lambda _line: None) if quiet else say
    with (
        checks.told_without_result(),
        listening(reports=True) as interrupts,
        bench_for(experiment, interrupts, tell) as bench,
    ):
        found = run_explanation(bench, asked)
    checked_ = _publish(found, json_target, checks)
    bid_farewell(interrupts)
    return checks.exit_code(_exit_code(found) if found.run is not None else EXIT_ENVIRONMENT, checked_)


def show_explanation(number: int, json_target: str | None) -> int:
    """Prints a saved explanation again."""
    found = shown_again(number)
    _publish(found, json_target, no_checks("show"))
    return _exit_code(found)


def _experiment(context: click.Context, options: dict[str, Any]) -> Experiment:
    after: tuple[str, ...] = context.obj
    named = any(options.get(name) not in {None, ""} for name in _OF_A_KNOWN_SERVER if _was_given(context, name))
    if after and not named and not after[0].startswith("-"):
        return experiment_of(**{k: v for k, v in options.items() if k not in _OF_A_KNOWN_SERVER}, command=after)
    return experiment_of(**options, arguments=after)


def _asked(given: dict[str, Any]) -> Asked:
    """What is asked besides; takes its options out of the others."""
    names = ("up_to", "overload", "health_path", "silent", "patience_s", "service_s")
    up_to, overload, health_path, silent, patience_s, service_s = (given.pop(name) for name in names)
    wish = _wish(given.pop("want"), given.pop("rate_per_s"), service_s, given.pop("p99_s"), given.pop("memory_bytes"))
    if service_s is not None and not overload and (wish is None or wish.rate_per_s is None):
        raise click.UsageError("--service-time says how long requests take that --rate or --overload is about.")
    if health_path and not overload:
        raise click.UsageError("--health is requested during --overload, which was not asked for.")
    if patience_s is not None and not silent:
        raise click.UsageError("--patience is that with silent clients; add --silent.")
    return Asked(up_to, wish, overload, service_s, health_path, silent, patience_s or DEFAULT_PATIENCE_S)


def _wish(
    want: int | None, rate: float | None, service_s: float | None, p99_s: float | None, memory: int | None
) -> Wish | None:
    """What is wanted of the server."""
    if want is not None and (rate is not None or p99_s is not None):
        raise click.UsageError("Give either --want, or --rate and --service-time.")
    if want is not None:
        return Wish(want, memory)
    if rate is None:
        if p99_s is not None or memory is not None:
            raise click.UsageError("Say for what: --want N, or --rate R and --service-time S.")
        return None
    if service_s is None:
        raise click.UsageError("--rate and --service-time belong together: how many come, and how long each takes.")
    try:
        places = places_for(rate, service_s, p99_s)
    except ValueError as error:
        raise click.UsageError(f"--p99 cannot be kept: {error}.") from error
    return Wish(places, memory, rate, service_s, p99_s, busy_places(rate, service_s))


def _was_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def _publish(found: Explanation, json_target: str | None, checks: Checks) -> CheckResult:
    from holdfast.report.explain import render_explanation
    from holdfast.report.json import explanation_json

    return checks.publish(found, json_target, partial(render_explanation, found), partial(explanation_json, found))


def _fields() -> Fields:
    from holdfast.checks.explanation_fields import explanation_fields

    return explanation_fields()


def _exit_code(found: Explanation) -> int:
    """As docs/exit-codes.md says: that no bound was met is an answer too, and a wish may not be fulfilled."""
    ceiling = found.verdict.ceiling
    unbounded = ceiling.in_service is not None and ceiling.bounded is False
    if found.interrupted or (found.verdict.binding is None and not unbounded):
        return EXIT_INCONCLUSIVE
    fulfilled = found.advice is None or found.advice.fulfilled
    return EXIT_ANSWERED if fulfilled else EXIT_EXPECTATION_FAILED
