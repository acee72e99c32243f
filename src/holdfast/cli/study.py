"""`holdfast study`: many probes, one table."""

from __future__ import annotations

from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.api import config_file
from holdfast.cli.answer import bid_farewell, working_directory
from holdfast.cli.checks import Checks, check_options, checks_of, no_checks, with_table
from holdfast.cli.click_types import html_option, json_option, markdown_option, put_out, quiet_option
from holdfast.cli.live_view import View, shown_while_it_lasts
from holdfast.cli.option_groups import ROWS, GroupedCommand, declared, option
from holdfast.console import say
from holdfast.interrupts import listening
from holdfast.model.check import NOTHING_EXPECTED, CheckResult
from holdfast.model.live_study import LiveStudy
from holdfast.model.study import StudyResult
from holdfast.report.columns import why_not
from holdfast.report.json import as_json, study_json
from holdfast.report.junit import cases_of_rows
from holdfast.report.markdown import study_markdown
from holdfast.report.study import render_study
from holdfast.study.run import STUDIES, exit_code, only, run_study, shown_again

if TYPE_CHECKING:
    from holdfast.checks.fields import Fields

_EXAMPLES = f"""\b
Examples:
  holdfast study cases.toml
  holdfast study servers --only gunicorn --markdown servers.md

Bundled studies: {", ".join(sorted(STUDIES))}. docs/studies.md explains the file format.
"""


@click.command("study", cls=GroupedCommand, epilog=_EXAMPLES)
@click.argument("name", metavar="NAME|FILE.toml")
@declared(
    option(
        ROWS,
        "--only",
        "wanted",
        multiple=True,
        metavar="TEXT",
        help="Run only the rows of this server or this name (repeatable).",
    ),
    option(
        ROWS,
        "--python",
        metavar="PATH",
        help="Run the servers with this interpreter.  [default: the active environment's]",
    ),
    option(
        ROWS,
        "--silent",
        is_flag=True,
        help="After each row, find out how many silent clients make others wait, which takes seconds more.",
    ),
    *check_options(),
    markdown_option("the table as Markdown"),
    html_option(),
    json_option("rows"),
    quiet_option("Show nothing while it runs."),
)
def study(  # parameters: the options of the command line
    name: str,
    wanted: tuple[str, ...],
    python: str | None,
    silent: bool,  # noqa: FBT001 - a flag of the command line
    markdown_target: str | None,
    html_target: str | None,
    json_target: str | None,
    quiet: bool,  # noqa: FBT001 - a flag of the command line
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Run many probes and print one table.

    NAME is a bundled study; FILE.toml is a list of your own, with what you expect of each row.
    """
    checks = checks_of(given, "study", _fields, "study")
    cwd = working_directory()
    project = config_file.project_defaults(Path(cwd), say)
    chosen = STUDIES.get(name)
    if chosen is None:
        config_file.check_study_name(name, STUDIES)
        chosen = config_file.read_study(name, [project] if project else [], cwd)
    elif python is None and project is not None:
        # Which environment is a matter of the place; what is measured there is the study's own.
        python = project.values.get("python")
    rows = only(chosen, wanted) if wanted else chosen
    checks.check_parts("row", [case.id for case in rows.cases])
    with (
        listening(reports=True) as interrupts,
        shown_while_it_lasts(_view, chosen.name, quiet=quiet) as shown,
    ):
        result = run_study(rows, python, interrupts, shown.tell, shown.watch, silent=silent)
    checked = _publish(result, checks, json_target, markdown_target, html_target)
    bid_farewell(interrupts)
    return checks.exit_code(exit_code(result), checked)


def _view() -> View[LiveStudy]:
    from holdfast.report.live_study import study_view

    return study_view


def show_study(number: int, json_target: str | None) -> int:
    """Prints the table of a saved study again."""
    result = shown_again(number)
    _publish(result, no_checks("show"), json_target)
    return exit_code(result)


def _publish(
    result: StudyResult,
    checks: Checks,
    json_target: str | None,
    markdown_target: str | None = None,
    html_target: str | None = None,
) -> CheckResult:
    picture = partial(render_study, result)
    checked = _checked(result, checks)
    checks.write(checked, picture, cases=cases_of_rows(result))
    put_out(
        partial(with_table, picture, checked),
        (markdown_target, partial(study_markdown, result)),
        (html_target, partial(_html, result)),
        (json_target, partial(study_json, result, checked)),
    )
    checks.tell(checked, "-" if "-" in {json_target, markdown_target, html_target} else None)
    return checked


def _html(result: StudyResult) -> bytes:
    from holdfast.page.of_study import document_of_study
    from holdfast.page.render import page

    return page(document_of_study(result))


def _fields() -> Fields:
    from holdfast.checks.study_fields import study_fields

    return study_fields()


def _checked(result: StudyResult, checks: Checks) -> CheckResult:
    """What came of the expectations, of each row or of those that they name."""
    if not checks.expects:
        return NOTHING_EXPECTED
    from holdfast.checks.study_fields import checked_rows

    verdicts = {row.id: None if row.verdict is None else as_json(row.verdict) for row in result.rows}
    why = {row.id: why_not(row).rstrip(".") for row in result.rows if row.verdict is None}
    found = (checked_rows(each, verdicts, why.__getitem__) for each in checks.expectations)
    return CheckResult(tuple(chain.from_iterable(found)), checks.against(as_json(result)))
