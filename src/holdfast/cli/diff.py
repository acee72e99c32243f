"""`holdfast diff`: what differs between two results, and whether that is more than noise."""

from __future__ import annotations

from functools import partial

import click

from holdfast.cli.click_types import html_option, json_option, put_out
from holdfast.cli.option_groups import CHECKS, OUTPUT, GroupedCommand, declared, option
from holdfast.cli.results import Result, result_named
from holdfast.errors import EXIT_ANSWERED, EXIT_EXPECTATION_FAILED
from holdfast.infer.difference import difference_of, is_beyond_noise
from holdfast.model.difference import Difference
from holdfast.report.difference import render_difference
from holdfast.report.json import difference_json

_EXAMPLES = """\b
Examples:
  holdfast diff 12 17
  holdfast diff baseline.json 17 --exit-code
  holdfast diff 12 17 --html diff.html
"""


@click.command("diff", cls=GroupedCommand, epilog=_EXAMPLES)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@declared(
    option(CHECKS, "--exit-code", is_flag=True, help="End with 1 if anything beyond noise differs."),
    option(OUTPUT, "--all", "everything", is_flag=True, help="List what is noise too, and give each reason."),
    html_option(),
    json_option("difference"),
)
def diff(
    before: str,
    after: str,
    everything: bool,  # noqa: FBT001 - a flag of the command line, as below
    exit_code: bool,  # noqa: FBT001
    html_target: str | None,
    json_target: str | None,
) -> int:
    """Compare two results: what changed, and what is noise.

    A and B are numbers of saved runs, or files that --json has written. Both must be of one kind: verdicts, loads,
    explanations, studies, or searches for a rate.
    """
    one, other = result_named(before), result_named(after)
    found = difference_of(one.fields, other.fields, (one.side, other.side))
    put_out(
        partial(render_difference, found, everything=everything),
        (html_target, partial(_html, found, one, other)),
        (json_target, partial(difference_json, found)),
    )
    return EXIT_EXPECTATION_FAILED if exit_code and is_beyond_noise(found) else EXIT_ANSWERED


def _html(found: Difference, one: Result, other: Result) -> bytes:
    from holdfast.page.of_difference import document_of_difference
    from holdfast.page.render import page

    return page(document_of_difference(found, one.fields, other.fields))
