"""Reads saved runs, of this version and of all earlier ones."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast import __distribution__, __version__
from holdfast.errors import HoldfastError, UsageError
from holdfast.model.migration import (
    CAPACITY_FORM,
    CUT_SHORT_FORM,
    EXPLANATION_FORM,
    FORMS,
    LOAD_FORM,
    OUTSIDE_FORM,
    STUDY_FORM,
    migrated,
)
from holdfast.model.revision import Revision
from holdfast.model.saved import RUN_KINDS, SavedRun, State
from holdfast.runs_file import Mark, marks_beside
from holdfast.store.database import reading
from holdfast.store.saving import CUT_SHORT, UNENDED, take_in_marks
from holdfast.store.schema_1 import KIND
from holdfast.store.tables import columns_of, tables_of

if TYPE_CHECKING:
    # A load does without.
    from holdfast.model.capacity import CapacityRecord
    from holdfast.model.experiment import StartedTarget
    from holdfast.model.explanation import ExplanationRecord
    from holdfast.model.outside import OutsideTimeline
    from holdfast.model.study import StudyRecord
    from holdfast.model.timeline import Timeline

_LAST_YEAR_S = 253_402_300_800  # 10,000 AD, the first year that a date cannot have
_OF_SEVERAL = {
    LOAD_FORM: "a load",
    EXPLANATION_FORM: "an explanation",
    STUDY_FORM: "a study",
    CAPACITY_FORM: "a search for a rate",
}
_LISTED = (
    "id",
    "saved_at",
    "server",
    "arguments",
    "offered",
    "app",
    "version",
    "revision",
    "changed",
    "no_revision",
    "mark",
)


def saved_runs(path: Path) -> tuple[SavedRun, ...]:
    """All saved runs, newest first, and in front of them those that are not over yet; empty where there are none.

    Raises:
        EnvironmentFailure, UsageError: they cannot be read.
    """
    with contextlib.suppress(HoldfastError):
        take_in_marks(path)  # they are listed even where the file cannot be written
    marks = {each.name: each for each in reversed(marks_beside(path))}
    listed: list[SavedRun] = []
    with reading(path) as database:
        if database is not None:
            # A text that is not UTF-8 must not hide the others.
            database.text_factory = lambda raw: raw.decode(errors="replace")
            listed = [_listed(row, marks.pop(row["mark"], None)) for row in _rows(database)]
    return (*(_begun(each) for each in marks.values()), *listed)


def _rows(database: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """The rows of all runs; what an earlier schema does not have is None."""
    present = columns_of(database)
    names = [each for each in _LISTED if each in present]
    columns = [f"run.{each}" for each in names]
    source = "run"
    if "kind" in present:
        names += ["kind", "measured", "ceiling", "bounded"]
        columns += [KIND, "result.server", "result.ceiling", "result.bounded"]
        source = "run LEFT JOIN result ON result.run = run.id"
    else:
        names.append("kind")
        columns.append(KIND.replace("run.kind", "NULL"))
    for row in database.execute(f"SELECT {', '.join(columns)} FROM {source} ORDER BY run.id DESC"):  # noqa: S608 - ours
        yield dict.fromkeys(_LISTED) | dict(zip(names, row, strict=True))


def _listed(row: dict[str, Any], mark: Mark | None) -> SavedRun:
    """A run as it is listed; of a damaged row only the number is sure.

    Args:
        mark: of a run that is still under way, or was killed after it was saved.
    """
    saved_at, server, arguments, offered = (row[each] for each in ("saved_at", "server", "arguments", "offered"))
    if not (
        isinstance(saved_at, int | float)
        and 0 <= saved_at < _LAST_YEAR_S
        and isinstance(server, str)
        and isinstance(arguments, str)
        and isinstance(offered, int)
    ):
        return SavedRun(row["id"], None, "?", "its row is damaged", None)
    bounded, state = row.get("bounded"), _state(arguments)
    if state == "cut short" and mark is not None and mark.lives:
        state = "not over yet"
    return SavedRun(
        id=row["id"],
        saved_at=saved_at,
        server=server,
        arguments=arguments,
        offered=offered,
        app=_text(row["app"]) or "",
        kind=row["kind"] if row["kind"] in RUN_KINDS else None,
        state=state,
        holdfast=_text(row["version"]),
        revision=_revision(row),
        measured=_text(row.get("measured")),
        ceiling=row.get("ceiling") if isinstance(row.get("ceiling"), int) else None,
        bounded=bool(bounded) if isinstance(bounded, int) else None,
    )


def _state(arguments: str) -> State:
    return "cut short" if arguments.startswith((CUT_SHORT, UNENDED)) else "over"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _revision(row: dict[str, Any]) -> Revision | None:
    commit, changed, why = _text(row["revision"]), row["changed"], _text(row["no_revision"])
    if commit is None and why is None:
        return None
    return Revision(commit, bool(changed) if isinstance(changed, int) else None, why or "")


def _begun(mark: Mark) -> SavedRun:
    """A run of which there is only its mark."""
    asked = mark.asked
    state: State = "not over yet" if mark.lives else "cut short"
    arguments = f"{state}: {asked.arguments}".rstrip(": ")
    return SavedRun(None, mark.began_at, asked.server, arguments, 0, asked.app, asked.kind, state, mark.holdfast)


def load(number: int, path: Path) -> Timeline | OutsideTimeline:
    """The timeline of a saved run.

    Raises:
        UsageError: there is no such run, its record is damaged, or a newer version saved it.
    """
    import msgspec  # noqa: PLC0415 - what reads a load does without

    from holdfast.model.outside import OutsideTimeline  # noqa: PLC0415
    from holdfast.model.timeline import Timeline  # noqa: PLC0415

    form, saved = row_of(number, path)
    if form in _OF_SEVERAL:
        raise UsageError(
            f"Run {number} is {_OF_SEVERAL[form]}: it has no record of a single experiment.",
            "",
            f"holdfast show {number} prints what it came to.",
        )
    try:
        form, record = migrated(msgspec.json.decode(zlib.decompress(saved)), form)
        if form == OUTSIDE_FORM:
            return msgspec.convert(record, OutsideTimeline)
        return msgspec.convert(record, Timeline, dec_hook=_target)
    except (msgspec.MsgspecError, zlib.error, KeyError, TypeError, AttributeError) as error:
        raise unreadable(number, error) from error


def load_explanation(number: int, path: Path) -> ExplanationRecord:
    """A saved explanation.

    Raises:
        UsageError: as `load`.
    """
    from holdfast.model.explanation import ExplanationRecord  # noqa: PLC0415 - as above

    found: ExplanationRecord = _decoded(number, path, ExplanationRecord)
    return found


def load_capacity(number: int, path: Path) -> CapacityRecord:
    """A saved search for the highest rate that holds.

    Raises:
        UsageError: as `load`.
    """
    from holdfast.model.capacity import CapacityRecord  # noqa: PLC0415 - as above

    found: CapacityRecord = _decoded(number, path, CapacityRecord)
    return found


def load_study(number: int, path: Path) -> StudyRecord:
    """A saved study.

    Raises:
        UsageError: as `load`.
    """
    from holdfast.model.study import StudyRecord  # noqa: PLC0415 - as above

    found: StudyRecord = _decoded(number, path, StudyRecord)
    return found


def _decoded(number: int, path: Path, kind: Any) -> Any:  # noqa: ANN401 - one of the records
    import msgspec  # noqa: PLC0415 - what reads a load does without

    _, saved = row_of(number, path)
    try:
        return msgspec.json.decode(zlib.decompress(saved), type=kind, dec_hook=_target)
    except (msgspec.MsgspecError, zlib.error) as error:
        raise unreadable(number, error) from error


def _target(kind: type, record: object) -> StartedTarget:
    """A target of either kind; msgspec tells no dataclasses apart by their fields.

    Raises:
        TypeError: it is neither.
    """
    import msgspec  # noqa: PLC0415 - as in `load`

    from holdfast.model.experiment import CommandTarget, ProbeTarget, StartedTarget  # noqa: PLC0415

    if kind is not StartedTarget or not isinstance(record, dict):
        raise TypeError(f"{kind.__name__} cannot be read from {type(record).__name__}")
    target: StartedTarget = msgspec.convert(record, CommandTarget if "command" in record else ProbeTarget)
    return target


def form_of(number: int, path: Path) -> int:
    """What kind of run was saved, as `model.migration` numbers them.

    Raises:
        UsageError: there is no such run.
    """
    return row_of(number, path)[0]


def load_parts(number: int, path: Path) -> tuple[bytes, Iterator[bytes]]:
    """The head and the rows of a saved load run, as `loadtest.saved` reads them.

    Raises:
        UsageError: there is no such run, or it is not a load.
    """
    form, head = row_of(number, path)
    if form != LOAD_FORM:
        raise UsageError(
            f"Run {number} is not a load: it has no rows of requests.",
            "It was made by probe, exec, attach, explain or study.",
            f"holdfast show {number} prints its verdict.",
        )
    return head, _parts(number, path, "load_rows")


class EventParts:
    """The parts of the events of a saved load, which are read each time that they are gone through."""

    __slots__ = ("_number", "_path")

    def __init__(self, number: int, path: Path) -> None:
        """Has read nothing."""
        self._number, self._path = number, path

    def __iter__(self) -> Iterator[bytes]:
        return _parts(self._number, self._path, "event_rows")


def _parts(number: int, path: Path, table: str) -> Iterator[bytes]:
    with reading(path) as database:
        if database is not None and table in tables_of(database):
            query = f"SELECT rows FROM {table} WHERE run = ? ORDER BY part"  # noqa: S608 - ours
            for (part,) in database.execute(query, (number,)):
                yield part


def kept_result(number: int, path: Path) -> dict[str, Any] | None:
    """What was concluded from a run when it was saved, as JSON; None where nothing was, or could be kept."""
    with reading(path) as database:
        if database is None or "kind" not in columns_of(database):
            return None
        row = database.execute("SELECT json FROM result WHERE run = ?", (number,)).fetchone()
    try:
        found = json.loads(row[0]) if row else None
    except (ValueError, TypeError):
        return None
    return found if isinstance(found, dict) else None


def unreadable(number: int, error: Exception) -> UsageError:
    """The error for a saved run whose record is damaged."""
    return UsageError(
        f"Run {number} cannot be read: its record is damaged.",
        str(error),
        "Make the run again; the others are not affected.",
    )


def no_such_run(number: int, path: Path) -> UsageError:
    """The error for a number that no saved run has."""
    return UsageError(
        f"There is no saved run {number}.", f"Looked in {path}.", "Run `holdfast runs` to list the saved runs."
    )


def row_of(number: int, path: Path) -> tuple[int, bytes]:
    """Form and record of a saved run.

    Raises:
        UsageError: there is no such run, nothing of it was saved, or a newer version saved it in a form that this one
            does not know.
    """
    row = None
    with reading(path) as database:
        if database is not None:
            by = "version" if "version" in columns_of(database) else "NULL"
            row = database.execute(f"SELECT format, timeline, {by} FROM run WHERE id = ?", (number,)).fetchone()  # noqa: S608
    if row is None:
        raise no_such_run(number, path)
    form, record, saved_by = row
    if not isinstance(form, int) or form < min(FORMS) or not isinstance(record, bytes):
        raise unreadable(number, ValueError("its row in the table of runs has values of the wrong kinds"))
    if form not in FORMS:
        raise UsageError(
            f"Run {number} was saved by a newer version of holdfast{f', {saved_by}' if saved_by else ''}.",
            f"Its record has form {form}; this version, {__version__}, reads forms up to {max(FORMS)}.",
            f"Upgrade (pip install --upgrade {__distribution__}), or make the run again with this version.",
        )
    if form == CUT_SHORT_FORM:
        raise UsageError(
            f"Run {number} was cut short, and nothing of it could be saved.",
            "holdfast was killed, or the machine stopped, before the measurement was over.",
            "Make the run again.",
        )
    return form, record
