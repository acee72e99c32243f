"""Why a server cannot be searched: nothing listens, or single requests are not answered as they should be."""

from __future__ import annotations

from holdfast.engine.collect import LoadRun
from holdfast.engine.status_advice import all_refused
from holdfast.errors import HoldfastError, InconclusiveError
from holdfast.model.places import Outcome
from holdfast.searching.offer import Bench

_FIRST_REDIRECT, _FIRST_ERROR = 300, 400


def check_singles(bench: Bench, singles: LoadRun) -> None:
    """Makes sure that single requests are answered.

    Raises:
        EnvironmentFailure: nothing listens.
        InconclusiveError: one was not answered, or by a redirect, or with a status that is not expected.
    """
    if bench.interrupts.heard or bench.interrupts.leaving:
        raise InconclusiveError("Stopped before anything was known.", "", "Nothing is left running.")
    if bench.ends():
        raise InconclusiveError(
            "The time was up before anything was known.",
            "Not even the few single requests that a search begins with were answered by then.",
            "Give a longer --at-most.",
        )
    outcomes = [Outcome(singles.columns.outcome[row]) for row in singles.begun]
    if outcomes and all(each is Outcome.REFUSED for each in outcomes):
        raise all_refused(bench.subject.target.url.host_and_port)
    statuses = {singles.columns.status[row] for row in singles.begun} - {0}
    redirects = [each for each in statuses if _FIRST_REDIRECT <= each < _FIRST_ERROR]
    if redirects and bench.sent.expected is None:
        raise _redirected(bench, redirects[0], singles.facts.location)
    bad = next((each for each in outcomes if each is not Outcome.ANSWERED), None)
    if bad is None:
        return
    path = bench.subject.target.url.path
    how = f"was not answered ({bad.label})"
    if statuses and bad is Outcome.REJECTED:
        how = f"was answered with {max(statuses)}"
    if bad is Outcome.UNANSWERED:
        how = f"was not answered within {bench.sent.timeouts.whole_s or 0:g} s"
    raise InconclusiveError(
        f"A single request for {path} {how}.",
        "A rate at which requests fail even alone says nothing of the server.",
        "Choose another path, send the headers that it needs (-H), or say which status you expect (--expect-status).",
    )


def _redirected(bench: Bench, status: int, location: str) -> HoldfastError:
    path = bench.subject.target.url.path
    to = f" to {location}" if location else ""
    return InconclusiveError(
        f"A single request for {path} was answered with {status}, a redirect{to}.",
        "Redirects are not followed, so the rate would be that of the redirect alone.",
        f"Search at the place it leads to, or give --expect-status {status} if the redirect is what you mean.",
    )
