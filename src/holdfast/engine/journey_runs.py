"""Carries out the clients of journeys in a load process, and reports on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from holdfast.engine.columns import Columns, Tally
from holdfast.engine.journey_plan import Travel
from holdfast.engine.local_limits import remedy
from holdfast.engine.parts import Part
from holdfast.engine.plan import Stop
from holdfast.engine.reports import WorkerReport
from holdfast.engine.travelling import Travelling
from holdfast.model.load import StopRule
from holdfast.model.units import NS_PER_S


def run_journeys(  # parameters: what to do, where to record it, and when to end
    travel: Travel,
    columns: Columns,
    part: Part,
    sources: Sequence[str],
    start_ns: int,
    stopped: Callable[[], Stop],
    rule: StopRule,
    tally: Tally,
    number: int,
) -> WorkerReport:
    """Carries out a share of the journeys, in the process that calls it.

    Args:
        columns: of the plan.
        part: its rows; its clients are dealt as these are.
        sources: our own addresses; none leaves the choice to the kernel.
        start_ns: CLOCK_MONOTONIC of the start.
        stopped, rule: as of `load_runs`.
        tally, number: where to write how far it is.
    """
    rows, own = part.rows, travel.own
    travelling = Travelling(travel, columns, rows, sources, start_ns, rule)
    own.note_in(tally.own_since[number : number + 1])
    exchanges = travelling.exchanges
    if rows.step > 1:
        travel.begin(start_ns)
    try:
        stalls = travelling.run(stopped, tally, number)
        lasted_ns = time.monotonic_ns() - start_ns
        connections = [*exchanges.origins.all()]
        malformed = (each.replies[0].malformed for each in connections)
        clients = max((len(crew.stays) for crew in travel.journeys.crews), default=0)
        failed = dict.fromkeys(each.failure for each in connections if each.failure)
        failures = [_in_words(each, clients, rows.step, alone=bool(travel.shared)) for each in failed]
        failures += [*travelling.faults_in_words(), own.falls_short(lasted_ns) or ""]
        doubts = [*travel.doubts(lasted_ns), *own.doubts(lasted_ns)]
        return WorkerReport(
            begun=exchanges.begun,
            reached=exchanges.reach,
            failure=" ".join(failures).strip() or None,
            malformed=next((each for each in malformed if each), None),
            excess=sum(each.replies[0].excess for each in connections),
            cut=exchanges.cut,
            redirects=travelling.following.redirects,
            notes=[*travelling.following.notes(), *doubts],
            location=next((each.replies[0].location for each in connections if each.replies[0].location), ""),
            sources=exchanges.sources,
            nothing_listens=travelling.nothing_listens(),
            peak=exchanges.peak,
            busy=1 - exchanges.origins.idle_ns / max(1, lasted_ns),
            lasted_s=lasted_ns / NS_PER_S,
            longest_stall_s=stalls.longest_ns / NS_PER_S,
            stalled_s=stalls.total_ns / NS_PER_S,
        )
    finally:
        exchanges.origins.close()


def _in_words(failure: tuple[int, str], clients: int, shares: int, *, alone: bool) -> str:
    """What our own side lacked, and what provides it.

    Args:
        alone: one process has all clients, so that several would not help.
    """
    number, words = failure
    said = f"{words[0].upper()}{words[1:]}. {remedy(number, clients, -(-clients // shares))}"
    return f"{(said.partition(', or give --processes')[0] if alone else said).rstrip(' .')}."
