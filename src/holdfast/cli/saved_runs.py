"""`holdfast runs` and `holdfast show`: what was measured before."""

from __future__ import annotations

from dataclasses import replace

import click

from holdfast import store
from holdfast.cli.answer import exit_code, publish
from holdfast.cli.checks import no_checks
from holdfast.cli.click_types import json_option
from holdfast.cli.click_types import show as show_picture
from holdfast.cli.option_groups import OUTPUT, GroupedCommand, declared, option
from holdfast.errors import EXIT_ANSWERED
from holdfast.model.migration import EXPLANATION_FORM, LOAD_FORM


@click.command("runs", cls=GroupedCommand)
@option(
    OUTPUT,
    "--limit",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    metavar="N",
    help="List at most this many.",
)
def runs(limit: int) -> int:
    """List the saved runs, newest first."""
    from holdfast.report.runs import render_runs

    show_picture(render_runs(store.saved_runs(store.default_path()), limit))
    return EXIT_ANSWERED


@click.command("show", cls=GroupedCommand, epilog="\b\nExamples:\n  holdfast show 17\n  holdfast show 17 --json -\n")
@click.argument("number", metavar="RUN", type=int)
@declared(json_option("verdict or the result"))
def show(number: int, json_target: str | None) -> int:
    """Print the verdict or the result of a saved run again.

    The verdict is inferred anew from the raw record. `holdfast runs` lists the saved runs.
    """
    # Each kind of run brings a good part of holdfast.
    form = store.form_of(number, store.default_path())
    if form == LOAD_FORM:
        from holdfast.cli.load_report import show_load

        return show_load(number, json_target)
    if form == EXPLANATION_FORM:
        from holdfast.cli.explain import show_explanation

        return show_explanation(number, json_target)
    from holdfast.infer.judge import judge

    verdict = replace(judge(store.load(number, store.default_path())), run=number)
    publish(verdict, json_target, no_checks("show"))
    return exit_code(verdict)
