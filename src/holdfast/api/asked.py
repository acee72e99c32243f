"""From the arguments of a call to an experiment: checked as the same options are on a command line and in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec

from holdfast.api import option_values
from holdfast.api.config_file import project_defaults
from holdfast.api.option_layers import ATTRIBUTES, Options, Source, Text, Words, below, layer_of, plain, read_options
from holdfast.errors import EnvironmentFailure
from holdfast.model.experiment import DEFAULT_SERVER, Experiment, OutsideExperiment, UrlTarget, experiment_of

_ARGS = "args"
"""What is `arguments` in a study's file, because there it is written beside options of holdfast's own."""


class _Started(Options, kw_only=True, rename="kebab"):
    args: list[str] | None = None
    command: Words | None = None
    environment: dict[str, str] | None = None
    cwd: str | None = None
    project: str | None = None


_OF_A_PROJECT = frozenset({ATTRIBUTES.get(name, name) for name in Options.__struct_fields__})
"""What a project's file says of an experiment; besides, it can say what the command line expects of its result."""


class _Attached(msgspec.Struct, kw_only=True):
    allow_remote: Text | None = None
    insecure: bool | None = None
    headers: list[str] | None = None
    max_offered: Annotated[int, msgspec.Meta(ge=1, le=option_values.MOST_ATTACHED)] | None = None
    http2: bool | None = None
    timeout: Annotated[float, msgspec.Meta(gt=0, le=option_values.LONGEST_START_S)] | None = None


def started_experiment(app: str | None, given: Mapping[str, Any], call: str) -> Experiment:
    """The experiment of `probe` and `explain`.

    Args:
        given: the arguments by name, as `options.StartOptions` has them without `save`.
        call: what was called, for messages.

    Raises:
        UsageError: an argument is unknown or cannot be used, or two exclude each other.
        EnvironmentFailure: the working directory or the project's file cannot be read.
    """
    source = Source(None, call)
    options = plain({**given, "app": app})
    _check_company(options, source)
    # As a file has it, of which these are the options too.
    read = read_options({name.replace("_", "-"): value for name, value in options.items()}, _Started, source)
    cwd = _directory(read.cwd or read.project, "cwd", source)
    layer = layer_of(read, source, Path(cwd))
    said = {name: value for name, value in layer.values.items() if name not in ("project", "cwd")}
    if read.cwd is not None:
        said["cwd"] = cwd
    project = None
    if read.project is not None:
        project = project_defaults(Path(_directory(read.project, "project", source)), lambda _line: None)
    values = {"cwd": cwd, **below(replace(layer, values=said), project, _OF_A_PROJECT)}
    if "command" not in values:
        values.setdefault("server", DEFAULT_SERVER)
    if _ARGS in values:
        values["arguments"] = tuple(values.pop(_ARGS))
    values["environment"] = tuple(sorted(values.get("environment", {}).items()))
    return experiment_of(**values)


def outside_experiment(url: str, given: Mapping[str, Any]) -> OutsideExperiment:
    """The experiment of `attach`.

    Args:
        given: the arguments by name, as `options.AttachOptions` has them without `save`.

    Raises:
        UsageError: an argument is unknown or cannot be used.
    """
    source = Source(None, "holdfast.attach()")
    values = dict(layer_of(read_options(plain(given), _Attached, source), source, Path()).values)
    target = UrlTarget(url, values.pop("allow_remote", None), values.pop("insecure", False))
    if "timeout" in values:
        values["answer_timeout_s"] = values.pop("timeout")
    return OutsideExperiment(target, **values)


def _check_company(options: Mapping[str, Any], source: Source) -> None:
    for name in ("app", "server", "framework", "python", _ARGS):
        if "command" in options and name in options:
            raise source.wrong(
                name,
                "A command is started unchanged, so the server and what it serves follow from it.",
                "Remove one of the two.",
            )


def _directory(given: str | None, name: str, source: Source) -> str:
    """A directory's absolute path; that of the current one for None."""
    try:
        directory = Path(given or ".").absolute()
    except OSError as error:
        raise EnvironmentFailure(
            "The working directory cannot be found.", str(error), "Change to one that exists and can be read."
        ) from error
    if not directory.is_dir():
        raise source.wrong(name, f"There is no directory {directory}.")
    return str(directory)
