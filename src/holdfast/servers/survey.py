"""What is installed of the servers and frameworks, and how to install the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

from holdfast.model.frozen import frozen
from holdfast.model.installed import Installed, Part, Server
from holdfast.servers.adapter import FRAMEWORK_PACKAGES, Adapter, Package
from holdfast.servers.interpreter import Answer, answers, has, install_command


@frozen
class Install:
    """The command that installs a package.

    Attributes:
        here: for an interpreter of this machine, by its path.
        anywhere: the same without that path, for a reader on another machine.
    """

    here: str
    anywhere: str


def survey(
    adapters: Mapping[str, Adapter], broken: Mapping[str, str], asked_for: str | None, cwd: PurePath
) -> Installed:
    """Asks every interpreter that `probe` would look into, each once.

    Args:
        broken: adapters that cannot be used, and why.
        asked_for: the one interpreter to ask; None are the usual ones.

    Raises:
        EnvironmentFailure: the one asked for cannot be run.
    """
    asked = ask_all(adapters.values(), asked_for, cwd)
    servers = tuple(_server(adapter, asked) for adapter in adapters.values())
    first = next(iter(asked), None)
    frameworks = tuple(_part(name, each, first, asked) for name, each in FRAMEWORK_PACKAGES.items())
    return Installed(tuple(asked), servers, frameworks, dict(broken))


def ask_all(adapters: Iterable[Adapter], asked_for: str | None, cwd: PurePath) -> dict[str, Answer]:
    """What every interpreter has of the packages of all adapters and frameworks, best first.

    Raises:
        EnvironmentFailure: the one asked for cannot be run.
    """
    packages = [*FRAMEWORK_PACKAGES.values()]
    for adapter in adapters:
        packages += [*adapter.packages, *adapter.extras.values()]
    return {path: answer for path, answer in answers(packages, asked_for, cwd) if answer is not None}


def needed(
    adapter: Adapter, arguments: Sequence[str], framework: str | None, asked: Mapping[str, Answer]
) -> tuple[str | None, Install | None]:
    """Whether an experiment with a built-in application can be run here.

    Args:
        framework: of the built-in application; None for one of the person's own.
        asked: as from `ask_all`.

    Returns:
        The version of the server that would be started ("" where it does not say), None where there is none;
        and what installs the first thing that is missing, None where all is there.
    """
    words = f" {' '.join(arguments)} "
    for interpreter, answer in asked.items():
        package, _ = has(answer, interpreter, adapter)
        if package is None:
            continue
        wanted = [extra for option, extra in adapter.extras.items() if f" {option} " in words]
        wanted += [each for name, each in FRAMEWORK_PACKAGES.items() if name == framework]
        missing = [each for each in wanted if each.module not in answer.found]
        install = _install(missing[0], interpreter) if missing else None
        return answer.found[package.module], install
    return None, _install(adapter.packages[0], next(iter(asked), None))


def _server(adapter: Adapter, asked: Mapping[str, Answer]) -> Server:
    interfaces = tuple(adapter.frameworks)
    for interpreter, answer in asked.items():
        package, _ = has(answer, interpreter, adapter)
        if package is not None:
            needs = tuple(_part(name, each, interpreter, asked) for name, each in adapter.extras.items())
            return Server(adapter.name, interfaces, answer.found[package.module], interpreter, None, needs)
    install = _install(adapter.packages[0], next(iter(asked), None))
    return Server(adapter.name, interfaces, None, None, install.here)


def _part(name: str, package: Package, interpreter: str | None, asked: Mapping[str, Answer]) -> Part:
    version = asked[interpreter].found.get(package.module) if interpreter is not None else None
    return Part(name, version, None if version is not None else _install(package, interpreter).here)


def _install(package: Package, interpreter: str | None) -> Install:
    python, what = interpreter or "python3", package.requirement
    return Install(install_command(python, what), install_command(python, what, with_path=False))
