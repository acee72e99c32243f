"""What a load is to send, and when: groups of clients, the requests that each client sends, the values in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

DEFAULT_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a text that a value is put into.

    Attributes:
        name: of one of the group's values; or `id`, the number of the request, counted from 0 in its group.
    """

    name: str


Text = str | tuple[str | Slot, ...]
"""A text, or its parts in order where there are slots in it."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that rises with each iteration.

    An iteration is one pass through the steps; with n clients, client c's k-th has the index k * n + c, both
    counted from 0, so that each number comes once whoever is the faster.

    Attributes:
        last: after it comes `first` again; None goes on.
        digits: filled up with zeros to so many.
        per_client: each client counts its own iterations.
    """

    name: str
    first: int = 1
    step: int = 1
    last: int | None = None
    digits: int = 0
    per_client: bool = False


@dataclass(frozen=True, slots=True)
class ClientNumber:
    """The number of the client, the first one's being `first`."""

    name: str
    first: int = 1


@dataclass(frozen=True, slots=True)
class Chance:
    """A whole number from `first` to `last` by chance, another one in each request."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class DataRows:
    """Rows of a table; the iteration with index i has row i.

    Attributes:
        names: of the columns.
        rows: values, as many in each as there are names.
        again: begin anew after the last row; False ends the group's load there.
        origin: where they came from, in words.
        per_client: each client begins with the first row, and ends with the last unless it begins `again`.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    again: bool = True
    origin: str = ""
    per_client: bool = False


Values = Counter | ClientNumber | Chance | DataRows


@dataclass(frozen=True, slots=True)
class Check:
    """What the body of a reply must be like for the request to count as answered.

    Attributes:
        text: to be found in the body, or a regular expression; both are compared as bytes in UTF-8.
        pattern: `text` is a regular expression.
        whole: the whole body must be it, not a part.
        wanted: False: it must not be.
    """

    text: str
    pattern: bool = False
    whole: bool = False
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in seconds before a request: `constant_s`, and up to `random_s` more by chance, evenly."""

    constant_s: float = 0.0
    random_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a client.

    Attributes:
        label: its name in results.
        path: path and query.
        headers: further request fields, in order.
        body: None sends none.
        expected: statuses that count as an answer; None are all below 400.
        checks: of the body; all must hold.
        pause: before it.
    """

    label: str
    path: Text
    method: str = "GET"
    headers: tuple[tuple[str, Text], ...] = ()
    body: bytes | Text | None = None
    expected: frozenset[int] | None = None
    checks: tuple[Check, ...] = ()
    pause: Pause = Pause()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long is waited, in seconds; None waits for ever.

    Attributes:
        connect_s: for the connection, from when it is opened.
        first_byte_s: for the first byte of the reply, from when the request is sent.
        whole_s: for the end of the reply, from when the request is begun.
    """

    connect_s: float | None = None
    first_byte_s: float | None = None
    whole_s: float | None = DEFAULT_PATIENCE_S


@dataclass(frozen=True, slots=True)
class Spread:
    """Open model: so many arrivals, evenly over a time, the first at once."""

    requests: int
    over_s: float


@dataclass(frozen=True, slots=True)
class Stages:
    """Open model: rates one after the other: (arrivals per second, seconds) each.

    Attributes:
        poisson: arrivals by chance, at these rates.
        requests: no more than so many.
    """

    stages: tuple[tuple[float, float], ...]
    poisson: bool = False
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Rise:
    """Open model: a rate that changes evenly."""

    from_per_s: float
    to_per_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a schedule: a rate that changes evenly; equal ends are a constant one, and 0 is a pause.

    Attributes:
        by_chance: the arrivals are thrown into the time by chance, as many as otherwise.
    """

    from_per_s: float
    to_per_s: float
    for_s: float
    by_chance: bool = False


@dataclass(frozen=True, slots=True)
class Phases:
    """Open model: parts one after the other, in each as many whole arrivals as its rate comes to."""

    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Burst:
    """Open model: all at once."""

    requests: int


@dataclass(frozen=True, slots=True)
class Clients:
    """Closed model: each client sends its next request when its last is answered.

    Attributes:
        requests: of all clients together; None lets the rest decide.
        for_s: no request is begun after so long; None lets the rest decide.
        iterations: passes through the steps that each client makes; None lets the rest decide.
        ramp_s: client c of n begins c * ramp_s / n after the start.
        delay_s: before the first.
    """

    clients: int
    requests: int | None = None
    for_s: float | None = None
    iterations: int | None = None
    ramp_s: float = 0.0
    delay_s: float = 0.0


Shape = Spread | Stages | Rise | Phases | Burst | Clients
"""When clients come. In the open model an arrival is a client of its own that passes through the steps once."""


@dataclass(frozen=True, slots=True)
class Group:
    """Clients that do the same.

    Attributes:
        url: scheme, host and port of the server, or its Unix socket.
        steps: what each client sends, in order; at least one.
        shape: when clients come.
        keep_alive: a client keeps its connection from one request to the next, and in the open model with one step
            an arrival takes one that was kept; False opens one for each request.
        on_failure: what a client does after a request that was not answered.
    """

    name: str
    url: str
    steps: tuple[Step, ...]
    shape: Shape
    values: tuple[Values, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    keep_alive: bool = True
    on_failure: Literal["continue", "next iteration", "leave"] = "continue"
