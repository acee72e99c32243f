"""Options in files: `[tool.holdfast]` of a pyproject.toml, and a study's TOML file.

Options have the names that they have on the command line. The more specific place wins: the command line, then a case,
then the study's [defaults], then the pyproject.toml.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from holdfast.checks.claims import claim_of, claims_of_values
from holdfast.checks.expectation import expectation_of
from holdfast.checks.verdict_fields import verdict_fields
from holdfast.cli import option_values, project_file
from holdfast.console import say
from holdfast.errors import HoldfastError, UsageError
from holdfast.model.experiment import View, command_line_of, experiment_of
from holdfast.model.frozen import frozen
from holdfast.model.sizes import size_of
from holdfast.model.study import Case, Claim, Study
from holdfast.model.suggestions import did_you_mean
from holdfast.servers.adapter import FRAMEWORKS
from holdfast.servers.ownership import why_not_ours
from holdfast.servers.registry import adapter_named

_TABLE = "[tool.holdfast]"
_DEFAULTS = "[defaults]"

_Limit = Annotated[int, msgspec.Meta(ge=1)]
_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Words = Annotated[list[str], msgspec.Meta(min_length=1)]


class Options(msgspec.Struct, kw_only=True, rename="kebab", omit_defaults=True):
    """The options of probe and exec that make sense for more than one run."""

    server: _Text | None = None
    app: _Text | None = None
    framework: _Text | None = None
    view: View | None = None
    path: str | None = None
    headers: list[str] | None = None
    nofile: _Limit | None = None
    nproc: _Limit | None = None
    address_space: _Text | None = None
    max_offered: Annotated[int, msgspec.Meta(ge=1, le=option_values.MOST_OFFERED)] | None = None
    http2: bool | None = None
    call: bool | None = None
    max_called: Annotated[int, msgspec.Meta(ge=1, le=option_values.MOST_CALLED)] | None = None
    call_timeout: Annotated[float, msgspec.Meta(gt=0, le=option_values.LONGEST_START_S)] | None = None
    port: int | str | None = None
    tls: bool | None = None
    start_timeout: Annotated[float, msgspec.Meta(gt=0, le=option_values.LONGEST_START_S)] | None = None
    python: _Text | None = None
    expect: list[_Text] | None = None


class _Defaults(Options):
    directory: _Text | None = None


class _Entry(_Defaults):
    name: _Text | None = None
    arguments: list[str] | None = None
    command: _Words | None = None
    # A list of expressions, or fields with the values that they shall have.
    expect: dict[str, Any] | list[_Text] | None = None  # type: ignore[assignment]


_Kind = TypeVar("_Kind", bound=Options)

# As the attributes of an experiment that are not called as the option is.
_ATTRIBUTES = {"start_timeout": "start_timeout_s", "call_timeout": "call_timeout_s"}
_OF_A_SERVER = ("server", "app", "framework", "python", "arguments")


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
class _Source:
    """Where a value was written, for messages."""

    file: Path
    table: str

    def wrong(self, key: str, why: str, remedy: str = "") -> UsageError:
        """The error for a value that cannot be used."""
        return UsageError(f"{self.file}: {key} in {self.table} cannot be used.", why, remedy or "Correct that line.")


def project_defaults(cwd: Path) -> Layer | None:
    """`[tool.holdfast]` of the nearest pyproject.toml of the project that has one; None where none has.

    Such a table decides what is run. So it is taken only from a file that no other user can have written, and which
    file that is, or why it was passed over, is said on standard error.

    Raises:
        UsageError: what is written there cannot be carried out.
        EnvironmentFailure: a pyproject.toml cannot be read.
    """
    for file, content in project_file.naming_holdfast(cwd):
        why_not = why_not_ours(file)
        try:
            tool = _parsed(content, file).get("tool")
        except UsageError:
            if why_not is None:
                raise
            continue
        table = tool.get("holdfast") if isinstance(tool, dict) else None
        if table is None:
            continue
        if why_not is not None:
            say(f"holdfast: {_TABLE} of {file} was ignored, because it decides what is run: {why_not}")
            continue
        layer = _layer(_read(table, Options, _Source(file, _TABLE)), _Source(file, _TABLE))
        say(f"holdfast: Defaults from {file}: {', '.join(table) or 'none'}.")
        return layer
    return None


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
        gone += [*(_OF_A_SERVER if "command" in new else []), *(["command"] if "server" in new else [])]
        values = {name: value for name, value in values.items() if name not in gone} | dict(new)
        directories |= dict.fromkeys(new, layer.directory)
    named = next((each for each in ("cwd", "command", "app") if each in values), None)
    if named is not None:
        values.setdefault("cwd", directories[named])
    return values


def read_study(name: str, below: Sequence[Layer], cwd: str) -> Study:
    """A study from a TOML file.

    Args:
        name: of the file.
        below: layers under its own [defaults].
        cwd: the working directory of servers that are given no application.

    Raises:
        UsageError: there is no such file, or what is written there cannot be carried out.
        EnvironmentFailure: it cannot be read.
    """
    file = Path(name)
    if not file.exists() or file.is_dir():
        raise UsageError(
            f"{name} is a directory." if file.is_dir() else f"{name} does not exist.",
            f"Looked in {os.path.normpath(os.path.join(cwd, file.parent))}.",
            "Name a TOML file with a [[case]] for each row.",
        )
    tables = _parsed(project_file.content_of(file), file)
    _check_keys(tables, ("defaults", "case"), _Source(file, "the file"))
    defaults, entries = tables.get("defaults", {}), tables.get("case", [])
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise UsageError(f"{file}: case is not a list of tables.", "", "Begin each case with a line [[case]].")
    if not entries:
        raise UsageError(
            f"{file} has no case.",
            "A study needs at least one case.",
            'Add one: [[case]], and below it server = "gunicorn".',
        )
    source = _Source(file, _DEFAULTS)
    lower = [*below, _layer(_read(defaults, _Defaults, source), source)]
    cases = tuple(_case(each, number, lower, file, cwd) for number, each in enumerate(entries, 1))
    _check_names(cases, file)
    return Study(file.name, cases)


def check_study_name(name: str, bundled: Iterable[str]) -> None:
    """Makes sure that a name that is not a bundled study's can be a file's.

    Raises:
        UsageError: it cannot.
    """
    if Path(name).exists() or name.endswith(".toml") or os.sep in name:
        return
    raise UsageError(
        f"No bundled study or file is named {name!r}.",
        f"The bundled studies are {', '.join(sorted(bundled))}.",
        did_you_mean(name, bundled, "Name one of these, or a file: holdfast study cases.toml"),
    )


def _case(table: dict[str, Any], number: int, lower: Sequence[Layer], file: Path, cwd: str) -> Case:
    called = table.get("name")
    source = _Source(file, f"[[case]] {number}" + (f" ({called})" if isinstance(called, str) else ""))
    entry = _read(table, _Entry, source)
    if entry.command is not None:
        for other in _OF_A_SERVER:
            if getattr(entry, other) is not None:
                raise source.wrong(
                    other,
                    "The case has a command, which holdfast starts unchanged.",
                    "Remove one of the two.",
                )
    values = merged([*lower, _layer(entry, source)])
    expressions = values.pop("expect", ())
    if not values.keys() & {"command", "server"}:
        raise UsageError(
            f"{file}: {source.table} names neither a server nor a command.",
            "Neither does [defaults].",
            'Add server = "gunicorn", or command = ["gunicorn", "-w", "4", "shop:app"].',
        )
    experiment = experiment_of(**({"cwd": cwd} | values))
    words = " ".join(command_line_of(experiment.target))
    claims = tuple(_claims(entry.expect if isinstance(entry.expect, dict) else {}, expressions, source))
    return Case(entry.name or words, words, experiment, claims)


def _claims(table: Mapping[str, Any], expressions: Sequence[str], source: _Source) -> Iterator[Claim]:
    fields = verdict_fields()
    where = f"{source.file}: {source.table}"
    yield from claims_of_values(_flat(table), fields, where, lambda key, why: source.wrong(key, f"{_in_toml(why)}."))
    for each in expressions:
        try:
            yield claim_of(expectation_of(each, fields))
        except UsageError as error:
            raise UsageError(f"{where}: {error.what}", error.why, error.remedy) from error


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values: TOML reads `ceiling.in_service = 1` as a table in a table."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _check_names(cases: Sequence[Case], file: Path) -> None:
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise UsageError(
                f"{file}: two cases are called {case.id!r}.",
                "A case without a name is called by its server and arguments.",
                'Give each its own name: name = "..."',
            )
        seen.add(case.id)


def _layer(read: Options, source: _Source) -> Layer:
    given = {name: getattr(read, name) for name in read.__struct_fields__ if getattr(read, name) is not None}
    directory = source.file.absolute().parent
    values: dict[str, Any] = {}
    for name, value in given.items():
        key = name.replace("_", "-")
        try:
            values[_ATTRIBUTES.get(name, name)] = _checked(name, value, directory)
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
    "expect": lambda given: () if isinstance(given, dict) else tuple(given),
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


def _parsed(content: bytes, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not TOML.", f"It is not UTF-8: {error}.", "Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not TOML.", f"{error}.", "Correct it there.") from error


def _read(table: object, kind: type[_Kind], source: _Source) -> _Kind:
    if not isinstance(table, dict):
        raise UsageError(
            f"{source.file}: {source.table} is not a table.", "", f"Write {source.table} on a line of its own."
        )
    _check_keys(table, kind.__struct_encode_fields__, source)
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        key = re.sub(r"^`\$\.?|`$", "", place) or "a value"
        why = _in_toml(words)
        listed = (
            f'Write a list with one word in each string: {key} = ["...", "..."]' if "a list, got `str`" in why else ""
        )
        raise source.wrong(key, f"{why}.", listed) from error


def _check_keys(table: Mapping[str, Any], known: Iterable[str], source: _Source) -> None:
    names = sorted(known)
    for key in table:
        if key not in names:
            raise UsageError(
                f"{source.file}: there is no {key!r} in {source.table}.",
                f"Known are: {', '.join(names)}.",
                did_you_mean(key, names, "Remove it."),
            )


def _in_toml(words: str) -> str:
    """What msgspec says about a value, in the words of TOML, which has no null."""
    return words.replace(" | null", "").replace("`array`", "a list").replace("`object`", "a table")
