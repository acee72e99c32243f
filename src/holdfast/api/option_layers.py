"""What is asked of a probe, in layers: the options of one place over those of another.

The places are a file (`config_file`), a command line, and the arguments of a call from Python. Each is checked in the
same way, and an error says where the value was written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from holdfast.api import option_values
from holdfast.errors import HoldfastError, UsageError
from holdfast.model.experiment import View
from holdfast.model.frozen import frozen
from holdfast.model.sizes import size_of
from holdfast.model.suggestions import did_you_mean
from holdfast.servers.adapter import FRAMEWORKS
from holdfast.servers.registry import adapter_named

_Limit = Annotated[int, msgspec.Meta(ge=1)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Words = Annotated[list[str], msgspec.Meta(min_length=1)]


class Options(msgspec.Struct, kw_only=True, rename="kebab", omit_defaults=True):
    """The options of probe and exec that make sense for more than one run."""

    server: Text | None = None
    app: Text | None = None
    framework: Text | None = None
    view: View | None = None
    path: str | None = None
    headers: list[str] | None = None
    nofile: _Limit | None = None
    nproc: _Limit | None = None
    address_space: Text | None = None
    max_offered: Annotated[int, msgspec.Meta(ge=1, le=option_values.MOST_OFFERED)] | None = None
    watch: Annotated[float, msgspec.Meta(ge=0, le=option_values.LONGEST_START_S)] | None = None
    http2: bool | None = None
    call: bool | None = None
    max_called: Annotated[int, msgspec.Meta(ge=1, le=option_values.MOST_CALLED)] | None = None
    call_timeout: Annotated[float, msgspec.Meta(gt=0, le=option_values.LONGEST_START_S)] | None = None
    port: int | str | None = None
    tls: bool | None = None
    start_timeout: Annotated[float, msgspec.Meta(gt=0, le=option_values.LONGEST_START_S)] | None = None
    python: Text | None = None


_Kind = TypeVar("_Kind", bound=msgspec.Struct)

# As the attributes of an experiment that are not called as the option is.
ATTRIBUTES = {"start_timeout": "start_timeout_s", "call_timeout": "call_timeout_s", "watch": "watch_s"}
OF_A_SERVER = ("server", "app", "framework", "python", "arguments")


@frozen
class Layer:
    """The options of one place.

    Attributes:
        values: by the experiment's attribute, checked, as an experiment takes them.
        directory: from which its application and interpreter are looked for.
    """

    values: Mapping[str, Any]
    directory: str


@frozen
class Source:
    """Where a value was written, for messages.

    Attributes:
        file: None is a call from Python.
        part: of the file, or the call.
    """

    file: Path | None
    part: str

    def __str__(self) -> str:
        return self.part if self.file is None else f"{self.file}: {self.part}"

    def named(self, key: str) -> str:
        """An option as it is spelled there."""
        return key.replace("-", "_") if self.file is None else key

    def wrong(self, key: str, why: str, remedy: str = "") -> UsageError:
        """The error for a value that cannot be used."""
        before = "" if self.file is None else f"{self.file}: "
        correct = "Correct that argument." if self.file is None else "Correct that line."
        return UsageError(f"{before}{self.named(key)} in {self.part} cannot be used.", why, remedy or correct)


def merged(layers: Iterable[Layer]) -> dict[str, Any]:
    """The attributes of an experiment from all layers; a later layer overrides an earlier one.

    An application excludes the framework of a built-in one, and a command excludes a server: what a later layer
    chooses removes the other from the earlier ones.
    """
    values: dict[str, Any] = {}
    directories: dict[str, str] = {}
    for layer in layers:
        new = layer.values
        gone = [*(["app"] if "framework" in new else []), *(["framework"] if "app" in new else [])]
        gone += [*(OF_A_SERVER if "command" in new else []), *(["command"] if "server" in new else [])]
        values = {name: value for name, value in values.items() if name not in gone} | dict(new)
        directories |= dict.fromkeys(new, layer.directory)
    named = next((each for each in ("cwd", "command", "app") if each in values), None)
    if named is not None:
        values.setdefault("cwd", directories[named])
    return values


def below(said: Layer, project: Layer | None, names: Container[str]) -> dict[str, Any]:
    """What was said, with what the project's file says of the rest.

    Args:
        said: on a command line or in a call.
        project: as `config_file.project_defaults` reads it.
        names: those that the command knows; of the file, no others are taken.
    """
    if project is None:
        return merged([said])
    known = {name: value for name, value in project.values.items() if name in names}
    return merged([Layer(known, project.directory), said])


def layer_of(read: msgspec.Struct, source: Source, directory: Path | None = None) -> Layer:
    """What was read there, checked, as an experiment takes it.

    Args:
        directory: from which paths are looked for; None is the file's.

    Raises:
        UsageError: a value cannot be used.
    """
    given = {name: getattr(read, name) for name in read.__struct_fields__ if getattr(read, name) is not None}
    if directory is None:
        assert source.file is not None
        directory = source.file.absolute().parent
    values: dict[str, Any] = {}
    for name, value in given.items():
        key = name.replace("_", "-")
        try:
            values[ATTRIBUTES.get(name, name)] = _checked(name, value, directory)
        except ValueError as error:
            raise source.wrong(key, str(error)) from error
        except HoldfastError as error:
            raise source.wrong(
                key, f"{error.what} {error.why}".rstrip(), error.remedy.replace("--server ", "")
            ) from error
    if "app" in values and "framework" in values:
        raise source.wrong(
            "framework",
            f"The application {values['app']} is named there too; a framework is for the built-in application.",
            "Remove one of the two.",
        )
    values.pop("name", None)
    if directory_named := values.pop("directory", None):
        values["cwd"] = directory_named
    return Layer(values, str(directory))


def _framework(value: str) -> str:
    names = sorted({each for group in FRAMEWORKS.values() for each in group})
    if value not in names:
        raise ValueError(f"There is no built-in application for {value!r}, only for {', '.join(names)}.")
    return value


# What an option's value must be beyond its type. Each returns the value, or raises ValueError or a HoldfastError.
_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    # Of a case, a table of fields with their values, which is read by itself.
    "expect": lambda value: () if isinstance(value, dict) else tuple(value),
    "path": option_values.path_of,
    "address_space": size_of,
    "port": lambda value: option_values.port_of(str(value)),
    "app": option_values.app_of,
    "headers": lambda values: tuple(option_values.header_of(each) for each in values),
    "server": lambda value: adapter_named(value).name,
    "framework": _framework,
    "arguments": tuple,
    "command": tuple,
}


def _checked(name: str, value: Any, directory: Path) -> Any:  # noqa: ANN401 - each option's own
    """An option's value as an experiment takes it.

    Raises:
        ValueError, HoldfastError: it cannot be used.
    """
    if name == "python" and os.sep in value:
        return str(directory / value)  # a path is relative to the file; a bare name is looked up on PATH
    if name == "directory":
        if not (directory / value).is_dir():
            raise ValueError(f"There is no directory {directory / value}.")
        return os.path.normpath(directory / value)
    return _CHECKS.get(name, lambda given: given)(value)


def read_options(table: object, kind: type[_Kind], source: Source) -> _Kind:
    """The options of a table, each of its type.

    Args:
        table: by their names on the command line, without the dashes in front.

    Raises:
        UsageError: it is not a table, a name is unknown, or a value is of another type or out of its range.
    """
    if not isinstance(table, dict):
        raise UsageError(f"{source} is not a table.", "", f"Write {source.part} on a line of its own.")
    check_names(table, kind.__struct_encode_fields__, source)
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        key = re.sub(r"^`\$\.?|`$", "", place) or "a value"
        why = in_words(words)
        listed = (
            f'Write a list with one word in each string: {source.named(key)} = ["...", "..."]'
            if "a list, got `str`" in why
            else ""
        )
        raise source.wrong(key, f"{why}.", listed) from error


def plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call as a file would have them, without those that are None."""
    return {name: _as_in_a_file(name, value) for name, value in given.items() if value is not None}


def _as_in_a_file(name: str, value: Any) -> Any:  # noqa: ANN401 - an argument may be anything
    if name == "headers" and not isinstance(value, str):
        pairs = value.items() if isinstance(value, Mapping) else value
        return [f"{each[0]}: {each[1]}" for each in pairs]
    if name in ("address_space", "memory") and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def check_names(table: Mapping[str, Any], known: Iterable[str], source: Source) -> None:
    """Makes sure that a table has no other names.

    Raises:
        UsageError: it has.
    """
    names = sorted(map(source.named, known))
    for key in map(source.named, table):
        if key not in names:
            before = "" if source.file is None else f"{source.file}: "
            raise UsageError(
                f"{before}there is no {key!r} in {source.part}.",
                f"Known are: {', '.join(names)}.",
                did_you_mean(key, names, "Remove it."),
            )


def in_words(words: str) -> str:
    """What msgspec says about a value, in the words of TOML, which has no null; they are Python's too."""
    return words.replace(" | null", "").replace("`array`", "a list").replace("`object`", "a table")
