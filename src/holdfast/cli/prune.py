"""`holdfast prune`: removes saved runs."""

from __future__ import annotations

import sys
import time

import click

from holdfast import store
from holdfast.cli.click_types import checked, show
from holdfast.cli.option_groups import OUTPUT, ROWS, GroupedCommand, declared, option
from holdfast.cli.whole_number import WholeNumber
from holdfast.console import say
from holdfast.errors import EXIT_ANSWERED, UsageError
from holdfast.model.instants import age_of
from holdfast.model.saved import RUN_KINDS, RunKind, SavedRun, Wanted
from holdfast.model.sizes import shown_size
from holdfast.report.layout import Renderable, Stack, Text
from holdfast.report.runs import render_runs

_EXAMPLES = """\b
Examples:
  holdfast prune --keep 50 --dry-run
  holdfast prune --older-than 30d --kind load --yes
"""
_MOST_LISTED = 30


@click.command("prune", cls=GroupedCommand, epilog=_EXAMPLES)
@declared(
    option(
        ROWS,
        "--keep",
        type=WholeNumber(0),
        metavar="N",
        help="Keep the newest N, of that kind if --kind is given.",
    ),
    option(
        ROWS,
        "--older-than",
        "age_s",
        metavar="AGE",
        callback=checked(age_of),
        help="Remove those older than 30d, 12h, 2w.",
    ),
    option(ROWS, "--kind", type=click.Choice(RUN_KINDS), help="Remove only those of this command."),
    option(OUTPUT, "--dry-run", is_flag=True, help="Only list what would be removed, and how much space that frees."),
    option(OUTPUT, "--yes", is_flag=True, help="Do not ask."),
)
def prune(
    keep: int | None,
    age_s: float | None,
    kind: RunKind | None,
    dry_run: bool,  # noqa: FBT001 - a flag of the command line, as below
    yes: bool,  # noqa: FBT001
) -> int:
    """Remove saved runs.

    The file becomes smaller. Runs that an explanation or a study needs are kept as long as that is. Given both --keep
    and --older-than, only what both say is removed.
    """
    from holdfast.store.pruning import prunable, remove

    if keep is None and age_s is None:
        raise click.UsageError("Say which runs to remove: --keep N, --older-than AGE, or both.")
    path = store.default_path()
    runs = store.saved_runs(path)
    until = None if age_s is None else time.time() - age_s
    found = prunable(_chosen(runs, keep or 0, Wanted(kind, until=until)), path)
    many = f"{len(found.runs)} of {len(runs)} saved runs"
    size = shown_size(found.bytes_)
    if not found.runs:
        show(Text("Nothing is to be removed."))
        return EXIT_ANSWERED
    if dry_run or not yes:
        show(_picture(found.runs, found.needed))
    if dry_run:
        show(Text(f"\n{many} would be removed, which frees about {size}."))
        return EXIT_ANSWERED
    if not yes and not _agreed(f"Remove {many} and free about {size}? [y/N] "):
        show(Text("Nothing was removed."))
        return EXIT_ANSWERED
    before = path.stat().st_size
    not_smaller = remove(found, path)
    freed = before - path.stat().st_size
    show(Text(f"Removed {many}, which freed {shown_size(freed)}."))
    if not_smaller:
        say(f"holdfast: {not_smaller} The next runs use the space.")
    return EXIT_ANSWERED


def _chosen(runs: tuple[SavedRun, ...], keep: int, wanted: Wanted) -> list[SavedRun]:
    """Of the runs of that kind, those behind the newest, and of these the old ones; one that is not over is none."""
    alike = [each for each in runs if each.id is not None and each.state != "not over yet"]
    alike = [each for each in alike if wanted.kind in {None, each.kind}]
    return [each for each in alike[keep:] if wanted.takes(each)]


def _picture(runs: tuple[SavedRun, ...], needed: tuple[int, ...]) -> Renderable:
    listed = render_runs(runs[:_MOST_LISTED], _MOST_LISTED)
    more = [Text(f"... and {len(runs) - _MOST_LISTED} more", "dim")] if len(runs) > _MOST_LISTED else []
    if needed:
        words = "Kept, because an explanation or a study that stays needs them: "
        more.append(Text(f"{words}{', '.join(map(str, needed))}.", "dim"))
    return Stack(listed, *more)


def _agreed(question: str) -> bool:
    """What the person answers.

    Raises:
        UsageError: there is no terminal at which to ask.
    """
    if sys.stdin is None or not sys.stdin.isatty() or sys.stderr is None or not sys.stderr.isatty():
        raise UsageError(
            "Nothing was removed.", "There is no terminal at which to ask.", "Add --yes if these are to be removed."
        )
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
