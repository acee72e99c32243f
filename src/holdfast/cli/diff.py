"""`holdfast diff`: what differs between two results, and whether that is more than noise."""

from __future__ import annotations

from functools import partial

import click

from holdfast.cli.click_types import json_option, put_out
from holdfast.cli.option_groups import CHECKS, OUTPUT, GroupedCommand, declared, option
from holdfast.cli.results import result_named
from holdfast.errors import EXIT_ANSWERED, EXIT_EXPECTATION_FAILED
from holdfast.infer.difference import difference_of, is_beyond_noise
from holdfast.report.difference import render_difference
from holdfast.report.json import difference_json

_EXAMPLES = """\b
Examples:
  holdfast diff 12 17
  holdfast diff baseline.json 17 --exit-code
"""


@click.command("diff", cls=GroupedCommand, epilog=_EXAMPLES)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@declared(
    option(OUTPUT, "--all", "everything", is_flag=True, help="List what is noise too, and give each reason."),
    option(CHECKS, "--exit-code", is_flag=True, help="End with 1 if anything beyond noise differs."),
    json_option("difference"),
)
def diff(
    before: str,
    after: str,
    everything: bool,  # noqa: FBT001 - a flag of the command line, as below
    exit_code: bool,  # noqa: FBT001
    json_target: str | None,
) -> int:
    """Compare two results: what changed, and what is noise.

    A and B are numbers of saved runs, or files that --json has written. Both must be verdicts, or results of loads, or
    explanations, or studies.
    """
    one, other = result_named(before), result_named(after)
    found = difference_of(one.fields, other.fields, (one.side, other.side))
    put_out(partial(render_difference, found, everything=everything), (json_target, partial(difference_json, found)))
    return EXIT_EXPECTATION_FAILED if exit_code and is_beyond_noise(found) else EXIT_ANSWERED
