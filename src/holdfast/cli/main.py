"""argv -> Experiment -> exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from holdfast import __version__, console, store
from holdfast.attach.experiment import attach
from holdfast.cli import config_file, option_values
from holdfast.cli.click_types import checked, put_out, target_file
from holdfast.cli.exit_status import run_command
from holdfast.cli.load import load_
from holdfast.cli.load_report import report, show_load
from holdfast.console import say, tell
from holdfast.errors import EXIT_ANSWERED, EXIT_INCONCLUSIVE, EnvironmentFailure
from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts, listening
from holdfast.model.experiment import (
    DEFAULT_CALL_TIMEOUT_S,
    DEFAULT_MAX_ATTACHED,
    DEFAULT_MAX_CALLED,
    DEFAULT_MAX_OFFERED,
    DEFAULT_PATIENCE_S,
    DEFAULT_START_TIMEOUT_S,
    VIEWS,
    Experiment,
)
from holdfast.model.verdict import Verdict
from holdfast.probe.experiment import run
from holdfast.report.json import servers_json, study_json, verdict_json
from holdfast.report.markdown import study_markdown
from holdfast.report.runs import render_runs
from holdfast.report.servers import render_servers
from holdfast.report.study import render_study
from holdfast.report.terminal import render_verdict
from holdfast.servers.registry import ADAPTERS, brought_adapters
from holdfast.servers.survey import survey
from holdfast.study.run import STUDIES, run_study
from holdfast.study.run import exit_code as study_exit_code
from holdfast.study.run import only as only_cases

_LIMIT = click.IntRange(min=1)
_OFFERED = click.IntRange(1, option_values.MOST_OFFERED)
_ATTACHED = click.IntRange(1, 10_000)
_CALLS = click.IntRange(1, option_values.MOST_CALLED)
_SECONDS = click.FloatRange(min=0, min_open=True, max=option_values.LONGEST_START_S)

_MOST = "Most requests offered at once."
_CALL = "Then run the view's real body too, with all its effects, and say for how long it stops its event loop."
_CALLED = "Most bodies that --call runs together, after one alone."
_CALL_TIMEOUT = "Seconds that the bodies of --call may take: the one alone, then the others together."
_PORT = (
    "Port of the server: of probe, by default a free one; of exec, which of several, or which Unix socket, is meant."
)
_HEADER = "Header 'Name: value'."
_PATIENCE = "Seconds within which an answer must come."
_ALLOW_REMOTE = "Let requests wait on this host of yours, although it is not this machine's loopback."
_COMMAND_FOLLOWS = "What follows -- is the command, with all its arguments."

_EPILOG = """\b
Examples:
  holdfast probe app.py --server flask
  holdfast probe shop:create_app() --server flask --path /orders -- --processes 4
  holdfast probe --server uwsgi --json - -- --http-socket :0 --threads 8
  holdfast exec -- gunicorn -c conf.py shop:app
  holdfast attach http://127.0.0.1:8000/slow
  holdfast study servers --markdown servers.md
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command line and exits with its code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Click takes what follows "--" for further positional arguments and could not tell APP from them.
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    after = tuple(arguments[cut + 1 :])
    sys.exit(
        run_command(lambda: commands.main(arguments[:cut], prog_name="holdfast", standalone_mode=False, obj=after))
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(__version__, prog_name="holdfast")
def commands() -> None:
    """Finds out by experiment how many requests a Python web server really processes at once.

    It also says where the others wait, what happens to the one after that, and whether threads and
    processes are reused.
    """


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    every = [
        click.option("--view", type=click.Choice(VIEWS), help="Kind of view; of your own application, as expected."),
        click.option(
            "--path",
            default="/",
            show_default=True,
            callback=checked(option_values.path_of),
            help="Path of the held requests.",
        ),
        click.option(
            "-H",
            "--header",
            "headers",
            multiple=True,
            callback=checked(option_values.header_of),
            help=_HEADER,
        ),
        click.option("--nofile", type=_LIMIT, help="The server's limit of descriptors (ulimit -n)."),
        click.option("--nproc", type=_LIMIT, help="The server's limit of processes and threads (ulimit -u)."),
        click.option("--max-offered", type=_OFFERED, default=DEFAULT_MAX_OFFERED, show_default=True, help=_MOST),
        click.option("--call", is_flag=True, help=_CALL),
        click.option("--max-called", type=_CALLS, default=DEFAULT_MAX_CALLED, show_default=True, help=_CALLED),
        click.option(
            "--call-timeout",
            "call_timeout_s",
            type=_SECONDS,
            default=DEFAULT_CALL_TIMEOUT_S,
            show_default=True,
            help=_CALL_TIMEOUT,
        ),
        click.option("--port", callback=checked(option_values.port_of), metavar="PORT", help=_PORT),
        click.option(
            "--start-timeout",
            "start_timeout_s",
            type=_SECONDS,
            default=DEFAULT_START_TIMEOUT_S,
            show_default=True,
            help="Seconds that the server may take to start.",
        ),
        click.option("--json", "json_target", callback=target_file, help="Write the verdict to FILE; - is stdout."),
    ]
    for option in reversed(every):
        command = option(command)
    return command


_python = click.option("--python", help="The server's interpreter; default is the active environment's.")


@commands.command(epilog="Arguments after -- are the server's own and are passed as they are.")
@click.argument("app", required=False, callback=checked(option_values.app_of))
@click.option("--server", default="flask", show_default=True, help="The server that runs APP (holdfast servers).")
@click.option("--framework", help="Framework of the built-in application; default is the usual one of the server.")
@_options
@_python
@click.pass_context
def probe(context: click.Context, /, json_target: str | None, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Start a known server and probe it.

    APP is module:attr or file.py[:attr]; without it the built-in application is used. Where the
    server takes either, wsgi:APP or asgi:APP says what it is.
    """
    return _probed(Experiment(**_with_defaults(context, given), arguments=context.obj), json_target)


@commands.command("exec", context_settings={"ignore_unknown_options": True}, epilog=_COMMAND_FOLLOWS)
@click.argument("misplaced", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
@_options
@click.pass_context
def exec_(
    context: click.Context,
    /,
    misplaced: tuple[str, ...],
    json_target: str | None,
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Start a server by your own COMMAND, as you always do, and probe it.

    Nothing has to be installed where the command runs: gunicorn -c conf.py shop:app, python app.py,
    flask run, python manage.py runserver, uwsgi app.ini, uvicorn shop:app --workers 4.
    """
    command: tuple[str, ...] = context.obj
    if misplaced and misplaced[0].startswith("-"):
        raise click.NoSuchOption(misplaced[0], ctx=context)
    if misplaced or not command:
        example = " ".join((*misplaced, *command)) or "gunicorn -w 4 shop:app"
        raise click.UsageError(f"The command follows --, as in: holdfast exec -- {example}", ctx=context)
    return _probed(Experiment("exec", **_with_defaults(context, given), command=command), json_target)


def _with_defaults(context: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    """The options, and for those that were not given what the project's settings say."""
    cwd = _working_directory()
    said = {
        name: value
        for name, value in given.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    project = config_file.project_defaults(Path(cwd))
    layers = [config_file.Layer(said, cwd)]
    if project is not None:
        known = {name: value for name, value in project.values.items() if name in given}
        layers.insert(0, config_file.Layer(known, project.directory))
    values = config_file.merged(layers)
    return {"cwd": cwd, **given, **values}


def _probed(experiment: Experiment, json_target: str | None) -> int:
    with listening() as interrupts:
        timeline = run(experiment, interrupts)
        store.save_or_tell(timeline, tell)
        verdict = judge(timeline)
    _publish(verdict, json_target)
    return _answered(verdict, interrupts)


@commands.command("attach")
@click.argument("url")
@click.option("-H", "--header", "headers", multiple=True, callback=checked(option_values.header_of), help=_HEADER)
@click.option("--max-offered", type=_ATTACHED, default=DEFAULT_MAX_ATTACHED, show_default=True, help=_MOST)
@click.option("--timeout", "patience_s", type=_SECONDS, default=DEFAULT_PATIENCE_S, show_default=True, help=_PATIENCE)
@click.option("--insecure", is_flag=True, help="Take any TLS certificate, such as a self-signed one.")
@click.option("--allow-remote", "allowed_host", metavar="HOST", help=_ALLOW_REMOTE)
@click.option("--json", "json_target", callback=target_file, help="Write the verdict to FILE; - is stdout.")
def attach_(json_target: str | None, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Look at a server that is running already, from outside.

    URL is http://HOST:PORT/PATH, https://..., unix:/path/to.sock or unix:/path/to.sock:/PATH. PATH must answer
    by itself after a while that is always about the same, 0.2 to 2 s, because it waits for something. Up to
    --max-offered requests are sent at once; the answer is an estimate.
    """
    with listening() as interrupts:
        timeline = attach(Experiment("attach", **given, cwd=_working_directory()), interrupts)
        store.save_or_tell(timeline, tell)
        verdict = judge(timeline)
    _publish(verdict, json_target)
    return _answered(verdict, interrupts)


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except OSError as error:
        raise EnvironmentFailure(
            "The working directory cannot be found.", str(error), "Change to one that exists and may be read."
        ) from error


def _answered(verdict: Verdict, interrupts: Interrupts | None = None) -> int:
    """The exit code of a verdict: whether it has a number, and came of a run that nobody cut short."""
    cut_short = interrupts is not None and interrupts.asked
    return EXIT_INCONCLUSIVE if cut_short or verdict.ceiling.in_service is None else EXIT_ANSWERED


def _publish(verdict: Verdict, json_target: str | None) -> None:
    put_out(render_verdict(verdict), (json_target, verdict_json(verdict)))


@commands.command(epilog=f"Bundled studies: {', '.join(sorted(STUDIES))}. docs/studies.md says what a FILE.toml holds.")
@click.argument("name", metavar="NAME|FILE.toml")
@_python
@click.option("--only", multiple=True, metavar="TEXT", help="Only the rows of this server, or of this name.")
@click.option("--markdown", "markdown_target", callback=target_file, help="Write the table to FILE; - is stdout.")
@click.option("--json", "json_target", callback=target_file, help="Write the rows to FILE; - is stdout.")
def study(
    name: str, python: str | None, only: tuple[str, ...], markdown_target: str | None, json_target: str | None
) -> int:
    """Run many probes, a bundled study or your own list, and print one table."""
    cwd = _working_directory()
    project = config_file.project_defaults(Path(cwd))
    chosen = STUDIES.get(name)
    if chosen is None:
        config_file.check_study_name(name, STUDIES)
        chosen = config_file.read_study(name, [project] if project else [], cwd)
    elif python is None and project is not None:
        # Which environment is a matter of the place; what is measured there is the study's own.
        python = project.values.get("python")
    with listening() as interrupts:
        result = run_study(only_cases(chosen, only) if only else chosen, python, interrupts, tell=say)
    put_out(
        render_study(result),
        (markdown_target, study_markdown(result)),
        (json_target, study_json(result)),
    )
    return study_exit_code(result)


@commands.command()
@click.option("--python", help="The interpreter to look into; default are the active environment's and the usual ones.")
@click.option("--json", "json_target", callback=target_file, help="Write the list to FILE; - is stdout.")
def servers(python: str | None, json_target: str | None) -> int:
    """List the servers that holdfast can start, which are installed, and how to install the others."""
    brought, broken = brought_adapters()
    installed = survey(ADAPTERS | brought, broken, python, Path(_working_directory()))
    put_out(render_servers(installed), (json_target, servers_json(installed)))
    return EXIT_ANSWERED


@commands.command()
def runs() -> int:
    """List the saved runs, newest first."""
    console.show(render_runs(store.saved_runs(store.default_path())))
    return EXIT_ANSWERED


@commands.command()
@click.argument("number", type=int)
@click.option("--json", "json_target", callback=target_file, help="Write the verdict to FILE; - is stdout.")
def show(number: int, json_target: str | None) -> int:
    """Judge a saved run again and print its verdict, or what a load came to."""
    if store.is_load(number, store.default_path()):
        return show_load(number, json_target)
    verdict = judge(store.load(number, store.default_path()))
    _publish(verdict, json_target)
    return _answered(verdict)


commands.add_command(load_)
commands.add_command(report)
