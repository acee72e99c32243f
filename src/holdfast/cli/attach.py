"""`holdfast attach`: argv -> Experiment."""

from __future__ import annotations

from typing import Any

import click

from holdfast.api import option_values
from holdfast.api.measuring import Measured, Told, attached
from holdfast.cli.answer import measured
from holdfast.cli.checks import check_options, checks_of, verdict_fields
from holdfast.cli.click_types import header_option, insecure_option, json_option, quiet_option
from holdfast.cli.live_view import probe_view_of, shown_while_it_lasts
from holdfast.cli.option_groups import MEASUREMENT, TARGET, GroupedCommand, declared, option
from holdfast.cli.whole_number import WholeNumber
from holdfast.console import tell
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import DEFAULT_ANSWER_TIMEOUT_S, DEFAULT_MAX_ATTACHED, OutsideExperiment, UrlTarget

_ATTACHED = WholeNumber(1, option_values.MOST_ATTACHED)
_SECONDS = click.FloatRange(min=0, min_open=True, max=option_values.LONGEST_START_S)

_EXAMPLES = """\b
Examples:
  holdfast attach http://127.0.0.1:8000/slow
  holdfast attach unix:/run/app.sock:/slow --max-offered 200
  holdfast attach https://staging.example/slow --allow-remote staging.example
"""


@click.command("attach", cls=GroupedCommand, epilog=_EXAMPLES)
@click.argument("url")
@declared(
    option(
        TARGET,
        "--allow-remote",
        "allowed_host",
        metavar="HOST",
        help="Allow this host to be tied up by waiting requests; needed for any but loopback.",
    ),
    insecure_option(),
    header_option(option_values.header_of),
    option(
        MEASUREMENT,
        "--max-offered",
        type=_ATTACHED,
        default=DEFAULT_MAX_ATTACHED,
        show_default=True,
        metavar="N",
        help="Send at most this many requests at once.",
    ),
    option(
        MEASUREMENT,
        "--http2",
        is_flag=True,
        help="Speak HTTP/2: one stream on each connection, then many on one.",
    ),
    option(
        MEASUREMENT,
        "--timeout",
        "answer_timeout_s",
        type=_SECONDS,
        default=f"{DEFAULT_ANSWER_TIMEOUT_S:g}",
        show_default=True,
        metavar="SECONDS",
        help="Wait this long for an answer.",
    ),
    *check_options(),
    json_option("verdict"),
    quiet_option("Show nothing while it runs."),
)
def attach_(
    json_target: str | None,
    quiet: bool,  # noqa: FBT001 - a flag of the command line
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Measure a server that is already running, from outside.

    URL is http://HOST:PORT/PATH, https://..., unix:/path/to.sock or unix:/path/to.sock:/PATH. Choose a PATH that
    waits for something and takes 0.2 to 2 s, always about the same. The result is an estimate.
    """
    checks = checks_of(given, "attach", verdict_fields, "verdict")
    target = UrlTarget(given.pop("url"), given.pop("allowed_host"), given.pop("insecure"))
    experiment = OutsideExperiment(target, **given)

    def measure(interrupts: Interrupts) -> Measured:
        with shown_while_it_lasts(probe_view_of, target.url, quiet=quiet) as shown:
            return attached(experiment, interrupts, Told(unsaved=shown.instead(tell), watch=shown.watch))

    return measured(measure, json_target, checks)
