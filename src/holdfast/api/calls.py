"""What `import holdfast` offers: `probe`, `attach`, `explain`, `capacity` and `load`, as the command line has them.

Each checks its arguments, measures in a process of its own (`elsewhere`), saves the run as the command line does, and
returns the frozen result of which `--json` is made. None of them prints anything or changes this process.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, Unpack

from holdfast.api.elsewhere import result_of

if TYPE_CHECKING:
    from holdfast.api.options import AttachOptions, CapacityOptions, ExplainOptions, LoadOptions, StartOptions
    from holdfast.model.capacity import Capacity
    from holdfast.model.explanation import Explanation
    from holdfast.model.load import LoadResult
    from holdfast.model.study import StudyResult
    from holdfast.model.verdict import Verdict

# Each call imports what it takes, and a program seldom needs all of them: together they take 0.14 s of CPU.

_Found = TypeVar("_Found")
RUNS_VARIABLE = "HOLDFAST_RUNS"
"""Names the file of saved runs (`store.default_path`)."""


def probe(app: str | None = None, *, time_limit: float | None = None, **options: Unpack[StartOptions]) -> Verdict:
    """Starts a server, measures it, and ends it: as `holdfast probe`, or with `command`, as `holdfast exec`.

    Args:
        app: `module:attr` or `file.py[:attr]`; None is the built-in application.
        time_limit: seconds after which it is given up; None lets it take as long as it takes.
        options: as in `StartOptions`.

    Raises:
        UsageError: what is asked cannot be carried out as written.
        EnvironmentFailure: the server did not start, or something is missing.
        InconclusiveError: it was measured without an answer.
    """
    from holdfast.api.asked import started_experiment
    from holdfast.api.measuring import probed

    save = options.pop("save", True)
    experiment = started_experiment(app, options, "holdfast.probe()")
    return _result(time_limit, save, probed, experiment).verdict


def attach(url: str, *, time_limit: float | None = None, **options: Unpack[AttachOptions]) -> Verdict:
    """Measures a server that is already running, from outside: as `holdfast attach`.

    Args:
        url: of something that waits, for 0.2 to 2 s.
        time_limit: as for `probe`.
        options: as in `AttachOptions`.

    Raises:
        UsageError: what is asked cannot be carried out as written.
        EnvironmentFailure: nothing can be measured there.
        InconclusiveError: it was measured without an answer.
    """
    from holdfast.api.asked import outside_experiment
    from holdfast.api.measuring import attached

    save = options.pop("save", True)
    return _result(time_limit, save, attached, outside_experiment(url, options)).verdict


def explain(
    app: str | None = None, *, time_limit: float | None = None, **options: Unpack[ExplainOptions]
) -> Explanation:
    """Finds out which setting decides, by changing it and probing again: as `holdfast explain`.

    Args:
        app, time_limit: as for `probe`.
        options: as in `ExplainOptions`.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: as `probe`, of the first probe.
    """
    from holdfast.api.asked_explanation import asked_explanation
    from holdfast.api.explaining import explained

    save = options.pop("save", True)
    experiment, asked = asked_explanation(app, options)
    return _result(time_limit, save, explained, experiment, asked)


def load(url: str, *, time_limit: float | None = None, **options: Unpack[LoadOptions]) -> LoadResult:
    """Sends paced load and reports the outcome of every request: as `holdfast load`.

    Args:
        url: what to request; {id} in it is the number of the request.
        time_limit: as for `probe`.
        options: as in `LoadOptions`.

    Raises:
        UsageError: what is asked cannot be carried out as written.
        EnvironmentFailure: the address cannot be connected to at all.
    """
    from holdfast.api.asked_load import asked_load
    from holdfast.api.loading import result_of_load

    save = options.pop("save", True)
    experiment, allowed_hosts, thresholds = asked_load(url, options)
    return _result(time_limit, save, result_of_load, experiment, allowed_hosts, thresholds)


def capacity(
    subject: str | None = None, *, time_limit: float | None = None, **options: Unpack[CapacityOptions]
) -> Capacity:
    """Finds the highest rate that a server holds, and what ends it: as `holdfast capacity`.

    Args:
        subject: the URL of a running server, or an application as `probe` takes it.
        time_limit: as for `probe`.
        options: as in `CapacityOptions`.

    Raises:
        UsageError: what is asked cannot be carried out as written.
        EnvironmentFailure: the server did not start, or nothing listens.
        InconclusiveError: single requests are not answered as they should be.
    """
    from holdfast.api.asked_search import asked_search
    from holdfast.api.searching import result_of_search

    save = options.pop("save", True)
    return _result(time_limit, save, result_of_search, asked_search(subject, options))


def to_json(result: Verdict | Explanation | Capacity | LoadResult | StudyResult) -> bytes:
    """What `--json` writes of a result: one JSON object, indented, in UTF-8."""
    from holdfast.report.json import json_of

    return json_of(result)


def to_text(result: Verdict | Explanation | Capacity | LoadResult, columns: int = 80) -> str:
    """What a terminal of so many columns shows of a result, without colours."""
    from holdfast.api.texts import text_of

    return text_of(result, columns)


def _result(
    time_limit: float | None,
    save: bool | str | PathLike[str],  # noqa: FBT001 - True, False or a file
    task: Callable[..., _Found],
    *asked: object,
) -> _Found:
    """What a task gives in a process of its own, which keeps the run where it is to be kept."""
    variables = {} if isinstance(save, bool) else {RUNS_VARIABLE: str(Path(save).absolute())}
    return result_of(task, *asked, save=bool(save), time_limit_s=time_limit, variables=variables)
