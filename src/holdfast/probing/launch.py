"""What a run starts: a server that an adapter knows, or a person's own command."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from holdfast.errors import EnvironmentFailure, HoldfastError, UsageError
from holdfast.model.experiment import CommandTarget, Experiment, ProbeTarget, View
from holdfast.model.frozen import frozen
from holdfast.model.suggestions import did_you_mean
from holdfast.probing.ports import free_port
from holdfast.servers.adapter import Adapter
from holdfast.servers.interpreter import Interpreter, find_interpreter
from holdfast.servers.plan import plan
from holdfast.servers.process import GRACE_S
from holdfast.servers.registry import ADAPTERS, adapter_named

# Time for a server to remove what it has put elsewhere, such as a pid file. Most need a tenth of it.
_OWN_GRACE_S = 3.0


@frozen
class ServerSpec:
    """A server before it is started.

    Attributes:
        environment: complete, except for what the recorder needs.
        address, port: where it will listen, as in `model.address`; None is found out when it does.
        name: as the command suggests; what listens may turn out to be something else.
        version, python: "" if they are not known before it runs.
        stop_signal, grace_s, ends_with_workers: as `Command` has them.
        app, framework, interface, view: what it is told to serve, for `RecorderSettings`.
        own: it is a person's own command, and holdfast has to find its way into it.
        serves_as_root: False where root has to start it as another user.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    address: str | None
    port: int | None
    name: str
    version: str
    python: str
    stop_signal: int
    grace_s: float
    ends_with_workers: bool = False
    app: str | None = None
    framework: str = ""
    interface: str = ""
    view: View | None = None
    own: bool = False
    serves_as_root: bool = True

    @property
    def listen_address(self) -> int | str | None:
        """The port or the Unix socket on which it is expected to listen; None is any."""
        return self.port or self.address


def spec_of(experiment: Experiment, adapter: Adapter | None = None, socket: str = "") -> ServerSpec:
    """The server that the experiment asks for.

    Args:
        adapter: None is the one with the server's name.
        socket: an unused path for a Unix socket.

    Raises:
        UsageError, EnvironmentFailure: there is no such server or command, or it cannot be started like that.
    """
    target = experiment.target
    if isinstance(target, CommandTarget):
        return _own(experiment, target.command)
    assert isinstance(target, ProbeTarget)
    return _known(experiment, target, adapter or adapter_named(target.server), socket)


def _known(experiment: Experiment, target: ProbeTarget, adapter: Adapter, socket: str) -> ServerSpec:
    if isinstance(experiment.port, str):
        raise UsageError(
            f"--port {experiment.port} is not a port.",
            "--port can name a Unix socket only to choose between several that your own command listens on.",
            f"Give it in {adapter.name}'s own arguments, after --; there, unix:0 is replaced by an unused path.",
        )
    interpreter = find_interpreter(adapter, target.python, Path(experiment.cwd))
    planned = plan(target, experiment.view, adapter, interpreter, experiment.port or free_port(), socket)
    launch = planned.launch
    return ServerSpec(
        argv=launch.command,
        environment=_with_variables(_environment(interpreter), experiment),
        address=launch.address if launch.port else _as_address(launch.address, experiment.cwd),
        port=launch.port or None,
        name=adapter.name,
        version=interpreter.version,
        python=interpreter.python,
        stop_signal=adapter.stop_signal,
        grace_s=GRACE_S,
        ends_with_workers=adapter.ends_with_workers,
        app=planned.app,
        framework=planned.framework,
        interface=launch.interface,
        view=planned.view,
        serves_as_root=adapter.serves_as_root,
    )


def _environment(interpreter: Interpreter) -> dict[str, str]:
    environment = dict(os.environ)
    # A server that embeds Python finds its packages by this variable, as after `activate`.
    environment.pop("VIRTUAL_ENV", None)
    if interpreter.virtual_env is not None:
        environment["VIRTUAL_ENV"] = interpreter.virtual_env
    environment["PYTHONUNBUFFERED"] = "1"
    # As where a server's own script starts it: `-m` puts the working directory in front of everything, so that a
    # project's email.py or types.py would be imported in the place of the standard library's. What loads the
    # application adds its directory. Python knows this since 3.11.
    environment["PYTHONSAFEPATH"] = "1"
    return environment


def _own(experiment: Experiment, command: tuple[str, ...]) -> ServerSpec:
    # Otherwise its last lines would be lost in a buffer.
    environment = _with_variables({**os.environ, "PYTHONUNBUFFERED": "1"}, experiment)
    _check_program(command[0], Path(experiment.cwd), environment.get("PATH"))
    return ServerSpec(
        argv=command,
        environment=environment,
        address=_as_address(experiment.port, experiment.cwd) if isinstance(experiment.port, str) else None,
        port=experiment.port if isinstance(experiment.port, int) else None,
        name=Path(command[0]).name,
        version="",
        python="",
        stop_signal=_stop_signal(command),
        grace_s=_OWN_GRACE_S,
        view=experiment.view,
        own=True,
    )


def _as_address(socket: str, cwd: str) -> str:
    path = socket.removeprefix("unix:")
    if path.startswith("@"):
        return path
    directory, name = os.path.split(os.path.join(cwd, path))
    return os.path.join(os.path.realpath(directory), name)


def _stop_signal(command: tuple[str, ...]) -> int:
    """The signal that ends the server named in the command; SIGTERM if it names none."""
    # Split, since a shell's command is one argument.
    words = {Path(word).name for each in command for word in each.split()}
    for adapter in ADAPTERS.values():
        if words & {adapter.name, *adapter.executables}:
            return adapter.stop_signal
    return int(signal.SIGTERM)


def _with_variables(environment: dict[str, str], experiment: Experiment) -> dict[str, str]:
    for name, value in experiment.environment:
        if not name or "=" in name or "\0" in name + value:
            raise UsageError(
                f"{name!r} cannot be set as an environment variable.",
                "A name is not empty and has no =, and neither it nor the value has a null byte.",
                "Name another variable.",
            )
    return environment | dict(experiment.environment)


def _check_program(name: str, cwd: Path, search: str | None) -> None:
    if os.sep not in name:
        if shutil.which(name, path=search) is None:
            raise _not_on_path(name, cwd)
        return
    path = cwd / name
    if not path.exists():
        raise EnvironmentFailure(
            f"There is no file {name}.",
            f"It was looked for from {cwd}.",
            "Check its path, and the directory you are in.",
        )
    if path.is_dir() or not os.access(path, os.X_OK):
        what = "a directory" if path.is_dir() else "not executable"
        script = name.endswith(".py")
        remedy = f"Give its interpreter too: holdfast exec -- python {name} ..." if script else f"chmod +x {name}"
        raise EnvironmentFailure(f"{name} cannot be started.", f"It is {what}.", "" if path.is_dir() else remedy)


def _not_on_path(name: str, cwd: Path) -> HoldfastError:
    if any(c.isspace() for c in name):
        return UsageError(
            f"There is no command {name!r}.",
            "All of it, including the spaces, was given as one word.",
            f"Leave out the quotation marks: holdfast exec -- {name}",
        )
    if "=" in name:
        return UsageError(
            f"There is no command {name}.",
            "No shell reads the command, so a variable cannot be set in front of it.",
            f"Use env: holdfast exec -- env {name} ...",
        )
    active = os.environ.get("VIRTUAL_ENV")
    environments = [Path(active) if active else None, cwd / ".venv", cwd / "venv", Path(sys.prefix)]
    near = [str(each / "bin" / name) for each in environments if each is not None and (each / "bin" / name).exists()]
    remedy = f"Give its path, {near[0]}, or activate its environment first." if near else ""
    if not near and (cwd / name).is_file():
        started = f"python {name}" if name.endswith(".py") else f"./{name}"
        remedy = f"A file of that name is here: holdfast exec -- {started} ..."
    remedy = remedy or did_you_mean(name, _programs_on_path(), "Give its path, or install it.")
    return EnvironmentFailure(f"There is no command {name}.", "It is not on PATH.", remedy)


def _programs_on_path() -> set[str]:
    found: set[str] = set()
    for each in os.get_exec_path():
        with suppress(OSError):
            found.update(os.listdir(each))
    return found
