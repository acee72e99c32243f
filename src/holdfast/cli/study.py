"""`holdfast study`: many probes, one table."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from holdfast.api import config_file
from holdfast.cli.answer import bid_farewell, working_directory
from holdfast.cli.click_types import html_option, json_option, put_out, target_file
from holdfast.cli.option_groups import OUTPUT, ROWS, GroupedCommand, declared, option
from holdfast.console import say
from holdfast.interrupts import listening
from holdfast.model.study import StudyResult
from holdfast.report.json import study_json
from holdfast.report.markdown import study_markdown
from holdfast.report.study import render_study
from holdfast.study.run import STUDIES, exit_code, only, run_study, shown_again

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
    option(
        OUTPUT,
        "--markdown",
        "markdown_target",
        metavar="FILE",
        callback=target_file,
        help="Write the table as Markdown to FILE; - is standard output.",
    ),
    html_option(),
    json_option("rows"),
)
def study(
    name: str,
    wanted: tuple[str, ...],
    python: str | None,
    silent: bool,  # noqa: FBT001 - a flag of the command line
    markdown_target: str | None,
    html_target: str | None,
    json_target: str | None,
) -> int:
    """Run many probes and print one table.

    NAME is a bundled study; FILE.toml is a list of your own, with what you expect of each row.
    """
    cwd = working_directory()
    project = config_file.project_defaults(Path(cwd), say)
    chosen = STUDIES.get(name)
    if chosen is None:
        config_file.check_study_name(name, STUDIES)
        chosen = config_file.read_study(name, [project] if project else [], cwd)
    elif python is None and project is not None:
        # Which environment is a matter of the place; what is measured there is the study's own.
        python = project.values.get("python")
    with listening(reports=True) as interrupts:
        result = run_study(only(chosen, wanted) if wanted else chosen, python, interrupts, say, silent=silent)
    _publish(result, json_target, markdown_target, html_target)
    bid_farewell(interrupts)
    return exit_code(result)


def show_study(number: int, json_target: str | None) -> int:
    """Prints the table of a saved study again."""
    result = shown_again(number)
    _publish(result, json_target)
    return exit_code(result)


def _publish(
    result: StudyResult, json_target: str | None, markdown_target: str | None = None, html_target: str | None = None
) -> None:
    put_out(
        partial(render_study, result),
        (markdown_target, partial(study_markdown, result)),
        (html_target, partial(_html, result)),
        (json_target, partial(study_json, result)),
    )


def _html(result: StudyResult) -> bytes:
    from holdfast.page.of_study import document_of_study
    from holdfast.page.render import page

    return page(document_of_study(result))
