"""What a person asked for -> what the engine does: the bytes of each request, and a plan for each group."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from holdfast.engine.acceptance import Acceptance
from holdfast.engine.plan import Plan
from holdfast.engine.shapes import Closed, EngineShape, Open
from holdfast.engine.target import Target, prefer_listening, target_of
from holdfast.engine.url import parse_url
from holdfast.engine.values import Numbering, request_bytes
from holdfast.model.load import MOST_REQUESTS, LoadExperiment
from holdfast.model.scenario import Chance, ClientNumber, DataRows, Group, Pause, Step, Values
from holdfast.model.shapes import Clients, OpenShape
from holdfast.model.units import NS_PER_S

if TYPE_CHECKING:
    from random import Random

    from holdfast.engine.sessions import Sessions

_MOST_PER_S = 400_000  # of closed-model rows; no machine of two cores comes near it
_MOST_PER_CLIENT_S = 5_000  # of one client that waits for each answer, over loopback

_HARM = "Loading a server that is not yours is an attack, and users of the server get slow replies or none."

_NO_PAUSE = Pause()


class _Draws:
    """Random numbers that can be drawn again, from a module that is imported with the first: most shapes draw none."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    @cached_property
    def _source(self) -> Random:
        from random import Random  # noqa: PLC0415

        return Random(self._seed)  # noqa: S311 - not a secret

    def random(self) -> float:
        """The next one, in [0, 1)."""
        return self._source.random()

    def expovariate(self, lambd: float) -> float:
        """The next one of an exponential distribution with this rate."""
        return self._source.expovariate(lambd)


def target_at(origin: str, allowed_hosts: Collection[str], *, verify: bool) -> Target:
    """The server that a URL, or the origin of one, means; a host that is not loopback must be allowed by name.

    Raises:
        UsageError, EnvironmentFailure: it cannot be loaded.
    """
    host = parse_url(origin).host
    return prefer_listening(target_of(origin, host if host in allowed_hosts else None, _HARM, verify=verify))


def requests_of(experiment: LoadExperiment) -> tuple[bytes | Callable[[int], bytes], ...]:
    """The requests of each group: their bytes, or number in the group -> bytes.

    Raises:
        ValueError: a request cannot be sent as it is written.
    """
    return tuple(_requests(experiment, group, parse_url(group.url).host_field) for group in experiment.groups)


def plans_of(experiment: LoadExperiment, targets: Sequence[Target]) -> tuple[Plan, ...]:
    """One plan for each group.

    Args:
        targets: of each group.

    Raises:
        ValueError: a request cannot be sent as it is written.
    """
    return tuple(_plan(experiment, group, target) for group, target in zip(experiment.groups, targets, strict=True))


def _requests(experiment: LoadExperiment, group: Group, host: str) -> bytes | Callable[[int], bytes]:
    steps = [_with_agent(step) for step in group.steps]
    # In the open model each arrival is a client of its own that comes once.
    arrivals = 1 if _single(group) else MOST_REQUESTS
    return request_bytes(steps, group.values, host, Numbering(len(steps), group.at_once or arrivals, experiment.seed))


def _plan(experiment: LoadExperiment, group: Group, target: Target) -> Plan:
    return Plan(
        address=target.addresses[0],
        port=target.url.port,
        request=_requests(experiment, group, target.url.host_field),
        shape=_engine_shape(group, experiment.seed, one_by_one=experiment.stop.first_failure),
        timeouts=group.timeouts,
        sources=experiment.sources or None,
        processes=experiment.processes,
        tls=target.tls,
        acceptances=tuple(Acceptance(step.expected, step.checks) for step in group.steps),
        keep_alive=group.keep_alive,
        events=group.events,
        streams=group.streams,
    )


def _with_agent(step: Step) -> Step:
    if any(name.lower() == "user-agent" for name, _ in step.headers):
        return step
    return replace(step, headers=(("User-Agent", "holdfast"), *step.headers))


def _engine_shape(group: Group, seed: int, *, one_by_one: bool) -> EngineShape:
    """The engine's shape: a simple model if clients have one step and nothing between their requests.

    Args:
        one_by_one: the outcome of a request is looked at before its client's next one is sent.
    """
    clients = group.at_once or 1
    # Where rows of data end that do not begin again.
    last_index = min(
        (
            len(each.rows) * (clients if each.per_client else 1)
            for each in group.values
            if isinstance(each, DataRows) and not each.again
        ),
        default=None,
    )
    # The two models need different things of a shape: an arrival time for each client, or clients that come back.
    if isinstance(group.shape, Clients):
        if not one_by_one and _single(group) and _any_connection(group, group.shape):
            return _closed(_of_streams(group, group.shape), last_index)
        return _sessions(group, _of_streams(group, group.shape), last_index, seed)
    return _open(group, group.shape, last_index, seed)


def _of_streams(group: Group, shape: Clients) -> Clients:
    """The same clients, counted as the engine does: each stream is one."""
    return shape if group.streams is None else replace(shape, clients=shape.clients * group.streams)


def _open(group: Group, shape: OpenShape, last_index: int | None, seed: int) -> Open | Sessions:
    try:
        due_ns = shape.due_ns(_Draws(seed))
    except OverflowError as error:
        raise ValueError("The last request would be due in more than 292 years, which clocks cannot count.") from error
    if last_index is not None:
        due_ns = due_ns[:last_index]
    if _single(group):
        return Open(due_ns)
    from holdfast.engine.sessions import Sessions  # noqa: PLC0415 - of clients with several steps or pauses alone

    return Sessions(due_ns, 1, _pauses(group), on_failure=group.on_failure, seed=seed)


def _single(group: Group) -> bool:
    """Whether clients have one request to send, without a pause."""
    return len(group.steps) == 1 and group.steps[0].pause == _NO_PAUSE


def _any_connection(group: Group, shape: Clients) -> bool:
    """Whether a row can go to whichever connection is free, so that no client has rows of its own."""
    return (
        not shape.ramp_s
        and not shape.delay_s
        and shape.iterations is None
        and group.on_failure == "continue"
        and not any(map(_belongs_to_a_client, group.values))
    )


def _closed(shape: Clients, last_index: int | None) -> Closed:
    most = shape.requests
    if most is None:
        most = min(MOST_REQUESTS, round(_MOST_PER_S * (shape.for_s or 0)) + shape.clients)
    return Closed(shape.clients, most if last_index is None else min(most, last_index), shape.for_s)


def _sessions(group: Group, shape: Clients, last_index: int | None, seed: int) -> Sessions:
    iterations = shape.iterations
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
    indices = min((each for each in (last_index, shape.requests) if each is not None), default=None)
    from holdfast.engine.sessions import Sessions  # noqa: PLC0415 - as above

    return Sessions(start_ns, iterations, _pauses(group), indices, shape.for_s, group.on_failure, seed)


def _belongs_to_a_client(values: Values) -> bool:
    if isinstance(values, ClientNumber):
        return True
    return not isinstance(values, Chance) and values.per_client


def _pauses(group: Group) -> tuple[Pause, ...]:
    return tuple(step.pause for step in group.steps)
