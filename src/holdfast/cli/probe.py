"""`holdfast probe` and `holdfast exec`: argv -> Experiment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from holdfast.api import option_values, project_file
from holdfast.api.measuring import Measured, Told, probed
from holdfast.cli.answer import measured, working_directory
from holdfast.cli.checks import Checks, check_options, checks_of, verdict_fields
from holdfast.cli.click_types import checked, header_option, json_option, quiet_option
from holdfast.cli.live_view import probe_view_of, shown_while_it_lasts, told_on_a_terminal
from holdfast.cli.option_groups import (
    LIMITS,
    MEASUREMENT,
    REQUESTS,
    TARGET,
    GroupedCommand,
    declared,
    option,
    unknown_option,
)
from holdfast.cli.whole_number import WholeNumber
from holdfast.console import say, tell
from holdfast.errors import HoldfastError, InconclusiveError
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import (
    DEFAULT_CALL_TIMEOUT_S,
    DEFAULT_MAX_CALLED,
    DEFAULT_MAX_OFFERED,
    DEFAULT_SERVER,
    DEFAULT_START_TIMEOUT_S,
    VIEWS,
    Experiment,
    command_line_of,
    experiment_of,
)
from holdfast.model.sizes import size_of
from holdfast.model.timeline import Stopped

_COUNT = WholeNumber(1)
_OFFERED = WholeNumber(1, option_values.MOST_OFFERED)
_CALLS = WholeNumber(1, option_values.MOST_CALLED)
_WATCHED = click.FloatRange(min=0, max=option_values.LONGEST_START_S)
_SECONDS = click.FloatRange(min=0, min_open=True, max=option_values.LONGEST_START_S)

_PROBE_EXAMPLES = """\b
Examples:
  holdfast probe app.py
  holdfast probe 'shop:create_app()' --server flask --path /orders
  holdfast probe --server uwsgi -- --http-socket :0 --threads 8
  holdfast probe app.py --server gunicorn --json - -- -w 4 --threads 8

Arguments after -- are the server's own and are passed on unchanged. A port 0 in them becomes a free port.
"""
_EXEC_EXAMPLES = """\b
Examples:
  holdfast exec -- gunicorn -c conf.py shop:app
  holdfast exec --path /orders -- python app.py
  holdfast exec --port 8000 -- uvicorn shop:app --workers 4
  holdfast exec -- python manage.py runserver

Everything after -- is the command, which is started unchanged. holdfast need not be installed where it runs.
"""

OF_A_KNOWN_SERVER = ("app", "server", "framework", "python")
"""Options that a person's own command has no use for."""
PORT_OF_PROBE = "Listen on this port.  [default: a free one]"
PORT_OF_EXEC = "Measure this port or Unix socket, if the command opens several."


app_argument = click.argument("app", required=False, callback=checked(option_values.app_of))
"""What a known server is to serve."""


def server_options() -> list[Any]:
    """Which known server to start, and with what."""
    return [
        option(
            TARGET,
            "--server",
            default=DEFAULT_SERVER,
            show_default=True,
            metavar="NAME",
            help="Run APP on this server; `holdfast servers` lists them.",
        ),
        option(
            TARGET,
            "--framework",
            metavar="NAME",
            help="Write the built-in application with this framework.  [default: the server's usual one]",
        ),
        option(
            TARGET,
            "--python",
            metavar="PATH",
            help="Run the server with this interpreter.  [default: the active environment's]",
        ),
    ]


def request_options() -> list[Any]:
    """What the held requests ask for."""
    return [
        option(
            REQUESTS,
            "--path",
            default="/",
            show_default=True,
            metavar="PATH",
            callback=checked(option_values.path_of),
            help="Request this path.",
        ),
        header_option(option_values.header_of),
        option(
            REQUESTS,
            "--tls",
            is_flag=True,
            help="Speak TLS from the first request on; otherwise plain HTTP is tried first.",
        ),
    ]


def measurement_options() -> list[Any]:
    """How it is measured."""
    return [
        option(
            MEASUREMENT,
            "--max-offered",
            type=_OFFERED,
            default=DEFAULT_MAX_OFFERED,
            show_default=True,
            metavar="N",
            help="Offer at most this many requests at once.",
        ),
        option(
            MEASUREMENT,
            "--watch",
            "watch_s",
            type=_WATCHED,
            default="0",
            metavar="SECONDS",
            help="Let requests wait this long, without one more in service, before the ceiling counts.  [default: as "
            "long as the server needs to start handlers]",
        ),
        option(
            MEASUREMENT,
            "--http2",
            is_flag=True,
            help="Speak HTTP/2: hold one stream on each connection, then many on one.",
        ),
        option(
            MEASUREMENT,
            "--call",
            is_flag=True,
            help="Afterwards run the view's real body, side effects included, and time it.",
        ),
        option(
            MEASUREMENT,
            "--max-called",
            type=_CALLS,
            default=DEFAULT_MAX_CALLED,
            show_default=True,
            metavar="N",
            help="With --call, run at most this many bodies at once.",
        ),
        option(
            MEASUREMENT,
            "--call-timeout",
            "call_timeout_s",
            type=_SECONDS,
            default=f"{DEFAULT_CALL_TIMEOUT_S:g}",
            show_default=True,
            metavar="SECONDS",
            help="With --call, wait this long for one body alone, and again for all together.",
        ),
    ]


def limit_options() -> list[Any]:
    """Limits of the server, and of our patience."""
    return [
        option(LIMITS, "--nofile", type=_COUNT, metavar="N", help="Limit the server's open files, as ulimit -n does."),
        option(
            LIMITS,
            "--nproc",
            type=_COUNT,
            metavar="N",
            help="Limit the server's processes and threads, as ulimit -u does.",
        ),
        option(
            LIMITS,
            "--address-space",
            "address_space",
            callback=checked(size_of),
            metavar="SIZE",
            help="Limit the address space of each server process (512M, 1G), as ulimit -v does.",
        ),
        option(
            LIMITS,
            "--start-timeout",
            "start_timeout_s",
            type=_SECONDS,
            default=f"{DEFAULT_START_TIMEOUT_S:g}",
            show_default=True,
            metavar="SECONDS",
            help="Wait this long for the server to start.",
        ),
    ]


def target_options(port: str, view: str) -> list[Any]:
    """What there is to say of any server; `port` and `view` are the help texts."""
    return [
        option(TARGET, "--view", type=click.Choice(VIEWS), help=view),
        option(TARGET, "--port", callback=checked(option_values.port_of), metavar="PORT", help=port),
    ]


@click.command(cls=GroupedCommand, passes_on=True, epilog=_PROBE_EXAMPLES)
@app_argument
@declared(
    *server_options(),
    *target_options(PORT_OF_PROBE, "Kind of view to hold.  [default: as your application has it]"),
    *request_options(),
    *measurement_options(),
    *limit_options(),
    *check_options(),
    json_option("verdict"),
    quiet_option("Show nothing while it runs."),
)
@click.pass_context
def probe(
    context: click.Context,
    /,
    json_target: str | None,
    quiet: bool,  # noqa: FBT001 - a flag of the command line
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Start a known server and measure it.

    APP is module:attr or file.py[:attr]. Without APP, a built-in application is used. Write wsgi:APP or asgi:APP where
    the server accepts both and APP does not show which it is.
    """
    options = with_defaults(context, given)
    checks = checks_of(options, "probe", verdict_fields, "verdict")
    return _measured(experiment_of(**options, arguments=context.obj), json_target, checks, quiet=quiet)


@click.command("exec", cls=GroupedCommand, context_settings={"ignore_unknown_options": True}, epilog=_EXEC_EXAMPLES)
@click.argument("misplaced", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
@declared(
    *target_options(PORT_OF_EXEC, "Kind of view to hold.  [default: as your application has it]"),
    *request_options(),
    *measurement_options(),
    *limit_options(),
    *check_options(),
    json_option("verdict"),
    quiet_option("Show nothing while it runs."),
)
@click.pass_context
def exec_(
    context: click.Context,
    /,
    misplaced: tuple[str, ...],
    json_target: str | None,
    quiet: bool,  # noqa: FBT001 - a flag of the command line
    **given: Any,  # noqa: ANN401 - click's options
) -> int:
    """Start a server by your own command and measure it.

    COMMAND is what you usually type to start the server.
    """
    command: tuple[str, ...] = context.obj
    if misplaced and misplaced[0].startswith("-"):
        raise unknown_option(misplaced[0].partition("=")[0], context)
    if misplaced or not command:
        example = " ".join((*misplaced, *command)) or "gunicorn -w 4 shop:app"
        raise click.UsageError(f"Write the command after --, as in: holdfast exec -- {example}", ctx=context)
    options = with_defaults(context, given)
    checks = checks_of(options, "exec", verdict_fields, "verdict")
    return _measured(experiment_of(**options, command=command), json_target, checks, quiet=quiet)


def _measured(experiment: Experiment, json_target: str | None, checks: Checks, *, quiet: bool) -> int:
    """As `measured`; why there is no verdict is told while the server is still being ended."""
    words: list[str] = []

    def tell_at_once(stopped: Stopped) -> None:
        error = InconclusiveError(stopped.what, stopped.why, stopped.remedy)
        tell(error)
        words.append(str(error))

    def measure(interrupts: Interrupts) -> Measured:
        title = shlex.join(command_line_of(experiment.target))
        with shown_while_it_lasts(probe_view_of, title, quiet=quiet) as shown:
            # A view says what the lines would.
            line = None if quiet or shown.watch is not None else told_on_a_terminal()
            told = Told(line, shown.instead(tell_at_once), shown.instead(tell), shown.watch)
            return probed(experiment, interrupts, told)

    try:
        return measured(measure, json_target, checks)
    except HoldfastError as error:
        error.told = str(error) in words
        raise


def names_a_known_server(context: click.Context, options: Mapping[str, Any]) -> bool:
    """Whether the command line says which known server is to be started, or what it serves."""
    return any(options.get(name) not in {None, ""} for name in OF_A_KNOWN_SERVER if was_given(context, name))


def typed_experiment(context: click.Context, options: Mapping[str, Any]) -> Experiment:
    """The experiment of a command that starts a known server, or what comes after `--` where that is a command."""
    after: tuple[str, ...] = context.obj
    if after and not after[0].startswith("-") and not names_a_known_server(context, options):
        return experiment_of(**{k: v for k, v in options.items() if k not in OF_A_KNOWN_SERVER}, command=after)
    return experiment_of(**options, arguments=after)


def with_defaults(context: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    """The options; those that were not given have the values of the project's pyproject.toml, if it has any."""
    cwd = working_directory()
    if not project_file.names_holdfast(Path(cwd)):
        return {"cwd": cwd, **given}
    # What reads and checks such a file takes a tenth of a second to import, and most projects have none.
    from holdfast.api.config_file import project_defaults
    from holdfast.api.option_layers import Layer, below

    said = {name: value for name, value in given.items() if was_given(context, name)}
    return {"cwd": cwd, **given, **below(Layer(said, cwd), project_defaults(Path(cwd), say), given)}


def was_given(context: click.Context, name: str) -> bool:
    """Whether an option has its value from the command line, not from its default."""
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT
