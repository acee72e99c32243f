"""`holdfast runs` and `holdfast show`: what was measured before."""

from __future__ import annotations

import re
import time
from functools import partial
from pathlib import Path

import click

from holdfast import store
from holdfast.cli.answer import exit_code, publish
from holdfast.cli.checks import no_checks
from holdfast.cli.click_types import checked, json_option, put_out
from holdfast.cli.option_groups import OUTPUT, ROWS, GroupedCommand, declared, option
from holdfast.cli.whole_number import WholeNumber
from holdfast.errors import EXIT_ANSWERED, UsageError
from holdfast.model.instants import instant_of
from holdfast.model.migration import CAPACITY_FORM, EXPLANATION_FORM, LOAD_FORM, STUDY_FORM
from holdfast.model.saved import RUN_KINDS, RunKind, RunList, Wanted

_EXAMPLES = """\b
Examples:
  holdfast runs --server gunicorn --since 7d
  holdfast runs --revision HEAD --json -
"""
_HEX = re.compile(r"[0-9a-f]{4,64}")


@click.command("runs", cls=GroupedCommand, epilog=_EXAMPLES)
@declared(
    option(ROWS, "--kind", type=click.Choice(RUN_KINDS), help="Only those of this command."),
    option(ROWS, "--server", default="", metavar="TEXT", help="Only those of a server with TEXT in its name."),
    option(
        ROWS, "--app", default="", metavar="TEXT", help="Only those of an application, command or URL with TEXT in it."
    ),
    option(
        ROWS,
        "--since",
        metavar="DATE",
        callback=checked(lambda text: instant_of(text, time.time())),
        help="Only those saved since: 2026-11-30, 2026-11-30T12:00 (UTC), or 7d for a week ago.",
    ),
    option(
        ROWS,
        "--until",
        metavar="DATE",
        callback=checked(lambda text: instant_of(text, time.time(), last=True)),
        help="Only those saved until then, the whole day where DATE is one.",
    ),
    option(
        ROWS,
        "--revision",
        default="",
        metavar="REV",
        help="Only those of a project at this git commit: the beginning of its name, a branch, a tag or HEAD.",
    ),
    option(
        OUTPUT,
        "--limit",
        type=WholeNumber(1),
        default=30,
        show_default=True,
        metavar="N",
        help="List at most this many.",
    ),
    json_option("list"),
)
def runs(  # parameters: one for each option
    kind: RunKind | None,
    server: str,
    app: str,
    since: float | None,
    until: float | None,
    revision: str,
    limit: int,
    json_target: str | None,
) -> int:
    """List the saved runs, newest first."""
    from holdfast.report.runs import render_runs

    wanted = Wanted(kind, server, app, since, until, _commit(revision))
    found = tuple(each for each in store.saved_runs(store.default_path()) if wanted.takes(each))
    listed = RunList(found[:limit], max(0, len(found) - limit))
    put_out(partial(render_runs, found, limit, filtered=wanted != Wanted()), (json_target, partial(_json, listed)))
    return EXIT_ANSWERED


def _json(listed: RunList) -> bytes:
    from holdfast.report.json import runs_json

    return runs_json(listed)


def _commit(revision: str) -> str:
    """The commit that is meant, or the beginning of its name.

    Raises:
        UsageError: git knows none of that name, and it is not the beginning of one.
    """
    if not revision:
        return ""
    from holdfast.store.revision import revision_of

    if commit := revision_of(revision, Path()):
        return commit
    if _HEX.fullmatch(revision):
        return revision
    raise UsageError(
        f"{revision} is not a git revision.",
        "git knows no commit of that name here, and it is not the beginning of a commit's name (4 hex digits or more).",
        "Run it in the project's directory, or give the commit as `holdfast runs` lists it.",
    )


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
    if form == STUDY_FORM:
        from holdfast.cli.study import show_study

        return show_study(number, json_target)
    if form == CAPACITY_FORM:
        from holdfast.cli.capacity import show_capacity

        return show_capacity(number, json_target)
    from holdfast.infer.judge import judge
    from holdfast.model.verdict import of_run

    verdict = of_run(judge(store.load(number, store.default_path())), number)
    publish(verdict, json_target, no_checks("show"))
    return exit_code(verdict)
