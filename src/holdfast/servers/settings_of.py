"""The settings of an experiment's server, and the experiment with other values for them.

For a server that holdfast starts by name, and for a person's own command alike. Nothing of the person's is written to:
what needs another configuration file gets a copy in a directory that the caller gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from holdfast.errors import UsageError
from holdfast.model.experiment import CommandTarget, Experiment, ProbeTarget, StartedTarget
from holdfast.model.frozen import frozen
from holdfast.model.places import Place
from holdfast.model.silent import Timeout
from holdfast.servers.adapter import Adapter, Setting
from holdfast.servers.command_line import FASTAPI, Read, ServerCommand, server_in, with_arguments
from holdfast.servers.effective import (
    FILE,
    SettingInForce,
    Started,
    arguments_in_force,
    settings_in_force,
    spelt_out,
    variation,
)
from holdfast.servers.interpreter import Interpreter
from holdfast.servers.plan import plan
from holdfast.servers.registry import adapter_named

_MOST_BYTES = 1 << 20


@frozen
class _Place:
    """A server in an experiment: how it is started, and where that is written.

    Attributes:
        own: where it is in a person's own command; None for a server that holdfast starts by name.
        directory: in which its relative paths begin.
    """

    started: Started
    own: ServerCommand | None
    directory: Path


def settings_of(experiment: Experiment, environ: Mapping[str, str]) -> tuple[SettingInForce, ...]:
    """The settings of the experiment's server with the values in force; empty where no known server shows.

    Args:
        environ: the variables that the server inherits.
    """
    place = _place(experiment, environ)
    if place is None:
        return ()
    found = settings_in_force(place.started, _reader(place.directory))
    if experiment.http2:
        return found
    return tuple(
        replace(each, setting=replace(each.setting, counts=False)) if each.setting.for_streams else each
        for each in found
    )


def with_settings(
    experiment: Experiment, values: Mapping[str, int], scratch: Path, environ: Mapping[str, str]
) -> Experiment:
    """The experiment with other values for settings of its server.

    Args:
        values: by name.
        scratch: an existing directory for copies of configuration files, which stays until the server has ended.
        environ: as in `settings_of`.

    Raises:
        UsageError: one of them cannot be varied, or the server has no setting of that name.
    """
    for name, value in values.items():
        experiment = _with_setting(experiment, name, value, scratch, environ)
    return experiment


def timeouts_of(experiment: Experiment, environ: Mapping[str, str]) -> tuple[Timeout, ...]:
    """After which time the experiment's server is said to end silent connections; empty where no known server shows.

    Args:
        environ: as in `settings_of`.
    """
    place = _place(experiment, environ)
    # `fastapi run` has no option for any (fastapi_cli/cli.py, _run()).
    if place is None or place.started.server == FASTAPI:
        return ()
    started = _by_timeouts(place.started)
    return adapter_named(started.server).timeouts(arguments_in_force(started, _reader(place.directory)))


def with_timeout(experiment: Experiment, timeout: Timeout, seconds: float, environ: Mapping[str, str]) -> Experiment:
    """The experiment with another value for a time-out of its server.

    Args:
        environ: as in `settings_of`.

    Raises:
        UsageError: it cannot be set on the command line, or that cannot be changed.
    """
    place = _place(experiment, environ)
    if place is None or not timeout.options:
        raise UsageError(f"{timeout.name} cannot be set on the server's command line.", "", "Change it in its file.")
    found = SettingInForce(_as_setting(timeout), "")
    changed = variation(_by_timeouts(place.started), found, int(seconds * timeout.units_per_s), lambda _path: None)
    return replace(experiment, target=_target(experiment.target, place, changed.arguments))


def _by_timeouts(started: Started) -> Started:
    """The same server, and its time-outs in the place of its settings."""
    timeouts = adapter_named(started.server).timeouts
    return replace(started, settings=lambda arguments: tuple(map(_as_setting, timeouts(arguments))))


def _as_setting(timeout: Timeout) -> Setting:
    """What is in the way of other requests is the server's own queue, if anything."""
    return Setting(timeout.name, None, Place.USERSPACE_QUEUE, timeout.options)


def _with_setting(
    experiment: Experiment, name: str, value: int, scratch: Path, environ: Mapping[str, str]
) -> Experiment:
    place = _place(experiment, environ)
    known = () if place is None else settings_of(experiment, environ)
    found = next((each for each in known if each.setting.name == name), None)
    if place is None or found is None:
        raise UsageError(
            f"holdfast knows no setting {name} of this server.",
            f"It knows {', '.join(each.setting.name for each in known)}."
            if known
            else "The command does not show which server it starts, and with which arguments.",
            "Vary a limit of the environment, such as nofile.",
        )
    changed = variation(place.started, found, value, _reader(place.directory))
    arguments = changed.arguments
    if changed.text is not None:
        copy = scratch.resolve() / f"{place.started.server}-{name}-{value}{changed.suffix}"
        copy.write_text(changed.text, encoding="utf-8")
        arguments = tuple(each.replace(FILE, str(copy)) for each in arguments)
    variables = tuple(dict((*experiment.environment, *changed.variables)).items())
    return replace(experiment, target=_target(experiment.target, place, arguments), environment=variables)


def _target(target: StartedTarget, place: _Place, arguments: tuple[str, ...]) -> StartedTarget:
    if isinstance(target, CommandTarget) and place.own is not None:
        return CommandTarget(with_arguments(target.command, place.own, arguments))
    assert isinstance(target, ProbeTarget)
    return replace(target, arguments=arguments)


def _place(experiment: Experiment, environ: Mapping[str, str]) -> _Place | None:
    environment = {**environ, **dict(experiment.environment)}
    directory, target = Path(experiment.cwd), experiment.target
    if isinstance(target, ProbeTarget):
        adapter = adapter_named(target.server)
        full = spelt_out(adapter.name, adapter.settings(target.arguments), target.arguments)
        started = Started(adapter.name, _by_name(experiment, target, adapter), full, environment)
        return _Place(started, None, directory)
    assert isinstance(target, CommandTarget)
    own = server_in(target.command, _reader(directory))
    if own is None:
        return None
    settings = _of_command(own.server)
    started = Started(
        own.server,
        settings,
        spelt_out(own.server, settings(own.arguments), own.arguments),
        {**environment, **own.variables},
        frozenset(own.variables),
    )
    return _Place(started, own, directory.joinpath(*own.directories))


def _by_name(
    experiment: Experiment, target: ProbeTarget, adapter: Adapter
) -> Callable[[Sequence[str]], tuple[Setting, ...]]:
    """The adapter's settings, where it depends on the application which interface the server is told to use."""
    nowhere = Interpreter("python", "", "", None, {name: name for name in adapter.executables})

    def settings(arguments: Sequence[str]) -> tuple[Setting, ...]:
        planned = plan(replace(target, arguments=tuple(arguments)), experiment.view, adapter, nowhere, port=1)
        return adapter.settings(("--interface", planned.launch.interface, *arguments))

    return settings


def _of_command(server: str) -> Callable[[Sequence[str]], tuple[Setting, ...]]:
    """The adapter's settings as the server's own command has them, where the adapter starts it from Python."""
    if server == FASTAPI:
        return _of_fastapi
    settings = adapter_named(server).settings
    if server == "flask":
        # `flask run` has no option for processes (flask/cli.py, run_command()).
        return lambda arguments: tuple(each for each in settings(arguments) if each.name != "processes")
    if server == "django":
        # Threads are what it has without --nothreading (django/core/management/commands/runserver.py).
        return lambda arguments: tuple(
            replace(each, words=("--nothreading", "")) if each.words else each for each in settings(arguments)
        )
    return settings


def _of_fastapi(arguments: Sequence[str]) -> tuple[Setting, ...]:
    """Of `fastapi run`: it gives uvicorn no setting but the workers (fastapi_cli/cli.py, _run())."""
    return tuple(
        replace(each, variable="WEB_CONCURRENCY", weaker_variables=())
        if each.name == "workers"
        else replace(each, options=(), variable="")
        for each in adapter_named("uvicorn").settings(arguments)
    )


def _reader(directory: Path) -> Read:
    def read(path: str) -> str | None:
        try:
            found = directory / path
            if not found.is_file() or found.stat().st_size > _MOST_BYTES:
                return None
            return found.read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            return None

    return read
