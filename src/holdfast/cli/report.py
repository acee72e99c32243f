"""`holdfast report`: a saved run of any kind as a page, as Markdown, or in the forms that other programs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from holdfast import console, store
from holdfast.cli import load_report
from holdfast.cli.click_types import html_option, markdown_option, target_file
from holdfast.cli.option_groups import OUTPUT, GroupedCommand, declared, option
from holdfast.cli.saved_load import saved_load
from holdfast.errors import EXIT_ANSWERED, EXIT_ENVIRONMENT, InconclusiveError
from holdfast.model.migration import CAPACITY_FORM, EXPLANATION_FORM, LOAD_FORM, STUDY_FORM
from holdfast.page.document import Document

_EXAMPLES = """\b
Examples:
  holdfast report 17 --html run17.html
  holdfast report 17 --markdown -
  holdfast report 17 --trace run17.json
  holdfast report 17 --csv rows.csv
"""


@click.command("report", cls=GroupedCommand, epilog=_EXAMPLES)
@click.argument("number", metavar="RUN", type=int)
@declared(
    html_option(),
    markdown_option("it as Markdown for an issue"),
    option(
        OUTPUT,
        "--trace",
        "trace_target",
        metavar="FILE",
        callback=target_file,
        help="Write each request on its thread to FILE, as Perfetto opens it; - is standard output.",
    ),
)
@load_report.output_options
@click.pass_context
def report(
    context: click.Context,
    /,
    number: int,
    html_target: str | None,
    markdown_target: str | None,
    trace_target: str | None,
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Write a saved run as a page, as Markdown, or its results to files.

    `holdfast runs` lists the saved runs; `holdfast show` prints the result of one. The forms of rows (--csv, --jsonl,
    --jtl, --events-csv, --sqlite, --parquet) are those of loads.
    """
    targets = load_report.files_of(given)
    pages = {form: target for form, target in zip(_FORMS, (html_target, markdown_target), strict=True) if target}
    _check_company(context, targets, pages | ({} if trace_target is None else {"trace": trace_target}))
    if trace_target is not None:
        from holdfast.cli.trace import write_trace

        write_trace(number, trace_target)
    finished = saved_load(number) if targets else None
    if finished is not None and "events-csv" in targets:
        load_report.check_events(finished)
    document = document_of_run(number) if pages else None
    for form, target in pages.items():
        assert document is not None
        _write(target, _FORMS[form](document))
    if finished is None:
        return EXIT_ANSWERED
    return EXIT_ANSWERED if load_report.publish(finished, targets, number) else EXIT_ENVIRONMENT


def _check_company(context: click.Context, targets: Mapping[str, str], pages: Mapping[str, str]) -> None:
    """Makes sure that something is to be written, and each form to a place of its own."""
    if not targets and not pages:
        raise click.UsageError("Say what to write, as --html FILE.", ctx=context)
    taken: dict[str, str] = {}
    for form, target in (*pages.items(), *targets.items()):
        if target in taken:
            where = "standard output" if target == console.STDOUT else target
            raise click.UsageError(f"--{taken[target]} and --{form} cannot both go to {where}.", ctx=context)
        taken[target] = form


def _html(document: Document) -> bytes:
    from holdfast.page.render import page

    return page(document)


def _markdown(document: Document) -> bytes:
    from holdfast.page.markdown import markdown

    return markdown(document)


_FORMS = {"html": _html, "markdown": _markdown}


def document_of_run(number: int) -> Document:
    """The page of a saved run, in words and figures.

    Raises:
        UsageError: there is no such run, or it cannot be read.
    """
    path = store.default_path()
    form = store.form_of(number, path)
    if form == LOAD_FORM:
        from holdfast.loadtest.rows import chunks
        from holdfast.page.of_load import document_of_load

        finished = saved_load(number)
        return document_of_load(finished.experiment, finished.result, chunks(finished))
    if form == EXPLANATION_FORM:
        from holdfast.explaining.run import shown_again
        from holdfast.page.of_explanation import document_of_explanation

        explanation = shown_again(number)
        return document_of_explanation(explanation, store.load(store.load_explanation(number, path).first_run, path))
    if form == STUDY_FORM:
        from holdfast.page.of_study import document_of_study
        from holdfast.study.run import shown_again as study_again

        return document_of_study(study_again(number))
    if form == CAPACITY_FORM:
        from holdfast.api.searching import shown_again as search_again
        from holdfast.page.of_capacity import document_of_capacity

        return document_of_capacity(search_again(number))
    from holdfast.infer.judge import judge
    from holdfast.model.verdict import of_run
    from holdfast.page.of_verdict import document_of

    record = store.load(number, path)
    try:
        return document_of(record, of_run(judge(record), number))
    except InconclusiveError as error:
        return document_of(record, error)


def _write(target: str, content: bytes) -> None:
    if target == console.STDOUT:
        console.put(content)
    else:
        console.write_file(target, content)
