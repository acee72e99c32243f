"""Showing a load run that is over, writing it into files; and its exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast import console, store
from holdfast.api.loading import Loaded
from holdfast.cli.checks import Checks, with_table
from holdfast.cli.click_types import show, target_file
from holdfast.cli.option_groups import OUTPUT, declared, option
from holdfast.cli.saved_load import saved_load
from holdfast.console import say, tell
from holdfast.engine.status_advice import all_refused
from holdfast.engine.url import parse_url
from holdfast.errors import (
    EXIT_ANSWERED,
    EXIT_ENVIRONMENT,
    EXIT_EXPECTATION_FAILED,
    EXIT_INCONCLUSIVE,
    EnvironmentFailure,
    UsageError,
)
from holdfast.loadtest.run import FinishedLoad
from holdfast.model.check import NOTHING_EXPECTED, CheckResult
from holdfast.model.load import LoadResult

if TYPE_CHECKING:
    from holdfast.engine.event_rows import EventRow
    from holdfast.report.junit import ReportedCase
    from holdfast.report.layout import Renderable

# Each form brings modules of its own, which a load that does not write it does without.


def _json(finished: FinishedLoad, checked: CheckResult = NOTHING_EXPECTED) -> Iterable[bytes]:
    from holdfast.report.load_json import load_json

    return (load_json(finished.result, checked),)


def _csv(finished: FinishedLoad) -> Iterable[bytes]:
    from holdfast.loadtest.rows import chunks
    from holdfast.report.rows import rows_csv

    return rows_csv(chunks(finished))


def _jsonl(finished: FinishedLoad) -> Iterable[bytes]:
    from holdfast.loadtest.rows import chunks
    from holdfast.report.rows import rows_jsonl

    return rows_jsonl(chunks(finished))


def _jtl(finished: FinishedLoad) -> Iterable[bytes]:
    from holdfast.loadtest.rows import samples, together
    from holdfast.report.jtl import jtl

    return jtl(samples(finished), finished.result.wall_clock_offset_ns or 0, together(finished))


def _summary(finished: FinishedLoad) -> Iterable[bytes]:
    from holdfast.loadtest.rows import chunks
    from holdfast.report.k6 import summary_lines

    return summary_lines(finished.result, chunks(finished))


def _events_csv(finished: FinishedLoad) -> Iterable[bytes]:
    from holdfast.report.rows import events_csv

    return events_csv(_events(finished))


def _events(finished: FinishedLoad) -> Iterator[EventRow]:
    run = finished.run
    try:
        for each in [run.saved_events] if run.saved_events else run.events:
            yield from each.rows()
    except ValueError as error:
        raise store.unreadable(finished.result.run or 0, error) from error


def _sqlite(path: Path, finished: FinishedLoad) -> None:
    from msgspec import to_builtins

    from holdfast.loadtest.export_sqlite import write_database
    from holdfast.loadtest.rows import chunks

    events = None if finished.result.events is None else _events(finished)
    write_database(path, chunks(finished), to_builtins(finished.result), events)


def _parquet(path: Path, finished: FinishedLoad) -> None:
    from holdfast.loadtest.export_parquet import write_parquet
    from holdfast.loadtest.rows import chunks

    write_parquet(path, chunks(finished), finished.result.wall_clock_offset_ns)


_STREAMS: Mapping[str, Callable[[FinishedLoad], Iterable[bytes]]] = {
    "json": _json,
    "csv": _csv,
    "jsonl": _jsonl,
    "jtl": _jtl,
    "events-csv": _events_csv,
    "summary": _summary,
}
_FILES: Mapping[str, Callable[[Path, FinishedLoad], None]] = {"sqlite": _sqlite, "parquet": _parquet}
_HELP = {
    "json": "Write the result as JSON to FILE; - is standard output.",
    "csv": "Write a row for each request as CSV to FILE; - is standard output.",
    "jsonl": "Write these rows as JSON lines to FILE; - is standard output.",
    "jtl": "Write these rows as a JMeter results file to FILE; - is standard output.",
    "events-csv": "Of a load with --events, write a row for each event as CSV to FILE; - is standard output.",
    "summary": "Write the lines of a summary as k6 prints them to FILE; - is standard output.",
    "sqlite": "Write rows and result to FILE, a new SQLite database.",
    "parquet": "Write these rows as Parquet to FILE; needs the extra `parquet`.",
}


def output_options(command: Any) -> Any:  # noqa: ANN401 - a function, or what click has made of it
    """The options that say where results go."""
    options = (
        option(OUTPUT, f"--{form}", _name_of(form), metavar="FILE", callback=target_file, help=text)
        for form, text in _HELP.items()
    )
    return declared(*options)(command)


def _name_of(form: str) -> str:
    return f"{form.replace('-', '_')}_target"


def files_of(given: dict[str, Any]) -> dict[str, str]:
    """Takes the options of `output_options` out of these: form -> its file.

    Raises:
        click.UsageError, HoldfastError: a form cannot go there.
    """
    asked = {form: given.pop(_name_of(form)) for form in _HELP}
    targets = {form: target for form, target in asked.items() if target is not None}
    to_stdout = [form for form, target in targets.items() if target == console.STDOUT]
    if len(to_stdout) > 1:
        raise click.UsageError(f"--{to_stdout[0]} and --{to_stdout[1]} cannot both go to standard output.")
    for form in to_stdout:
        if form in _FILES:
            raise click.UsageError(f"--{form} needs the name of a file.")
    files = [target for target in targets.values() if target != console.STDOUT]
    if twice := next((each for each in files if files.count(each) > 1), None):
        raise click.UsageError(f"{twice} cannot hold two forms of the results.")
    if "sqlite" in targets:
        from holdfast.loadtest.export_sqlite import check_database

        check_database(targets["sqlite"])
    if "parquet" in targets:
        from holdfast.loadtest.export_parquet import check_parquet

        check_parquet(targets["parquet"])
    return targets


def check_events(finished: FinishedLoad) -> None:
    """Makes sure that a saved load has rows of events.

    Raises:
        UsageError: it has none.
    """
    run, events = finished.run, finished.result.events
    named = f"Run {finished.result.run}"
    if run.saved_events is None or events is None:
        raise UsageError(
            f"{named} has no events: it was not a load with --events.", "", "--csv writes the rows of its requests."
        )
    if events.kept and run.saved_events.is_empty:
        raise UsageError(
            f"{named} has {events.kept:,} events, and no rows of them.",
            "An earlier version of holdfast saved it, which kept the rows of its requests alone.",
            "Make the run again.",
        )


def finish(found: Loaded, targets: Mapping[str, str], checks: Checks) -> int:
    """Shows and writes the result of a run that is over and what came of the expectations; returns the exit code."""
    if found.unsaved is not None:
        tell(found.unsaved)
    result = found.finished.result
    checked = _checked(result, checks)
    checks.write(checked, partial(_picture, result), cases=_thresholds(result))
    written = publish(found.finished, targets, result.run, checked)
    checks.tell(checked, console.STDOUT if console.STDOUT in targets.values() else None)
    code = checks.exit_code(exit_code(result, checked), checked)
    return code if written and result.run is not None else EXIT_ENVIRONMENT


def _checked(result: LoadResult, checks: Checks) -> CheckResult:
    """What came of the expectations."""
    if not checks.expects:
        return NOTHING_EXPECTED
    from holdfast.checks.load_fields import label_of, with_errors
    from holdfast.report.json import as_json

    plain = as_json(result)
    return checks.check(plain, lambda name: label_of(plain, name.selected) if name.selector else with_errors(plain))


def _thresholds(result: LoadResult) -> tuple[ReportedCase, ...]:
    """Each `--threshold`, as a test report has it."""
    if not result.thresholds:
        return ()
    from holdfast.report.junit import cases_of_thresholds

    return cases_of_thresholds(result.thresholds)


def publish(
    finished: FinishedLoad, targets: Mapping[str, str], number: int | None, checked: CheckResult = NOTHING_EXPECTED
) -> bool:
    """Writes each form where it was asked for, and shows the result unless one of them has taken standard output.

    A file that cannot be written does not keep the others back.

    Args:
        number: of the saved run; None where it could not be saved.

    Returns:
        Whether all files were written.
    """
    written = True
    for form, target in targets.items():
        if target == console.STDOUT:
            continue
        again = "The run could not be saved either, so its rows are lost."
        if number is not None:
            again = f"The run is saved, and nothing is lost: holdfast report {number} --{form} FILE writes it again."
        try:
            if form in _STREAMS:
                console.write_stream(target, _stream(form, finished, checked), again)
            else:
                with console.whole_file(target, again) as path:
                    _FILES[form](path, finished)
        except EnvironmentFailure as error:
            tell(error)
            written = False
    shown = next((form for form, target in targets.items() if target == console.STDOUT), None)
    if shown is None:
        show(with_table(partial(_picture, finished.result), checked))
    else:
        console.put_stream(_stream(shown, finished, checked))
    return written


def _picture(result: LoadResult) -> Renderable:
    from holdfast.report.load import render_load

    return render_load(result)


def _stream(form: str, finished: FinishedLoad, checked: CheckResult) -> Iterable[bytes]:
    # Rows know nothing of expectations.
    return _json(finished, checked) if form == "json" else _STREAMS[form](finished)


def exit_code(result: LoadResult, checked: CheckResult = NOTHING_EXPECTED) -> int:
    """The exit code for a result, its expectations aside; says why if no request was answered and that is a failure.

    Args:
        checked: what came of the expectations: where there are any, they say what is a failure.
    """
    if result.outcomes["refused"] == result.offered > 0:
        servers = dict.fromkeys(parse_url(each).host_and_port for each in result.target.url.split(", "))
        tell(all_refused(" and ".join(servers)))
        return EXIT_ENVIRONMENT
    if result.generator_limited or result.interrupted:
        return EXIT_INCONCLUSIVE
    if result.offered and not result.outcomes["answered"] and not result.thresholds and not checked:
        broken_off = result.outcomes["closed"] + result.outcomes["reset"] == result.offered
        plain = result.target.url.startswith("http:")
        tls = " The server may speak TLS: https:// instead of http://." if broken_off and plain else ""
        rejected = ": each reply has an error status" if result.outcomes["rejected"] == result.offered else ""
        say(f"holdfast: No request was answered{rejected}.{tls}")
        return EXIT_EXPECTATION_FAILED
    holds = result.stopped is None and all(each.held for each in result.thresholds)
    return EXIT_ANSWERED if holds else EXIT_EXPECTATION_FAILED


def show_load(number: int, json_target: str | None) -> int:
    """Prints the result of a saved load run; returns its exit code."""
    finished = saved_load(number)
    written = publish(finished, {} if json_target is None else {"json": json_target}, number)
    return exit_code(finished.result) if written else EXIT_ENVIRONMENT
