"""A study: many probes, what is claimed or expected of each, and one table of what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Literal

from holdfast.model.experiment import Experiment
from holdfast.model.frozen import frozen
from holdfast.model.silent import Silent
from holdfast.model.verdict import Verdict

Outcome = Literal["measured", "not installed", "failed", "inconclusive", "interrupted"]
"""What became of a case: "failed" is a server that did not start, or an environment that did not let it."""


@frozen
class Claim:
    """One statement of a source and where to find its counterpart in a verdict.

    Attributes:
        what: the quantity.
        claimed: what the source says.
        here: the same from a verdict; None where the verdict does not know.
        differs: why it is not the same where it is not; may hold the measured figures.
        unknown: why the verdict does not know, where it does not.
        finding: of an expression: what the verdict has of its fields, whether it holds (None where it cannot be told),
            and why it cannot; None where the claim is that two texts are the same.
        about: of an expression: the full names of its fields.
    """

    what: str
    claimed: str
    here: Callable[[Verdict], str | None]
    differs: Callable[[Verdict], str] = lambda _verdict: ""
    unknown: Callable[[Verdict], str] = lambda _verdict: ""
    finding: Callable[[Verdict], tuple[str, bool | None, str]] | None = None
    about: tuple[str, ...] = ()


@frozen
class Case:
    """One row of a study.

    Attributes:
        claims: of the study's source, or a person's own expectations.
        same_run_as: id of an earlier case whose run answers this one too; "" for a run of its own.
        note: a remark for readers of the row; "" is none.
    """

    id: str
    title: str
    experiment: Experiment
    claims: tuple[Claim, ...] = ()
    same_run_as: str = ""
    note: str = ""


@frozen
class Study:
    """Cases in their order.

    Attributes:
        source: whose claims are compared, in one word; "" for a study that only tells what is here.
    """

    name: str
    cases: tuple[Case, ...]
    source: str = ""


@frozen
class Finding:
    """One claim and what was measured here; `same` is None where it was not measured.

    Attributes:
        what: the field, or what the study calls it.
        claimed: the value that was expected.
        here: the value that was measured.
        same: whether they agree.
        why_not: why they do not, where that is known.
    """

    what: str
    claimed: str
    here: str | None
    same: bool | None
    why_not: str


@frozen
class RowRecord:
    """A case after its run, as it is saved: without its verdict, which is drawn again from its run.

    Attributes:
        id: its name in the study.
        title: its server and arguments, or what the study calls it.
        server: an adapter's name; of a person's own command its program.
        version: of the server; None where it is not installed, or not known.
        arguments: the server's own, or the command's behind its program.
        application: framework of the built-in application, or the person's own one.
        view: as asked for; None is "as written".
        outcome: "measured" has a verdict, all others have none.
        findings: what was claimed of it.
        skipped: why there is no verdict, one sentence; "" where there is one.
        why: the cause as far as it is known, often the server's own words; may span lines.
        remedy: what to do about that; "" where nothing is to be done.
        install: the command of `remedy` that installs what is missing, without the path of this machine's interpreter;
            "" where nothing is missing.
        exit_code: of `probe` for this experiment alone.
        seconds: that it took, start and end of the server included.
        note: what to know of this row.
        silent: what silent clients do to it; None where they were not tried, or could not be.
        silent_why: why not; "" where they were not to be tried.
        run: number of the saved run; None where none was saved.
    """

    id: str
    title: str
    server: str
    version: str | None
    arguments: tuple[str, ...]
    application: str
    view: str | None
    outcome: Outcome
    findings: tuple[Finding, ...]
    skipped: str
    why: str
    remedy: str
    exit_code: int
    seconds: float
    note: str = ""
    silent: Silent | None = None
    silent_why: str = ""
    run: int | None = None
    install: str = ""


@frozen
class Row(RowRecord):
    """A case after its run.

    Attributes:
        verdict: None where there is none.
    """

    verdict: Verdict | None = None


@frozen
class Circumstances:
    """When and on what a study was made; nothing that says whose machine it was.

    Attributes:
        date: of its beginning, as 2026-01-31, in the machine's time zone.
        holdfast: its version.
        kernel: its name and release.
        cores: that it could use.
        somaxconn: the kernel's cap on every backlog; None where it cannot be read.
    """

    date: str
    holdfast: str
    kernel: str
    cores: int
    somaxconn: int | None


@frozen
class StudyResult:
    """The table of a study.

    Attributes:
        name: of the study.
        rows: one for each case.
        seconds: that it took.
        source: what its claims are from; "" without any.
        made: when and on what.
        schema: version of this form of the object.
        kind: tells it from other objects.
        run: number under which it was saved; None where it could not be.
    """

    name: str
    rows: tuple[Row, ...]
    seconds: float
    source: str
    made: Circumstances
    run: int | None = None
    schema: int = 1
    kind: str = "study"


@frozen
class StudyRecord:
    """A study as it is saved."""

    name: str
    rows: tuple[RowRecord, ...]
    seconds: float
    source: str
    made: Circumstances


def record_of(result: StudyResult) -> StudyRecord:
    """What is saved of a study."""
    rows = tuple(RowRecord(**{each.name: getattr(row, each.name) for each in fields(RowRecord)}) for row in result.rows)
    return StudyRecord(result.name, rows, result.seconds, result.source, result.made)


def row_of(record: RowRecord, verdict: Verdict | None) -> Row:
    """The row again, with its verdict."""
    return Row(verdict=verdict, **{each.name: getattr(record, each.name) for each in fields(RowRecord)})


def check(claim: Claim, verdict: Verdict) -> Finding:
    """The claim compared with the verdict's value."""
    if claim.finding is not None:
        shown, held, why = claim.finding(verdict)
        return Finding(claim.what, claim.claimed, None if held is None else shown, held, why)
    here = claim.here(verdict)
    if here is None:
        return Finding(claim.what, claim.claimed, None, None, claim.unknown(verdict))
    same = here == claim.claimed
    return Finding(claim.what, claim.claimed, here, same, "" if same else claim.differs(verdict))
