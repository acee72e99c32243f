"""Options in files: `[tool.holdfast]` of a pyproject.toml, and a study's TOML file.

Options have the names that they have on the command line. The more specific place wins: the command line, then a case,
then the study's [defaults], then the pyproject.toml.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.api import project_file
from holdfast.api.option_layers import (
    OF_A_SERVER,
    Layer,
    Options,
    Source,
    Text,
    Words,
    check_names,
    in_words,
    layer_of,
    merged,
    read_options,
)
from holdfast.api.toml_places import not_utf_8
from holdfast.checks.claims import claim_of, claims_of_values
from holdfast.checks.expectation import expectation_of
from holdfast.checks.verdict_fields import verdict_fields
from holdfast.errors import UsageError
from holdfast.model.experiment import command_line_of, experiment_of
from holdfast.model.study import Case, Claim, Study
from holdfast.model.suggestions import did_you_mean
from holdfast.servers.ownership import why_not_ours

_TABLE = "[tool.holdfast]"
_DEFAULTS = "[defaults]"


class FileOptions(Options):
    """What a file can say of more than one run: the same, and what is expected of each."""

    expect: list[Text] | None = None


class _Defaults(FileOptions):
    directory: Text | None = None


class _Entry(_Defaults):
    name: Text | None = None
    arguments: list[str] | None = None
    command: Words | None = None
    # A list of expressions, or fields with the values that they shall have.
    expect: dict[str, Any] | list[Text] | None = None  # type: ignore[assignment]


def project_defaults(cwd: Path, tell: Callable[[str], None]) -> Layer | None:
    """`[tool.holdfast]` of the nearest pyproject.toml of the project that has one; None where none has.

    Such a table decides what is run. So it is taken only from a file that no other user can have written, and which
    file that is, or why it was passed over, is told.

    Args:
        tell: is given one line.

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
            tell(f"holdfast: {_TABLE} of {file} was ignored, because it decides what is run: {why_not}")
            continue
        layer = layer_of(read_options(table, FileOptions, Source(file, _TABLE)), Source(file, _TABLE))
        tell(f"holdfast: Defaults from {file}: {', '.join(table) or 'none'}.")
        return layer
    return None


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
    check_names(tables, ("defaults", "case"), Source(file, "the file"))
    defaults, entries = tables.get("defaults", {}), tables.get("case", [])
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise UsageError(f"{file}: case is not a list of tables.", "", "Begin each case with a line [[case]].")
    if not entries:
        raise UsageError(
            f"{file} has no case.",
            "A study needs at least one case.",
            'Add one: [[case]], and below it server = "gunicorn".',
        )
    source = Source(file, _DEFAULTS)
    lower = [*below, layer_of(read_options(defaults, _Defaults, source), source)]
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
    source = Source(file, f"[[case]] {number}" + (f" ({called})" if isinstance(called, str) else ""))
    entry = read_options(table, _Entry, source)
    if entry.command is not None:
        for other in OF_A_SERVER:
            if getattr(entry, other) is not None:
                raise source.wrong(
                    other,
                    "The case has a command, which holdfast starts unchanged.",
                    "Remove one of the two.",
                )
    values = merged([*lower, layer_of(entry, source)])
    expressions = values.pop("expect", ())
    if not values.keys() & {"command", "server"}:
        raise UsageError(
            f"{file}: {source.part} names neither a server nor a command.",
            "Neither does [defaults].",
            'Add server = "gunicorn", or command = ["gunicorn", "-w", "4", "shop:app"].',
        )
    experiment = experiment_of(**({"cwd": cwd} | values))
    words = " ".join(command_line_of(experiment.target))
    claims = tuple(_claims(entry.expect if isinstance(entry.expect, dict) else {}, expressions, source))
    return Case(entry.name or words, words, experiment, claims)


def _claims(table: Mapping[str, Any], expressions: Sequence[str], source: Source) -> Iterator[Claim]:
    fields = verdict_fields()
    yield from claims_of_values(
        _flat(table), fields, str(source), lambda key, why: source.wrong(key, f"{in_words(why)}.")
    )
    for each in expressions:
        try:
            yield claim_of(expectation_of(each, fields))
        except UsageError as error:
            raise UsageError(f"{source}: {error.what}", error.why, error.remedy) from error


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


def _parsed(content: bytes, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not TOML.", not_utf_8(error), "Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not TOML.", f"{error}.", "Correct it there.") from error
