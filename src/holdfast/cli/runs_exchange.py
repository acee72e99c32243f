"""`holdfast export` and `holdfast import`: saved runs on their way to another machine."""

from __future__ import annotations

from pathlib import Path

import click

from holdfast import console, store
from holdfast.cli.click_types import show
from holdfast.cli.option_groups import GroupedCommand
from holdfast.errors import EXIT_ANSWERED, UsageError
from holdfast.report.layout import Text

_EXPORT_EXAMPLES = """\b
Examples:
  holdfast export 12 17 runs-of-november.sqlite
  HOLDFAST_RUNS=runs-of-november.sqlite holdfast show 17
"""
_IMPORT_EXAMPLES = """\b
Example:
  holdfast import runs-of-november.sqlite
"""


@click.command("export", cls=GroupedCommand, epilog=_EXPORT_EXAMPLES)
@click.argument("numbers", metavar="RUN...", type=int, nargs=-1, required=True)
@click.argument("target", metavar="FILE")
def export(numbers: tuple[int, ...], target: str) -> int:
    """Write saved runs to a file for another machine.

    FILE is a file of saved runs as holdfast keeps them, with these runs alone: `HOLDFAST_RUNS=FILE holdfast show RUN`
    shows them under the same numbers, `holdfast import FILE` adds them to others. It has their raw records, with
    request headers and server logs.
    """
    from holdfast.store.exchange import export_runs

    if target == console.STDOUT:
        raise click.UsageError("export needs the name of a file: a database cannot be written to standard output.")
    console.check_target(target)
    if Path(target).exists():
        raise UsageError(
            f"{target} exists already.", "Runs are exported to a new file.", "Name another file, or remove it."
        )
    with console.whole_file(target, "Nothing is lost: the runs are still saved.") as path:
        path.chmod(0o600)
        written = export_runs(numbers, store.default_path(), path)
    others = sorted({*written} - {*numbers})
    more = f", and what they need: {', '.join(map(str, others))}" if others else ""
    many = f"{len(set(numbers))} runs" if len(set(numbers)) > 1 else f"Run {numbers[0]}"
    show(Text(f"{many} written to {target}{more}.", overflow="ignore"))
    return EXIT_ANSWERED


@click.command("import", cls=GroupedCommand, epilog=_IMPORT_EXAMPLES)
@click.argument("source", metavar="FILE")
def import_(source: str) -> int:
    """Add the runs of an exported file to the saved ones.

    FILE is what `holdfast export` wrote. Its runs get new numbers; a run that is here already is not added again.
    """
    from holdfast.store.exchange import import_runs

    path = Path(source)
    if not path.is_file():
        raise UsageError(f"There is no file {source}.", "", "Name a file that `holdfast export` wrote.")
    if path.exists() and store.default_path().exists() and path.samefile(store.default_path()):
        raise UsageError(f"{source} is where the saved runs are.", "", "Name a file that `holdfast export` wrote.")
    found = import_runs(path, store.default_path())
    for number, here in found.numbers.items():
        note = " (was here already)" if number in found.known else ""
        show(Text(f"run {number} of the file is run {here}{note}"))
    return EXIT_ANSWERED
