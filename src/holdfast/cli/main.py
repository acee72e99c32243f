"""argv -> a command, which alone is imported -> exit code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import click

from holdfast import __version__
from holdfast.cli.exit_status import run_command

_EPILOG = """\b
Examples:
  holdfast probe app.py --server flask
  holdfast probe --server uwsgi -- --http-socket :0 --threads 8
  holdfast exec -- gunicorn -c conf.py shop:app
  holdfast attach http://127.0.0.1:8000/slow
  holdfast load http://127.0.0.1:8000/ --rate 100/s --for 10s

`holdfast COMMAND --help` explains a command.
"""


class _Place(NamedTuple):
    """Where a command is, and what the list of commands says of it without importing it."""

    module: str
    name: str
    summary: str


COMMANDS: Mapping[str, _Place] = {
    "probe": _Place("probe", "probe", "Start a known server and measure it."),
    "exec": _Place("probe", "exec_", "Start a server by your own command and measure it."),
    "explain": _Place("explain", "explain", "Find out which setting decides, by changing it and probing again."),
    "attach": _Place("attach", "attach_", "Measure a server that is already running, from outside."),
    "load": _Place("load", "load_", "Generate paced HTTP load and report the outcome of every request."),
    "capacity": _Place("capacity", "capacity", "Find the highest rate that a server holds, and what ends it."),
    "study": _Place("study", "study", "Run many probes and print one table."),
    "servers": _Place("servers", "servers", "List the servers that holdfast can start."),
    "runs": _Place("saved_runs", "runs", "List the saved runs, newest first."),
    "show": _Place("saved_runs", "show", "Print the verdict or the result of a saved run again."),
    "diff": _Place("diff", "diff", "Compare two results: what changed, and what is noise."),
    "export": _Place("runs_exchange", "export", "Write saved runs to a file for another machine."),
    "import": _Place("runs_exchange", "import_", "Add the runs of an exported file to the saved ones."),
    "prune": _Place("prune", "prune", "Remove saved runs."),
    "report": _Place("report", "report", "Write a saved run as a page, as Markdown, or its results to files."),
}


class _Commands(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(f"holdfast.cli.{place.module}"), place.name)
        gc.enable()  # see cli/entry.py
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a suggestion where the name is misspelt, which its older versions do not make."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(__version__, prog_name="holdfast")
def commands() -> None:
    """Find out by experiment how many requests a Python web server really processes at once.

    holdfast also shows where the other requests wait, what happens to the first one that no queue takes, and whether
    threads and processes are reused.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command line and exits with its code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Click takes what follows "--" for further positional arguments and could not tell APP from them.
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    after = tuple(arguments[cut + 1 :])

    def command_line() -> object:
        return commands.main(arguments[:cut], prog_name="holdfast", standalone_mode=False, obj=after)

    sys.exit(run_command(command_line, arguments))
