"""Runs many experiments one after the other, and checks the claims about each."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from holdfast import __version__, store
from holdfast.errors import (
    EXIT_ANSWERED,
    EXIT_ENVIRONMENT,
    EXIT_EXPECTATION_FAILED,
    EXIT_INCONCLUSIVE,
    EXIT_INTERNAL,
    HoldfastError,
    InconclusiveError,
    UsageError,
)
from holdfast.explaining.run import Asked, explain
from holdfast.explaining.run import shown_again as explained_again
from holdfast.explaining.silent import Wanted, run_silent
from holdfast.explaining.trials import bench_for, since
from holdfast.infer.judge import judge
from holdfast.infer.silent import judge_silent
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import CommandTarget, Experiment, ProbeTarget, StartedTarget
from holdfast.model.live import Watch
from holdfast.model.live_study import LiveStudy
from holdfast.model.migration import EXPLANATION_FORM
from holdfast.model.saved import Asked as AskedRun
from holdfast.model.study import (
    Case,
    Circumstances,
    Finding,
    Outcome,
    Row,
    Study,
    StudyResult,
    check,
    record_of,
    row_of,
)
from holdfast.model.suggestions import did_you_mean
from holdfast.model.verdict import Verdict, of_run
from holdfast.observe.processes import read_somaxconn
from holdfast.probing.experiment import recorded
from holdfast.runs_file import marked
from holdfast.servers.interpreter import Answer
from holdfast.servers.registry import ADAPTERS, adapter_named, brought_adapters
from holdfast.servers.survey import Install, ask_all, needed
from holdfast.study import flask_concurrency, servers
from holdfast.study.in_progress import InProgress, is_explained

STUDIES: Mapping[str, Study] = {each.name: each for each in (flask_concurrency.STUDY, servers.STUDY)}
"""The bundled studies, by name."""

_SILENT = Wanted(silences=("nothing", "half a request"), longest_patience_s=35.0, watches_harmless=False, proves=False)


@dataclass(slots=True)
class _Bench:
    """What the cases of one study have in common.

    Attributes:
        silent: after each row, try silent clients too.
        asked: what each interpreter said, by `--python` and directory; asked once for all cases.
    """

    interrupts: Interrupts
    tell: Callable[[str], None]
    progress: InProgress
    silent: bool = False
    asked: dict[tuple[str | None, str], Mapping[str, Answer]] = field(default_factory=dict)


def only(study: Study, names: Collection[str]) -> Study:
    """The study with only the cases of these servers or ids, in its order.

    Raises:
        UsageError: a name is neither a server's nor a case's.
    """
    names_of = {case.id: _server_of(case.experiment.target) for case in study.cases}
    known = [*dict.fromkeys([*names_of.values(), *names_of])]
    for name in names:
        if name not in known:
            raise UsageError(
                f"The study {study.name} has no case {name!r}.",
                f"It has: {', '.join(sorted(known))}.",
                did_you_mean(name, known, "Name one of these cases or servers."),
            )
    wanted = set(names)
    cases = tuple(case for case in study.cases if {case.id, names_of[case.id]} & wanted)
    return replace(study, cases=cases)


def run_study(
    study: Study,
    python: str | None,
    interrupts: Interrupts,
    tell: Callable[[str], None],
    watch: Watch[LiveStudy] | None = None,
    *,
    silent: bool = False,
) -> StudyResult:
    """Runs the cases of a study in their order.

    A case that cannot be run gets a row that says why; the others still run.

    Args:
        python: the interpreter for all servers; None leaves it to the cases.
        tell: is given a line where something could not be done, and as each case begins where there are no views.
        watch: is offered views; None is offered none.
        silent: after each row, find out how many silent clients make its server's others wait.
    """
    with marked(AskedRun("study", "study", study.name)) as mark:
        result = _ran(study, python, _Bench(interrupts, tell, InProgress(study, tell, watch), silent))
        try:
            number = store.save_study(record_of(result), store.default_path(), mark)
        except HoldfastError as error:
            tell(str(error))
            return result
        result = replace(result, run=number)
        store.keep_study(result)
        return result


def _ran(study: Study, python: str | None, bench: _Bench) -> StudyResult:
    began = time.monotonic()
    made = _circumstances()
    rows: dict[str, Row] = {}
    for case in study.cases:
        if not bench.interrupts.asked:
            bench.progress.begin(case)
        rows[case.id] = _row(_with_python(case, python), bench, rows)
        bench.progress.end(case, rows[case.id])
    done = tuple(rows.values())
    if study.source:
        # A row that was not measured answers none of the source's claims, and none was expected by the person.
        done = tuple(row if row.verdict else replace(row, findings=()) for row in done)
    return StudyResult(study.name, done, since(began), study.source, made)


def shown_again(number: int) -> StudyResult:
    """A saved study, the verdict of each row drawn again from its run; of a run that was removed since, there is none.

    Raises:
        UsageError: it cannot be read.
    """
    path = store.default_path()
    record = store.load_study(number, path)
    rows = tuple(row_of(each, _verdict_again(each.run, path)) for each in record.rows)
    gone = tuple(
        replace(row, skipped=f"run {row.run}, which it was made from, was removed")
        if row.verdict is None and row.outcome == "measured"
        else row
        for row in rows
    )
    return StudyResult(record.name, gone, record.seconds, record.source, record.made, number)


def _verdict_again(number: int | None, path: Path) -> Verdict | None:
    if number is None:
        return None
    try:
        if store.form_of(number, path) == EXPLANATION_FORM:
            return explained_again(number).verdict
        return of_run(judge(store.load(number, path)), number)
    except HoldfastError:
        return None


def exit_code(result: StudyResult) -> int:
    """0 if there is an answer, 1 if a row contradicts what was expected of it.

    A server that is not installed does not fail a study. A row whose expectations could not be checked does, and so
    does a study of which no row was measured.
    """
    if any(row.outcome == "interrupted" for row in result.rows):
        return EXIT_INCONCLUSIVE
    if not result.source:
        if any(finding.same is False for row in result.rows for finding in row.findings):
            return EXIT_EXPECTATION_FAILED
        if unanswered := [row for row in result.rows if any(finding.same is None for finding in row.findings)]:
            return max(row.exit_code or EXIT_INCONCLUSIVE for row in unanswered)
    if not any(row.verdict for row in result.rows):
        return max((row.exit_code for row in result.rows), default=EXIT_ENVIRONMENT)
    return EXIT_ANSWERED


def _with_python(case: Case, python: str | None) -> Case:
    target = case.experiment.target
    if python is None or not isinstance(target, ProbeTarget):
        return case
    return replace(case, experiment=replace(case.experiment, target=replace(target, python=python)))


def _row(case: Case, bench: _Bench, rows: Mapping[str, Row]) -> Row:
    began = time.monotonic()
    if bench.interrupts.asked:
        return _unanswered(case, "interrupted", "interrupted", began)
    earlier = rows.get(case.same_run_as)
    if earlier is None:
        row = _run(case, bench, began)
    elif earlier.verdict is None:
        row = _unanswered(case, earlier.outcome, f"{earlier.id} was not run", began)
    else:
        row = _answered(case, earlier.verdict, began, earlier.run)
    # What was in place when it was interrupted must not be compared with what would have been.
    return _unanswered(case, "interrupted", "interrupted", began, row.version) if _asked(bench) else row


def _asked(bench: _Bench) -> bool:
    return bench.interrupts.asked


def _run(case: Case, bench: _Bench, began: float) -> Row:
    version = None
    try:
        version, install = _missing(case.experiment, bench)
        if install is not None:
            what = (
                "the server is not installed" if version is None else "a package that this case needs is not installed"
            )
            row = _unanswered(case, "not installed", what, began, version, install.here)
            return replace(row, install=install.anywhere)
        row = _answered(case, *_verdict(case, bench, began))
        return _with_silent(row, case, bench) if bench.silent and not _asked(bench) else row
    except HoldfastError as error:
        outcome: Outcome = "inconclusive" if isinstance(error, InconclusiveError) else "failed"
        row = _unanswered(case, outcome, error.what, began, version, error.remedy)
        return replace(row, why=error.why, exit_code=error.exit_code)
    except Exception as error:  # noqa: BLE001 - the other rows are not lost, and this one says so
        row = _unanswered(case, "inconclusive", "This is an error in holdfast.", began, version, "Please report it.")
        return replace(row, why=f"{type(error).__name__}: {error}", exit_code=EXIT_INTERNAL)


def _verdict(case: Case, bench: _Bench, began: float) -> tuple[Verdict, float, int | None]:
    """The verdict, when the case began, and the number of its saved run."""
    if is_explained(case):
        with bench_for(case.experiment, bench.interrupts, lambda _line: None, bench.progress.watch) as trials:
            found = explain(trials, Asked(up_to=0))
        return found.verdict, began, found.run
    with recorded(case.experiment, bench.interrupts, watch=bench.progress.watch) as timeline:
        number = store.save_or_tell(timeline, lambda error: bench.tell(str(error)))
        return store.concluded(number, partial(judge, timeline)), began, number


def _with_silent(row: Row, case: Case, bench: _Bench) -> Row:
    began = time.monotonic()
    try:
        silent = judge_silent(run_silent(case.experiment, bench.interrupts, wanted=_SILENT))
    except HoldfastError as error:
        return replace(row, silent_why=f"silent clients: {error.what} {error.why}".rstrip())
    return replace(row, silent=silent, seconds=round(row.seconds + since(began), 2))


def _missing(experiment: Experiment, bench: _Bench) -> tuple[str | None, Install | None]:
    """The server's version, None if missing; and what installs what is missing, None if nothing is."""
    target = experiment.target
    if not isinstance(target, ProbeTarget):
        return None, None
    adapter = adapter_named(target.server)
    key = target.python, experiment.cwd
    if key not in bench.asked:
        brought, _ = brought_adapters()
        bench.asked[key] = ask_all({**ADAPTERS, **brought}.values(), target.python, Path(experiment.cwd))
    framework = None if target.app else target.framework
    return needed(adapter, target.arguments, framework, bench.asked[key])


def _answered(case: Case, verdict: Verdict, began: float, number: int | None) -> Row:
    findings = tuple(check(claim, verdict) for claim in case.claims)
    return replace(
        _unanswered(case, "measured", "", began, verdict.target.version),
        findings=findings,
        verdict=verdict,
        exit_code=EXIT_ANSWERED,
        run=number,
    )


def _unanswered(
    case: Case, outcome: Outcome, skipped: str, began: float, version: str | None = None, remedy: str = ""
) -> Row:
    arguments, application = _served(case.experiment.target)
    return Row(
        id=case.id,
        title=case.title,
        server=_server_of(case.experiment.target),
        version=version,
        arguments=arguments,
        application=application,
        view=case.experiment.view,
        outcome=outcome,
        findings=tuple(Finding(claim.what, claim.claimed, None, None, "") for claim in case.claims),
        skipped=skipped,
        why="",
        remedy=remedy,
        exit_code=EXIT_INCONCLUSIVE if outcome in {"interrupted", "inconclusive"} else EXIT_ENVIRONMENT,
        seconds=since(began),
        note=case.note,
    )


def _server_of(target: StartedTarget) -> str:
    """An adapter's name; of a person's own command its program."""
    if isinstance(target, CommandTarget):
        return Path(target.command[0]).name
    assert isinstance(target, ProbeTarget)
    return target.server


def _served(target: StartedTarget) -> tuple[tuple[str, ...], str]:
    """The server's arguments, and the application: "" where the command says it."""
    if isinstance(target, CommandTarget):
        return target.command[1:], ""
    assert isinstance(target, ProbeTarget)
    return target.arguments, target.app or target.framework or "built-in"


def _circumstances() -> Circumstances:
    return Circumstances(
        date=time.strftime("%Y-%m-%d"),
        holdfast=__version__,
        kernel=f"{platform.system()} {platform.release()}",
        cores=len(os.sched_getaffinity(0)),
        somaxconn=read_somaxconn(),
    )
