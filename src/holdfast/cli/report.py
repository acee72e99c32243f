"""`holdfast report`: a saved run of any kind as a page, as Markdown, or in the forms that other programs read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from holdfast import console, store
from holdfast.cli import load_report
from holdfast.cli.click_types import target_file
from holdfast.cli.option_groups import OUTPUT, GroupedCommand, declared, option
from holdfast.errors import EXIT_ANSWERED, EXIT_ENVIRONMENT, InconclusiveError
from holdfast.model.migration import EXPLANATION_FORM, LOAD_FORM
from holdfast.page.document import Document

_EXAMPLES = """\b
Examples:
  holdfast report 17 --html run17.html
  holdfast report 17 --trace run17.json
  holdfast report 17 --csv rows.csv
"""


@click.command("report", cls=GroupedCommand, epilog=_EXAMPLES)
@click.argument("number", metavar="RUN", type=int)
@declared(
    option(
        OUTPUT,
        "--html",
        "html_target",
        metavar="FILE",
        callback=target_file,
        help="Write one page that works offline, with pictures, to FILE; - is standard output.",
    ),
    option(
        OUTPUT,
        "--trace",
        "trace_target",
        metavar="FILE",
        callback=target_file,
        help="Write each request on its thread to FILE, for ui.perfetto.dev or chrome://tracing; - is standard output.",
    ),
)
@load_report.output_options
@click.pass_context
def report(
    context: click.Context,
    /,
    number: int,
    html_target: str | None,
    trace_target: str | None,
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Write a saved run as a page, or its results to files.

    `holdfast runs` lists the saved runs; `holdfast show` prints the result of one.
    """
    targets = load_report.files_of(given)
    if not targets and html_target is None and trace_target is None:
        raise click.UsageError("Say what to write, as --html FILE.", ctx=context)
    if trace_target is not None:
        if trace_target == console.STDOUT:
            console.put_stream(trace_of_run(number))
        else:
            console.write_stream(trace_target, trace_of_run(number))
    if html_target is not None:
        from holdfast.page.render import page

        _write(html_target, page(document_of_run(number)))
    if not targets:
        return EXIT_ANSWERED
    finished = load_report.saved_load(number)
    return EXIT_ANSWERED if load_report.publish(finished, targets, number) else EXIT_ENVIRONMENT


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

        finished = load_report.saved_load(number)
        return document_of_load(finished.experiment, finished.result, chunks(finished))
    if form == EXPLANATION_FORM:
        from holdfast.explain.run import shown_again
        from holdfast.page.of_explanation import document_of_explanation

        explanation = shown_again(number)
        return document_of_explanation(explanation, store.load(store.load_explanation(number, path).first_run, path))
    from holdfast.infer.judge import judge
    from holdfast.page.of_verdict import document_of

    record = store.load(number, path)
    try:
        return document_of(record, judge(record))
    except InconclusiveError as error:
        return document_of(record, error)


def trace_of_run(number: int) -> Iterator[bytes]:
    """The trace of a saved run, of an explanation that of its first trial, some of it at a time.

    Raises:
        UsageError: there is no such run, or it cannot be read.
    """
    from holdfast.model.timeline import Timeline
    from holdfast.picture.trace import load_trace_of, outside_trace_of, trace_of

    path = store.default_path()
    form = store.form_of(number, path)
    if form == LOAD_FORM:
        from holdfast.loadtest.rows import chunks
        from holdfast.loadtest.saved import title_of

        finished = load_report.saved_load(number)
        return load_trace_of(chunks(finished), title_of(finished.experiment))
    record = store.load(store.load_explanation(number, path).first_run if form == EXPLANATION_FORM else number, path)
    return trace_of(record) if isinstance(record, Timeline) else outside_trace_of(record)


def _write(target: str, content: bytes) -> None:
    if target == console.STDOUT:
        console.put(content)
    else:
        console.write_file(target, content)
