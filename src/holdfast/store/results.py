"""What was concluded from saved runs, kept beside their records in a transaction of its own.

A crash in what concludes loses nothing, since the record was saved before. A run without a result is listed and shown
as any other, and what cannot be kept is left out: `holdfast show` concludes again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from holdfast import __version__
from holdfast.errors import HoldfastError, InconclusiveError
from holdfast.runs_file import default_path
from holdfast.store.database import writing

if TYPE_CHECKING:
    # Each kind of run brings its own.
    from holdfast.model.capacity import Capacity
    from holdfast.model.explanation import Explanation
    from holdfast.model.load import LoadResult
    from holdfast.model.study import StudyResult
    from holdfast.model.verdict import Verdict


def concluded(number: int | None, judge: Callable[[], Verdict]) -> Verdict:
    """The verdict on a saved run, which is kept, or why there is none.

    Args:
        number: of the saved run; None keeps nothing.
        judge: gives the verdict.

    Raises:
        InconclusiveError: it did.
    """
    try:
        verdict = _numbered(judge(), number)
    except InconclusiveError as error:
        _keep(number, "inconclusive", inconclusive=str(error))
        raise
    ceiling = verdict.ceiling
    _keep(number, "verdict", verdict, verdict.target.server, (ceiling.in_service, ceiling.bounded))
    return verdict


def _numbered(verdict: Verdict, number: int | None) -> Verdict:
    from holdfast.model.verdict import of_run  # noqa: PLC0415 - what saves a load does without

    return verdict if number is None else of_run(verdict, number)


def keep_explanation(found: Explanation) -> None:
    """Keeps what a saved explanation comes to."""
    ceiling = found.verdict.ceiling
    _keep(found.run, "explanation", found, found.verdict.target.server, (ceiling.in_service, ceiling.bounded))


def keep_capacity(found: Capacity) -> None:
    """Keeps what a saved search comes to."""
    _keep(found.run, "capacity", found)


def keep_load(result: LoadResult) -> None:
    """Keeps what a saved load comes to."""
    _keep(result.run, "load", result)


def keep_study(result: StudyResult) -> None:
    """Keeps the table of a saved study."""
    _keep(result.run, "study", result)


def _keep(  # parameters: what a result has in the table
    number: int | None,
    kind: str,
    result: object = None,
    server: str | None = None,
    ceiling: tuple[int | None, bool | None] = (None, None),
    *,
    inconclusive: str | None = None,
) -> None:
    if number is None:
        return
    text = None if result is None else _json(result)
    row = (number, kind, __version__, time.time(), server, *ceiling, text, inconclusive)
    try:
        with writing(default_path()) as database:
            if database.execute("SELECT 1 FROM run WHERE id = ?", (number,)).fetchone():
                database.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    except HoldfastError:
        return  # the record is saved; a disk that has become full since then is told by the next run


def _json(result: object) -> str:
    from holdfast.model.plain_json import encoded  # noqa: PLC0415 - what is not saved does without

    return encoded(result).decode()
