"""What a command line of `holdfast load` asks for, as typed records; pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.engine.quantities import Threshold
from holdfast.model.frozen import frozen
from holdfast.model.load import StopRule
from holdfast.model.scenario import Check, Pause, Timeouts

if TYPE_CHECKING:
    from holdfast.model.answers import Extract  # few loads take anything from an answer

DEFAULT_TIMEOUTS = Timeouts()


@frozen
class ShapeArguments:
    """When requests are sent; None or False: the option was not given.

    Attributes:
        rate: requests per second.
        ramp: requests per second at both ends, and the seconds between.
        stages: (requests per second, seconds) each.
        think: a client's pause before each request.
    """

    requests: int | None = None
    over_s: float | None = None
    rate: float | None = None
    for_s: float | None = None
    ramp: tuple[float, float, float] | None = None
    stages: tuple[tuple[float, float], ...] | None = None
    burst: int | None = None
    clients: int | None = None
    poisson: bool = False
    think: Pause | None = None


SHAPE_NAMES = ("requests", "over_s", "rate", "ramp", "stages", "burst", "clients", "poisson")
"""The options that alone, or together with --for, are a shape."""


@frozen
class RequestArguments:
    """What each request is.

    Attributes:
        method: None is GET, or POST with a body.
        data: the body, or @ and the name of its file; None sends none.
        data_rows: CSV file of values.
        once: the load ends with the last of the rows.
    """

    method: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    data: str | None = None
    data_rows: Path | None = None
    once: bool = False


@frozen
class MemoryArguments:
    """What clients remember from one request to the next.

    Attributes:
        first: requests that each client sends once, before any other.
        then: further requests of each pass, after that of URL.
        extracts: values taken from answers.
        cookies: each client keeps those that it is given.
        follow: so many redirects at most.
        hooks: `FILE.py:function` of functions that are called with each answer.
    """

    first: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    extracts: tuple[Extract, ...] = ()
    cookies: bool = False
    follow: int = 0
    hooks: tuple[str, ...] = ()


def has_memory(memory: MemoryArguments) -> bool:
    """Whether clients do more than send one request again and again."""
    return memory != MemoryArguments()


@frozen
class CheckArguments:
    """What counts as an answer.

    Attributes:
        statuses: () accepts all below 400.
        texts, patterns: that the body must contain.
    """

    statuses: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @property
    def expected(self) -> frozenset[int] | None:
        """The statuses that count; None accepts all below 400."""
        return frozenset(self.statuses) or None

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the body of an answer must be like."""
        texts = tuple(Check(text) for text in self.texts)
        return texts + tuple(Check(text, pattern=True) for text in self.patterns)


@frozen
class ConnectionArguments:
    """How connections are made.

    Attributes:
        keep_alive: None depends on the shape.
        events: replies are streams of events.
        http2: requests are sent over HTTP/2.
        streams: most at once on a connection; None leaves it to holdfast.
        sources: our own addresses; () leaves them to holdfast.
        verify: False accepts any certificate.
        allowed_hosts: hosts that may be loaded although they are not loopback.
    """

    keep_alive: bool | None = None
    sources: tuple[str, ...] = ()
    verify: bool = True
    allowed_hosts: tuple[str, ...] = ()
    events: bool = False
    http2: bool = False
    streams: int | None = None


@frozen
class PlanArguments:
    """Which file says what to send.

    Attributes:
        properties: of the JMeter plan.
        maps: which servers of the file are loaded, and where instead, as they were written.
        pauses: the recorded pauses are kept, this many times as long; None keeps none.
    """

    jmx: Path | None = None
    har: Path | None = None
    properties: tuple[tuple[str, str], ...] = ()
    maps: tuple[str, ...] = ()
    pauses: float | None = None


@frozen
class RunArguments:
    """How the load is carried out and judged.

    Attributes:
        processes: load processes; None takes as many as descriptors require.
        stop: when the load ends early; None leaves that to the plan.
        cluster: `local:N`, or a Dask scheduler; None sends from this host alone.
        prometheus: port of the metrics page, 0 for a free one; None serves none.
    """

    seed: int = 0
    processes: int | None = None
    stop: StopRule | None = None
    thresholds: tuple[Threshold, ...] = ()
    cluster: str | None = None
    quiet: bool = False
    prometheus: int | None = None


@frozen
class LoadArguments:
    """All that a command line asks for.

    Attributes:
        url: beside a file, the server that is loaded instead of the one in it; None leaves that to the file.
    """

    url: str | None = None
    plan: PlanArguments = PlanArguments()
    shape: ShapeArguments = ShapeArguments()
    request: RequestArguments = RequestArguments()
    memory: MemoryArguments = MemoryArguments()
    check: CheckArguments = CheckArguments()
    connection: ConnectionArguments = ConnectionArguments()
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    run: RunArguments = RunArguments()


def load_arguments(url: str | None, given: Mapping[str, Any]) -> LoadArguments:
    """The options as click has parsed them (`load_options`)."""
    return LoadArguments(
        url=url,
        plan=PlanArguments(
            given["jmx"], given["har"], tuple(given["properties"]), tuple(given["maps"]), given["pauses"]
        ),
        shape=ShapeArguments(**{name: given[name] for name in (*SHAPE_NAMES, "for_s", "think")}),
        request=RequestArguments(
            **{name: given[name] for name in ("method", "data", "data_rows", "once")}, headers=tuple(given["headers"])
        ),
        memory=MemoryArguments(
            tuple(given["first"]),
            tuple(given["then"]),
            tuple(given["extracts"]),
            given["cookies"],
            given["follow"] or 0,
            tuple(given["hooks"]),
        ),
        check=CheckArguments(*(tuple(given[name]) for name in ("expected", "body_texts", "body_patterns"))),
        connection=ConnectionArguments(
            given["keep_alive"],
            tuple(given["sources"]),
            not given["insecure"],
            tuple(given["allowed_hosts"]),
            given["events"],
            given["http2"],
            given["streams"],
        ),
        timeouts=Timeouts(given["connect_s"], given["first_byte_s"], given["timeout_s"]),
        run=RunArguments(
            **{name: given[name] for name in ("seed", "processes", "stop", "cluster", "quiet", "prometheus")},
            thresholds=tuple(given["thresholds"]),
        ),
    )
