"""A row of a study in short words, for a table in whatever form."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from holdfast.errors import EXIT_ENVIRONMENT
from holdfast.model.frozen import frozen
from holdfast.model.silent import SILENCES, Silence
from holdfast.model.study import Circumstances, Finding, Row, StudyResult
from holdfast.model.verdict import MACHINE_BUSY, OFFER_MORE, Verdict
from holdfast.report.silent import cell

_ERROR = re.compile(r"(?i:error)\b|Exception\b")

UNKNOWN = "?"
NONE = "-"
_BOTH_WAYS = "see note"


@frozen
class Column:
    """One column of what was measured.

    Attributes:
        head: its title; a line break where a narrow table may break it.
        means: what it says, for a reader who does not know the glossary.
    """

    head: str
    means: str
    cell: Callable[[Verdict], str]
    right: bool = False


def _at_once(verdict: Verdict) -> str:
    ceiling = verdict.ceiling
    if ceiling.in_service is None:
        return UNKNOWN
    return f"{ceiling.in_service}" if ceiling.bounded else f"{ceiling.in_service}+"


def _exact_load(verdict: Verdict) -> str:
    least_most = verdict.ceiling.at_exact_load
    if least_most is None:
        return UNKNOWN if verdict.ceiling.bounded else NONE
    return "-".join(map(str, sorted(set(least_most))))


def _kind(verdict: Verdict) -> str:
    return verdict.model.kind or UNKNOWN


def _units(verdict: Verdict) -> str:
    model = verdict.model
    if model.processes is None or model.threads_per_process is None:
        return UNKNOWN
    return f"{model.processes} x {model.threads_per_process}"


def _own_queue(verdict: Verdict) -> str:
    ceiling = verdict.ceiling
    if not ceiling.bounded:
        return NONE
    return f"{verdict.places.userspace_queue}{'+' if ceiling.userspace_queue_bounded is False else ''}"


def _accept_queue(verdict: Verdict) -> str:
    ceiling = verdict.ceiling
    if ceiling.accept_queue is not None:
        return f"{ceiling.accept_queue} full"
    limit = UNKNOWN if ceiling.accept_queue_limit is None else ceiling.accept_queue_limit
    return f"{verdict.places.accept_queue} of {limit}"


def _one_more(verdict: Verdict) -> str:
    return verdict.overflow.client_sees or NONE


def _reused(verdict: Verdict) -> str:
    model = verdict.model
    return f"{_yes_no(model.threads_reused)}/{_yes_no(model.processes_reused)}"


def _queues(verdict: Verdict) -> str:
    return {"shared": "one", "per-worker": "each"}.get(verdict.model.listen_queues or "", UNKNOWN)


def _run_anyway(verdict: Verdict) -> str:
    abandoned = verdict.abandoned
    if abandoned.left is None:
        return NONE
    return f"{UNKNOWN if abandoned.run_anyway is None else abandoned.run_anyway}/{abandoned.left}"


def _client_gone(verdict: Verdict) -> str:
    gone = verdict.abandoned.in_service
    ways = {"FIN": gone.fin, "RST": gone.rst}
    fates = {how: fate.partition(",")[0] for how, fate in ways.items() if fate is not None}
    if not fates:
        return UNKNOWN
    if len(fates) < len(ways):
        return ", ".join(f"{fate} ({how})" for how, fate in fates.items())
    return fates["FIN"] if fates["FIN"] == fates["RST"] else _BOTH_WAYS


def _yes_no(value: bool | None) -> str:  # noqa: FBT001 - a value of three, not a switch
    return UNKNOWN if value is None else ("yes" if value else "no")


COLUMNS: tuple[Column, ...] = (
    Column("at\nonce", "requests in service at once; `500+`: at least 500, no bound reached", _at_once, right=True),
    Column(
        "exact\nload",
        "requests in service when exactly that many are offered at once: least and most of several tries",
        _exact_load,
        right=True,
    ),
    Column("handlers run on", "the process model", _kind),
    Column("procs x\nthreads", "processes with a request in service, and threads that ran handlers in each", _units),
    Column(
        "own\nqueue",
        "requests that the server had accepted but not started; `+`: its end was not reached",
        _own_queue,
        right=True,
    ),
    Column(
        "accept\nqueue",
        "connections not yet accepted: `17 full`, or how many there were and the backlog in force (of each listen "
        "queue)",
        _accept_queue,
        right=True,
    ),
    Column(
        "one more\ngets",
        "what the next request gets when all of that is full; `waits`: the end was not reached",
        _one_more,
    ),
    Column("reused\nthr/proc", "whether threads and processes are reused", _reused),
    Column("listen\nqueue", "`one` for all workers, or one for `each`", _queues),
    Column("ran/\nleft", "of the clients that left while queued, how many were still handled", _run_anyway),
    Column(
        "client\ngone",
        "what becomes of a running handler when its client leaves; `place freed`: it runs on, and another request "
        "is let in; "
        "`(FIN)`: only that way of leaving is known, or the only one there is (Unix sockets)",
        _client_gone,
    ),
)


SILENT_HEADS: dict[Silence, str] = {
    "nothing": "clients that send nothing",
    "half a request": "half a request",
    "idle": "idle after an answer",
    "unread": "reply not read",
}


def silences_of(result: StudyResult) -> tuple[Silence, ...]:
    """The silences that were tried in some row, in their order; none where that was not asked for."""
    tried = {found.silence for row in result.rows if row.silent is not None for found in row.silent.silences}
    return tuple(each for each in SILENCES if each in tried)


def silent_cell(row: Row, silence: Silence) -> str:
    """What clients of this kind do to the row's server."""
    found = () if row.silent is None else row.silent.silences
    return next((cell(each) for each in found if each.silence == silence), UNKNOWN)


def name_of(row: Row) -> str:
    """Server and version."""
    return f"{row.server} {row.version}" if row.version else row.server


def settings_of(row: Row) -> str:
    """Its arguments, as they are typed."""
    return shlex.join(row.arguments)


def application_of(row: Row) -> str:
    """What it served: framework and view, or the person's own application."""
    return " ".join(part for part in (row.application, row.view) if part)


def label_of(row: Row) -> str:
    """What the study calls it, as `--only` takes it; "" where that is nothing but its server and arguments."""
    return "" if row.id == row.title else row.id


def why_not(row: Row) -> str:
    """Why there is no verdict, and what to do about it, on one line and without the paths of this machine."""
    match row.outcome:
        case "interrupted":
            return row.skipped
        case "not installed":
            # A study that an earlier version saved has the whole command alone.
            install = row.install or row.remedy
            return f"skipped: {row.skipped}{f' ({install})' if install else ''}"
        case "failed" if row.exit_code == EXIT_ENVIRONMENT:
            return f"{row.outcome}: {row.skipped} {_gist(row.why)}".rstrip()
        case _:
            return " ".join(f"{row.outcome}: {row.skipped} {row.why} {row.remedy}".split())


def remarks(row: Row) -> list[str]:
    """Everything to say besides the figures, most important first."""
    warnings = row.verdict.warnings if row.verdict is not None else ()
    # That no bound was met is in the figure itself; that the machine was busy is said once for all rows.
    others = [each for each in warnings if not each.endswith((OFFER_MORE, MACHINE_BUSY))]
    said = [*unmet(row.findings), *_both_ways(row.verdict), *others, *([row.silent_why] if row.silent_why else [])]
    return [*said, row.note] if row.note else said


def _both_ways(verdict: Verdict | None) -> Iterator[str]:
    if verdict is not None and _client_gone(verdict) == _BOTH_WAYS:
        gone = verdict.abandoned.in_service
        yield f"A running handler whose client leaves: by FIN {gone.fin}, by RST {gone.rst}."


def _gist(words: str) -> str:
    """Of what a server said, the line that names an error: first or last, the rest is how it came there."""
    lines = [line for line in (each.lstrip("| ").rstrip(" :") for each in words.splitlines()) if line]
    return next((line for line in lines if _ERROR.search(line)), lines[-1] if lines else "")


def unmet(findings: Sequence[Finding]) -> list[str]:
    """A sentence for each expectation that does not hold, or found no answer."""
    said = []
    for each in findings:
        if each.same is False:
            said.append(f"expected {_expected(each)}, measured {each.here}")
        elif each.same is None:
            said.append(f"expected {_expected(each)}, not measured{each.why_not and ': '}{each.why_not}")
    return said


def made_on(made: Circumstances) -> str:
    """When and on what machine, as part of a sentence."""
    plural = "core" if made.cores == 1 else "cores"
    return f"{made.date}, holdfast {made.holdfast}, {made.kernel}, {made.cores} {plural}, somaxconn {made.somaxconn}"


def sum_up(result: StudyResult) -> str:
    """How many rows there are, how many of them have no verdict and why, and how busy the machine was."""
    rows = result.rows
    counts = Counter(row.outcome for row in rows if row.outcome != "measured")
    said = f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} in {result.seconds:.0f} s"
    said += "".join(f", {count} {outcome}" for outcome, count in counts.items())
    busy = sum(any(each.endswith(MACHINE_BUSY) for each in row.verdict.warnings) for row in rows if row.verdict)
    return f"{said}. {f'In {busy} of them {MACHINE_BUSY}' if busy else ''}".rstrip()


def _expected(finding: Finding) -> str:
    """An expression says by itself what is claimed."""
    return f"{finding.what} {finding.claimed}".rstrip()
