"""`holdfast explain`: which setting decides, shown by changing it."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from holdfast.api import option_values
from holdfast.api.explaining import BESIDES, asked_besides, explained
from holdfast.cli.answer import bid_farewell
from holdfast.cli.checks import Checks, check_options, checks_of, no_checks
from holdfast.cli.click_types import checked, json_option, quiet_option
from holdfast.cli.live_view import View, shown_while_it_lasts
from holdfast.cli.option_groups import GroupedCommand, declared, option
from holdfast.cli.probe import (
    PORT_OF_PROBE,
    app_argument,
    limit_options,
    measurement_options,
    request_options,
    server_options,
    target_options,
    typed_experiment,
    with_defaults,
)
from holdfast.cli.whole_number import WholeNumber
from holdfast.engine.quantities import rate_per_s, some_time_s
from holdfast.errors import EXIT_ANSWERED, EXIT_ENVIRONMENT, EXIT_EXPECTATION_FAILED, EXIT_INCONCLUSIVE
from holdfast.explaining.run import Asked, shown_again
from holdfast.interrupts import listening
from holdfast.model.experiment import command_line_of
from holdfast.model.explanation import Explanation
from holdfast.model.live_study import LiveExplanation
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


@click.command("explain", cls=GroupedCommand, passes_on=True, epilog=_EXAMPLES)
@app_argument
@declared(
    *server_options(),
    *target_options(PORT_OF_PROBE, "Kind of view to hold.  [default: as your application has it]"),
    option(
        EXPLAIN,
        "--up-to",
        type=WholeNumber(0, option_values.MOST_OFFERED),
        metavar="N",
        help="Look for the next limit up to N requests at once.  [default: four times as many as now, or twice where "
        "each takes a process; 0: do not look]",
    ),
    option(
        ADVICE,
        "--want",
        type=WholeNumber(1, option_values.MOST_OFFERED),
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
    quiet_option("Show nothing while it runs."),
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
    experiment = typed_experiment(context, options)
    title = shlex.join(command_line_of(experiment.target))
    with (
        checks.told_without_result(),
        listening(reports=True) as interrupts,
        shown_while_it_lasts(_view, title, quiet=quiet) as shown,
    ):
        found = explained(experiment, asked, interrupts, shown.tell, shown.watch)
    checked_ = _publish(found, json_target, checks)
    bid_farewell(interrupts)
    return checks.exit_code(_exit_code(found) if found.run is not None else EXIT_ENVIRONMENT, checked_)


def _view() -> View[LiveExplanation]:
    from holdfast.report.live_explain import explanation_view

    return explanation_view


def show_explanation(number: int, json_target: str | None) -> int:
    """Prints a saved explanation again."""
    found = shown_again(number)
    _publish(found, json_target, no_checks("show"))
    return _exit_code(found)


def _asked(given: dict[str, Any]) -> Asked:
    """What is asked besides; takes its options out of the others."""
    try:
        return asked_besides({name: given.pop(name) for name in BESIDES})
    except ValueError as error:
        raise click.UsageError(str(error)) from error


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
