"""The wiring of one load run: what a person asked for -> schedule -> rows -> result."""

from __future__ import annotations

import random
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from holdfast.interrupts import Interrupts
from holdfast.load import schedule
from holdfast.load.acceptance import Acceptance
from holdfast.load.collect import LoadRun
from holdfast.load.plan import Closed, Open, Plan, Sessions, Stop
from holdfast.load.processes import Watched, load_runs
from holdfast.load.quantities import Threshold
from holdfast.load.target import Target
from holdfast.load.url import parse_url
from holdfast.load.values import Numbering, request_bytes
from holdfast.loadtest.result import label_of, result_of
from holdfast.model.load import (
    LoadExperiment,
    LoadResult,
)
from holdfast.model.scenario import (
    Burst,
    Chance,
    ClientNumber,
    Clients,
    DataRows,
    Group,
    Pause,
    Phases,
    Rise,
    Spread,
    Stages,
    Step,
    Values,
)
from holdfast.model.units import NS_PER_S

MOST_REQUESTS = 50_000_000
"""Each takes 60 bytes, of which a page is paid for when it is used."""

_MOST_PER_S = 400_000  # of closed-model rows; no machine of two cores comes near it
_MOST_PER_CLIENT_S = 5_000  # of one client that waits for each answer, over loopback

_NO_PAUSE = Pause()

Fleet = Callable[[LoadExperiment, Sequence[Target], Sequence[Plan], Callable[[], Stop]], LoadRun]
"""Carries out an experiment's plans on other hosts (`fleet.on`)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A load run that is over: its rows, and what they come to.

    Attributes:
        labels: the label of each step of each group.
        experiment: what was asked.
        remarks: what was to be said of the load before it began; they stand among the result's warnings.
    """

    run: LoadRun
    result: LoadResult
    labels: tuple[tuple[str, ...], ...]
    experiment: LoadExperiment
    remarks: tuple[str, ...] = ()

    def label(self, row: int) -> str:
        """Which request of the experiment a row is."""
        return label_of(self.run.spans, self.labels, row)


def load(
    experiment: LoadExperiment,
    targets: Sequence[Target],
    thresholds: Sequence[Threshold],
    interrupts: Interrupts,
    watch: Callable[[Watched], None] | None = None,
    fleet: Fleet | None = None,
) -> Loaded:
    """Carries out a load run.

    The first Ctrl-C lets what is on its way come to its end, the second gives it up; both leave a result.

    Args:
        targets: of each group.
        watch: as of `load_runs`.
        fleet: carries it out on other hosts, which `watch` does not see.

    Raises:
        ValueError: a request cannot be sent as it is written.
        EnvironmentFailure: an address cannot be connected to at all, or the fleet is not there.
    """

    def stopped() -> Stop:
        if interrupts.leaving:
            return Stop.AT_ONCE
        return Stop.DRAIN if interrupts.asked else Stop.NOT

    # Once, at the start: a step of the wall clock in the run moves nothing.
    offset_ns = wall_clock_offset_ns()
    plans = plans_of(experiment, targets)
    if fleet is None:
        run = load_runs(plans, stopped, rule=experiment.stop, watch=watch)
    else:
        run = fleet(experiment, targets, plans, stopped)
    return loaded(experiment, run, thresholds, offset_ns, interrupted=interrupts.asked or interrupts.leaving)


def loaded(
    experiment: LoadExperiment,
    run: LoadRun,
    thresholds: Sequence[Threshold],
    offset_ns: int | None = None,
    *,
    interrupted: bool = False,
) -> Loaded:
    """What a run that is over comes to.

    Args:
        offset_ns: what makes an instant of the run one since the epoch; None reads the clocks now.
        interrupted: somebody ended it before its time.
    """
    labels = tuple(tuple(step.label for step in group.steps) for group in experiment.groups)
    result = replace(
        result_of(experiment, run, labels, thresholds),
        wall_clock_offset_ns=wall_clock_offset_ns() if offset_ns is None else offset_ns,
        interrupted=interrupted,
    )
    return Loaded(run, result, labels, experiment)


def remarked(done: Loaded, *remarks: str) -> Loaded:
    """The same, with these words among its warnings."""
    result = replace(done.result, warnings=(*done.result.warnings, *remarks))
    return replace(done, result=result, remarks=(*done.remarks, *remarks))


def wall_clock_offset_ns() -> int:
    """What makes an instant of CLOCK_MONOTONIC one since the epoch, at this moment."""
    return time.time_ns() - time.monotonic_ns()


def requests_of(experiment: LoadExperiment) -> tuple[bytes | Callable[[int], bytes], ...]:
    """The requests of each group: their bytes, or number in the group -> bytes.

    Raises:
        ValueError: a request cannot be sent as it is written.
    """
    return tuple(_requests(experiment, group, parse_url(group.url).host_field) for group in experiment.groups)


def plans_of(experiment: LoadExperiment, targets: Sequence[Target]) -> tuple[Plan, ...]:
    """What the engine is to do, one plan for each group.

    Raises:
        ValueError: a request cannot be sent as it is written.
    """
    return tuple(_plan(experiment, group, target) for group, target in zip(experiment.groups, targets, strict=True))


def _requests(experiment: LoadExperiment, group: Group, host: str) -> bytes | Callable[[int], bytes]:
    steps = [_with_agent(step) for step in group.steps]
    # In the open model each arrival is a client of its own that comes once.
    once = 1 if _single(group) else MOST_REQUESTS
    clients = group.shape.clients if isinstance(group.shape, Clients) else once
    return request_bytes(steps, group.values, host, Numbering(len(steps), clients, experiment.seed))


def _plan(experiment: LoadExperiment, group: Group, target: Target) -> Plan:
    timeouts = group.timeouts
    return Plan(
        address=target.addresses[0],
        port=target.url.port,
        request=_requests(experiment, group, target.url.host_field),
        shape=_planned(group, experiment.seed, one_by_one=experiment.stop.first_failure),
        patience_s=timeouts.whole_s,
        connect_s=timeouts.connect_s,
        first_byte_s=timeouts.first_byte_s,
        sources=experiment.sources or None,
        processes=experiment.processes,
        tls=target.tls,
        acceptances=tuple(Acceptance(step.expected, step.checks) for step in group.steps),
        keep_alive=group.keep_alive,
    )


def _with_agent(step: Step) -> Step:
    if any(name.lower() == "user-agent" for name, _ in step.headers):
        return step
    return replace(step, headers=(("User-Agent", "holdfast"), *step.headers))


def _planned(group: Group, seed: int, *, one_by_one: bool) -> Open | Closed | Sessions:
    """The engine's shape: the plain models where clients have one step and nothing between their requests.

    Args:
        one_by_one: what became of a request is looked at before its client's next one is sent.
    """
    shape = group.shape
    clients = shape.clients if isinstance(shape, Clients) else 1
    last_index = min(
        (
            len(each.rows) * (clients if each.per_client else 1)
            for each in group.values
            if isinstance(each, DataRows) and not each.again
        ),
        default=None,
    )
    if isinstance(shape, Clients):
        return _clients(group, shape, last_index, seed, plain=not one_by_one)
    try:
        due_ns = _due_ns(shape, seed)
    except OverflowError as error:
        raise ValueError(
            "The last request would be due later than clocks can count: in more than 292 years."
        ) from error
    if last_index is not None:
        due_ns = due_ns[:last_index]
    if _single(group):
        return Open(due_ns)
    return Sessions(due_ns, 1, _pauses(group), on_failure=group.on_failure, seed=seed)


def _single(group: Group) -> bool:
    """Whether clients have one request to send, without a pause."""
    return len(group.steps) == 1 and group.steps[0].pause == _NO_PAUSE


def _clients(group: Group, shape: Clients, last_index: int | None, seed: int, *, plain: bool) -> Closed | Sessions:
    plain = (
        plain and not shape.ramp_s and not shape.delay_s and shape.iterations is None and group.on_failure == "continue"
    )
    # In the plain model a row goes to whichever connection is free, so that no client has rows of its own.
    plain = plain and group.on_failure == "continue" and not any(map(_of_a_client, group.values))
    if plain and _single(group):
        most = shape.requests
        if most is None:
            most = min(MOST_REQUESTS, round(_MOST_PER_S * (shape.for_s or 0)) + shape.clients)
        return Closed(shape.clients, most if last_index is None else min(most, last_index), shape.for_s)
    iterations = shape.iterations
    indices = [each for each in (last_index, shape.requests) if each is not None]
    if iterations is None:
        if shape.requests is not None:
            iterations = -(-shape.requests // shape.clients)
        else:
            fastest = round(_MOST_PER_CLIENT_S * (shape.for_s or 0)) // len(group.steps) + 1
            iterations = min(fastest, max(1, MOST_REQUESTS // (shape.clients * len(group.steps))))
    start_ns = array(
        "q",
        (round((shape.delay_s + client * shape.ramp_s / shape.clients) * NS_PER_S) for client in range(shape.clients)),
    )
    return Sessions(
        start_ns, iterations, _pauses(group), min(indices, default=None), shape.for_s, group.on_failure, seed
    )


def _of_a_client(values: Values) -> bool:
    if isinstance(values, ClientNumber):
        return True
    return not isinstance(values, Chance) and values.per_client


def _pauses(group: Group) -> tuple[Pause, ...]:
    return tuple(step.pause for step in group.steps)


def _due_ns(shape: Spread | Stages | Rise | Phases | Burst, seed: int) -> array[int]:
    if isinstance(shape, Spread):
        return schedule.spread(shape.requests, shape.over_s)
    if isinstance(shape, Rise):
        return schedule.linear(shape.from_per_s, shape.to_per_s, shape.for_s)
    if isinstance(shape, Burst):
        return schedule.burst(shape.requests)
    if isinstance(shape, Phases):
        lots = random.Random(seed)  # noqa: S311 - lots that can be drawn again, no secret
        return schedule.phases(shape.phases, iter(lots.random, None))
    due_ns = schedule.by_chance(shape.stages, _exponential(seed)) if shape.poisson else schedule.steps(shape.stages)
    return due_ns if shape.requests is None else due_ns[: shape.requests]


def _exponential(seed: int) -> Iterator[float]:
    lots = random.Random(seed)  # noqa: S311 - lots that can be drawn again, no secret
    while True:
        yield lots.expovariate(1.0)
