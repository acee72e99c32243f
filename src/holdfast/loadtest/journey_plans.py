"""Journeys that a person asked for -> what the engine does."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.engine.collect import LoadRun
from holdfast.engine.columns import Columns
from holdfast.engine.journey_plan import JourneyShape, Travel, last_until_s
from holdfast.engine.particulars import Particulars
from holdfast.engine.plan import Plan
from holdfast.engine.shared_numbers import SharedNumbers
from holdfast.engine.stuck import NoneOfOwn
from holdfast.engine.target import Target
from holdfast.errors import EnvironmentFailure
from holdfast.loadtest.hooks import Hooks, hooks_of
from holdfast.loadtest.plans import target_at
from holdfast.loadtest.wall_clock import wall_clock_offset_ns
from holdfast.model.answers import HookExtract
from holdfast.model.journey import Crew, Journeys, Node
from holdfast.model.journey_request import Request
from holdfast.model.load import MOST_REQUESTS, LoadExperiment

if TYPE_CHECKING:
    from holdfast.journeys.steps import Walk

MOST_PER_S = 50_000
"""Requests of journeys that one process sends; no machine comes near it, since each is decided, sent and read there."""
_MORE_ROWS = 1_000_000
_FEWEST_ROWS = 100_000

Walks = Callable[[Crew, int], "Walk"]
"""Crew and number of a client, from 1 -> its walk."""


def requests_in(nodes: Iterable[Node]) -> Iterable[Request]:
    """Every request of these nodes, and of all within them, in the order in which they are written."""
    for node in nodes:
        if isinstance(node, Request):
            yield node
        else:
            yield from requests_in(getattr(node, "nodes", ()))


def known_origins(journeys: Journeys) -> tuple[str, ...]:
    """The servers that are known before a journey begins, each once; others come of values."""
    requests = (each for crew in journeys.crews for each in requests_in(crew.journey.nodes))
    texts = ("".join(part for part in each.origin if isinstance(part, str)) for each in requests if _is_fixed(each))
    return tuple(dict.fromkeys(texts))


def labels_of(journeys: Journeys) -> tuple[str, ...] | None:
    """The labels that rows of the journeys can have, each once; None where values make some of them."""
    found: dict[str, None] = {}
    for request in (each for crew in journeys.crews for each in requests_in(crew.journey.nodes)):
        if not all(isinstance(part, str) for part in request.label):
            return None
        label = "".join(map(str, request.label))
        own = [label, f"{label}, redirected"] if request.follow and request.hops_count else [label]
        found |= dict.fromkeys(own)
        if request.resources is not None:
            found |= dict.fromkeys(f"{each}, embedded" for each in own)
    return tuple(found)


def journey_plan(experiment: LoadExperiment, targets: Sequence[Target], walks: Walks | None = None) -> Plan:
    """The plan of an experiment's journeys.

    Args:
        targets: of the origins that are known, which are not looked up again.
        walks: None walks as the journeys say.

    Raises:
        EnvironmentFailure: there is not enough memory for their rows.
    """
    journeys = experiment.journeys
    assert journeys is not None
    shared = what_clients_share(journeys)
    known = dict(zip(known_origins(journeys), targets, strict=False))

    @functools.cache
    def looked_up(origin: str) -> Target:
        found = known.get(origin)
        return found or target_at(origin, experiment.allowed_hosts, verify=experiment.verify)

    known_rows = _particulars_for(journeys, experiment.processes or 1, one_writer=bool(shared))
    shape = JourneyShape(known_rows.capacity, sum(len(crew.stays) for crew in journeys.crews), last_until_s(journeys))
    hooks = hooks_of(hooks_in(journeys))
    walk, begin = _walks(journeys, experiment.seed, hooks)
    travel = Travel(
        journeys,
        walks or walk,
        looked_up,
        known_rows,
        shared,
        begin,
        lambda _lasted_ns: [*_kept_in_one(experiment, shared)],
        hooks if hooks.functions else NoneOfOwn(),
    )
    # Where to is decided for each request; of a plan, these two say so for all.
    processes = 1 if shared else experiment.processes
    return Plan("", 0, b"", shape, sources=experiment.sources, processes=processes, travel=travel)


def what_clients_share(journeys: Journeys) -> tuple[str, ...]:
    """What keeps the clients of journeys in one process, in words that follow "because"."""
    # A load that is fixed beforehand does without.
    from holdfast.journeys.sharing import shared_by_clients  # noqa: PLC0415

    return tuple(dict.fromkeys(shared_by_clients(journeys)))


def why_not_on_several_hosts(journeys: Journeys) -> str | None:
    """What keeps the clients of journeys on one host, in words that follow "because"; None: nothing."""
    from holdfast.journeys.sharing import keeps_numbers, shared_by_clients  # noqa: PLC0415 - as above

    for why in shared_by_clients(journeys, several_hosts=True):
        return why
    if any(not _is_fixed(request) for crew in journeys.crews for request in requests_in(crew.journey.nodes)):
        return "the server of a request is known only once it is sent, and may be another one for each host"
    numbers = [id(node) for crew in journeys.crews for node in keeps_numbers(crew.journey)]
    if len(set(numbers)) < len(numbers):
        return "a counter, a rate or random numbers apply in several places of it"
    return None


def _kept_in_one(experiment: LoadExperiment, shared: Sequence[str]) -> Iterator[str]:
    if shared and (experiment.processes or 1) > 1:
        yield f"One process had all clients, and not {experiment.processes}, because {shared[0]}."


def with_particulars(run: LoadRun, plan: Plan) -> LoadRun:
    """The run of journeys, with what else is known of its rows, of which there are as many as were given out."""
    assert plan.travel is not None
    facts = replace(run.facts, spans=(range(run.begun[-1] + 1 if run.begun else 0),))
    return replace(run, facts=facts, particulars=plan.travel.particulars)


def hooks_in(journeys: Journeys) -> Iterator[HookExtract]:
    """The functions of the person's own that journeys call, each as often as it is named."""
    for crew in journeys.crews:
        for request in requests_in(crew.journey.nodes):
            yield from (each for each in request.extracts if isinstance(each, HookExtract))


def _walks(journeys: Journeys, seed: int, hooks: Hooks) -> tuple[Walks, Callable[[int], None]]:
    """The walk of each client, and what is done at the start by each of several processes."""
    # A load that is fixed beforehand does without.
    from holdfast.engine.matching import in_time  # noqa: PLC0415
    from holdfast.journeys.client import Surroundings  # noqa: PLC0415
    from holdfast.journeys.walk import Shared, walk  # noqa: PLC0415

    name = socket.gethostname()
    surroundings = Surroundings(
        wall_clock_offset_ns(), dict(journeys.files), dict(os.environ), (name, _address_of(name)), journeys.plan
    )
    shared = Shared(journeys, seed, surroundings, in_time, hooks.call)
    numbers = SharedNumbers()

    def begin(start_ns: int) -> None:
        shared.across = numbers.changed
        shared.begin(start_ns)

    return lambda crew, number: walk(crew, number, shared), begin


def _address_of(name: str) -> str:
    try:
        return socket.gethostbyname(name)
    except OSError:  # a machine need not know its own name
        return "127.0.0.1"


def _particulars_for(journeys: Journeys, processes: int, *, one_writer: bool) -> Particulars:
    """Of as many rows as there can be requests, or as memory allows.

    Args:
        one_writer: one process has all clients.

    Raises:
        EnvironmentFailure: it does not allow for _FEWEST_ROWS.
    """
    seconds = last_until_s(journeys)
    most_per_s = MOST_PER_S * (1 if one_writer else processes)
    rows = MOST_REQUESTS if seconds is None else min(MOST_REQUESTS, _MORE_ROWS + round(most_per_s * seconds))
    while True:
        try:
            # The columns themselves come later, and the load process has outcomes of its own.
            room = Columns(rows), bytearray(rows)
            known = Particulars(rows, one_writer=one_writer)
        except (EnvironmentFailure, MemoryError):
            if rows <= _FEWEST_ROWS:
                raise
            rows //= 2
        else:
            del room
            return known


def _is_fixed(request: Request) -> bool:
    return bool(request.origin) and all(isinstance(part, str) for part in request.origin)
