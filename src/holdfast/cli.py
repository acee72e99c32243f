"""argv -> Experiment -> exit code."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from rich.console import RenderableType

from holdfast import output, store
from holdfast.attach import attach
from holdfast.errors import (
    EXIT_ANSWERED,
    EXIT_ENVIRONMENT,
    EXIT_INCONCLUSIVE,
    EXIT_USAGE,
    EnvironmentFailure,
    HoldfastError,
)
from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts, Terminated, listening
from holdfast.load.http1 import request_head
from holdfast.model.experiment import (
    DEFAULT_MAX_ATTACHED,
    DEFAULT_MAX_OFFERED,
    DEFAULT_PATIENCE_S,
    DEFAULT_START_TIMEOUT_S,
    VIEWS,
    Experiment,
)
from holdfast.model.timeline import Timeline
from holdfast.model.verdict import Verdict
from holdfast.report.json import servers_json, study_json, verdict_json
from holdfast.report.runs import render_runs
from holdfast.report.servers import render_servers
from holdfast.report.study import render_study
from holdfast.report.terminal import render_verdict
from holdfast.run import run
from holdfast.servers.registry import ADAPTERS, brought_adapters
from holdfast.servers.survey import survey
from holdfast.study import STUDIES, run_study

_EXIT_SIGNALLED = 128
_LIMIT = click.IntRange(min=1)
_OFFERED = click.IntRange(1, 1_000_000)  # each costs 250 bytes of the record, in memory
_ATTACHED = click.IntRange(1, 10_000)
_SECONDS = click.FloatRange(min=0, min_open=True, max=3600)
_OWN_HEADERS = frozenset({"x-holdfast", "content-length", "transfer-encoding"})

_MOST = "Most requests offered at once."
_PORT = "Port of the server: of probe, by default a free one; of exec, which one of several is meant."
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
  holdfast study flask-concurrency
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command line and exits with its code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Click takes what follows "--" for further positional arguments and could not tell APP from them.
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    sys.exit(_exit_code(arguments[:cut], tuple(arguments[cut + 1 :])))


def _exit_code(arguments: list[str], after: tuple[str, ...]) -> int:  # noqa: PLR0911 - one for each way to end
    try:
        return int(commands.main(arguments, prog_name="holdfast", standalone_mode=False, obj=after) or EXIT_ANSWERED)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except HoldfastError as error:
        _tell(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("Stopped. Nothing is left running.")
        return EXIT_INCONCLUSIVE
    except Terminated as farewell:
        _say(f"Stopped by {farewell}. Nothing is left running.")
        return _EXIT_SIGNALLED + farewell.number
    except (output.NobodyReads, SystemExit):  # click's own way to say that nobody reads its help
        return _EXIT_SIGNALLED + signal.SIGPIPE
    except Exception:  # noqa: BLE001 - left to Python it would end with 1, which says "an expectation failed"
        _say(traceback.format_exc().rstrip())
        _say("holdfast: This is an error in holdfast itself, so there is no verdict. Please report it.")
        return EXIT_INCONCLUSIVE


def _say(line: str) -> None:
    try:
        click.echo(line, err=True)
    except OSError:
        return  # the terminal is gone


def _tell(error: HoldfastError) -> None:
    _say(click.style("holdfast: ", fg="red", bold=True) + error.what)
    for part in (error.why, error.remedy):
        for line in part.splitlines():
            _say(f"  {line}")


def _version() -> str:
    return metadata.version("holdfast")


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(_version(), prog_name="holdfast")
def commands() -> None:
    """Finds out by experiment how many requests a Python web server really processes at once.

    It also says where the others wait, what happens to the one after that, and whether threads and
    processes are reused.
    """


def _header(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> Any:  # noqa: ANN401 - click's
    headers = []
    for value in values:
        name, colon, content = value.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter(f"{value!r} is not 'Name: value'.")
        if name.strip().lower() in _OWN_HEADERS:
            raise click.BadParameter(f"{name.strip()} is set by holdfast itself: its requests are numbered GETs.")
        headers.append((name.strip(), content.strip()))
    _fits_into_a_request("/", headers)
    return tuple(headers)


def _path(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.startswith("/") or any(c.isspace() for c in value) or not value.isascii():
        raise click.BadParameter(f"{value!r} must begin with / and hold no spaces (write them as %20).")
    if "#" in value:
        raise click.BadParameter(f"{value!r} holds a #: clients keep that part to themselves (%23 is the character).")
    _fits_into_a_request(value, [])
    return value


def _fits_into_a_request(path: str, headers: list[tuple[str, str]]) -> None:
    try:
        request_head("GET", path, "host", headers)
    except UnicodeEncodeError as error:
        raise click.BadParameter(
            f"{error.object[error.start]!r} cannot be sent in a header (RFC 9110, 5.5)."
        ) from error
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _app(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    # An unset variable of a script's must not probe the built-in application in silence.
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty; leave it out for the built-in application.")
    return value


def _json_target(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    output.check_target(value)
    return value


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.option("--view", type=click.Choice(VIEWS), help="Kind of view; of your own application, as expected."),
        click.option("--path", default="/", show_default=True, callback=_path, help="Path of the held requests."),
        click.option("-H", "--header", "headers", multiple=True, callback=_header, help="Header 'Name: value'."),
        click.option("--nofile", type=_LIMIT, help="The server's limit of descriptors (ulimit -n)."),
        click.option("--nproc", type=_LIMIT, help="The server's limit of processes and threads (ulimit -u)."),
        click.option("--max-offered", type=_OFFERED, default=DEFAULT_MAX_OFFERED, show_default=True, help=_MOST),
        click.option("--port", type=click.IntRange(1, 65535), help=_PORT),
        click.option(
            "--start-timeout",
            "start_timeout_s",
            type=_SECONDS,
            default=DEFAULT_START_TIMEOUT_S,
            show_default=True,
            help="Seconds that the server may take to start.",
        ),
        click.option("--json", "json_target", callback=_json_target, help="Write the verdict to FILE; - is stdout."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


_python = click.option("--python", help="The server's interpreter; default is the active environment's.")


@commands.command(epilog="Arguments after -- are the server's own and are passed as they are.")
@click.argument("app", required=False, callback=_app)
@click.option("--server", default="flask", show_default=True, help="The server that runs APP (holdfast servers).")
@click.option("--framework", help="Framework of the built-in application; default is the usual one of the server.")
@_options
@_python
@click.pass_obj
def probe(after: tuple[str, ...], /, json_target: str | None, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Start a known server and probe it.

    APP is module:attr or file.py[:attr]; without it the built-in application is used. Where the
    server takes either, wsgi:APP or asgi:APP says what it is.
    """
    return _probed(Experiment(**given, arguments=after, cwd=_working_directory()), json_target)


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
    return _probed(Experiment("exec", **given, command=command, cwd=_working_directory()), json_target)


def _probed(experiment: Experiment, json_target: str | None) -> int:
    with listening() as interrupts:
        timeline = run(experiment, interrupts)
        verdict = _saved_and_judged(timeline)
    _publish(verdict, json_target)
    return _answered(interrupts)


@commands.command("attach")
@click.argument("url")
@click.option("-H", "--header", "headers", multiple=True, callback=_header, help="Header 'Name: value'.")
@click.option("--max-offered", type=_ATTACHED, default=DEFAULT_MAX_ATTACHED, show_default=True, help=_MOST)
@click.option("--timeout", "patience_s", type=_SECONDS, default=DEFAULT_PATIENCE_S, show_default=True, help=_PATIENCE)
@click.option("--insecure", is_flag=True, help="Take any TLS certificate, such as a self-signed one.")
@click.option("--allow-remote", "allowed_host", metavar="HOST", help=_ALLOW_REMOTE)
@click.option("--json", "json_target", callback=_json_target, help="Write the verdict to FILE; - is stdout.")
def attach_(json_target: str | None, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Look at a server that is running already, from outside.

    URL is http://HOST:PORT/PATH, https://..., unix:/path/to.sock or unix:/path/to.sock:/PATH. PATH must answer
    by itself after a while that is always about the same, 0.2 to 2 s, because it waits for something. Up to
    --max-offered requests are sent at once; the answer is an estimate.
    """
    with listening() as interrupts:
        timeline = attach(Experiment("attach", **given, cwd=_working_directory()), interrupts)
        verdict = _saved_and_judged(timeline)
    _publish(verdict, json_target)
    return EXIT_INCONCLUSIVE if verdict.ceiling.in_service is None else _answered(interrupts)


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except OSError as error:
        raise EnvironmentFailure(
            "The working directory cannot be found.", str(error), "Change to one that exists and may be read."
        ) from error


def _answered(interrupts: Interrupts) -> int:
    return EXIT_INCONCLUSIVE if interrupts.asked else EXIT_ANSWERED


def _saved_and_judged(timeline: Timeline) -> Verdict:
    try:
        store.save(timeline, store.default_path())
    except HoldfastError as error:
        _tell(error)  # the answer is not lost for want of a place to keep its records
    return judge(timeline)


def _publish(verdict: Verdict, json_target: str | None) -> None:
    _put_out(render_verdict(verdict), verdict_json(verdict), json_target)


def _put_out(picture: RenderableType, json: bytes, json_target: str | None) -> None:
    if json_target == output.STDOUT:
        output.put(json)
        return
    try:
        # The file first: the terminal may be gone.
        if json_target is not None:
            output.write_file(json_target, json)
    finally:
        output.show(picture)


@commands.command()
@click.argument("name", type=click.Choice(sorted(STUDIES)))
@_python
@click.option("--json", "json_target", callback=_json_target, help="Write the table to FILE; - is stdout.")
def study(name: str, python: str | None, json_target: str | None) -> int:
    """Run many probes and print one table."""
    with listening() as interrupts:
        result = run_study(name, python, interrupts, tell=_say)
    _put_out(render_study(result), study_json(result), json_target)
    if not any(row.verdict for row in result.rows) and not interrupts.asked:
        return EXIT_ENVIRONMENT
    return _answered(interrupts)


@commands.command()
@click.option("--python", help="The interpreter to look into; default are the active environment's and the usual ones.")
@click.option("--json", "json_target", callback=_json_target, help="Write the list to FILE; - is stdout.")
def servers(python: str | None, json_target: str | None) -> int:
    """List the servers that holdfast can start, which are installed, and how to install the others."""
    brought, broken = brought_adapters()
    installed = survey(ADAPTERS | brought, broken, python, Path(_working_directory()))
    _put_out(render_servers(installed), servers_json(installed), json_target)
    return EXIT_ANSWERED


@commands.command()
def runs() -> int:
    """List the saved runs, newest first."""
    output.show(render_runs(store.saved_runs(store.default_path())))
    return EXIT_ANSWERED


@commands.command()
@click.argument("number", type=int)
@click.option("--json", "json_target", callback=_json_target, help="Write the verdict to FILE; - is stdout.")
def show(number: int, json_target: str | None) -> int:
    """Judge a saved run again and print its verdict."""
    _publish(judge(store.load(number, store.default_path())), json_target)
    return EXIT_ANSWERED
