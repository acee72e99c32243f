"""A study: many probes, each with the claims that it checks, and one table of what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.model.experiment import Experiment
from holdfast.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of a source and where to find its counterpart in a verdict.

    Attributes:
        what: the quantity.
        claimed: what the source says.
        here: the same from a verdict; None where the verdict does not know.
        differs: why it is not the same where it is not; may hold the measured figures.
    """

    what: str
    claimed: str
    here: Callable[[Verdict], str | None]
    differs: Callable[[Verdict], str] = lambda _verdict: ""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of a study.

    Attributes:
        same_run_as: id of an earlier case whose run answers this one too; "" for a run of its own.
    """

    id: str
    title: str
    experiment: Experiment
    claims: tuple[Claim, ...]
    same_run_as: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim beside what was measured here; `same` is None where it was not measured."""

    what: str
    claimed: str
    here: str | None
    same: bool | None
    why_not: str


@dataclass(frozen=True, slots=True)
class Row:
    """A case after its run; `skipped` says why there was none, with no findings and no verdict then."""

    id: str
    title: str
    findings: tuple[Finding, ...]
    verdict: Verdict | None
    skipped: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StudyResult:
    name: str
    rows: tuple[Row, ...]
    seconds: float
    schema: int = 1
    kind: str = "study"


def check(claim: Claim, verdict: Verdict) -> Finding:
    """The claim beside the verdict's value."""
    here = claim.here(verdict)
    same = None if here is None else here == claim.claimed
    why_not = claim.differs(verdict) if same is False else ""
    return Finding(claim.what, claim.claimed, here, same, why_not)
