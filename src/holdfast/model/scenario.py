"""What a load sends: groups of clients, the requests that each client sends, and the values in them."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from holdfast.model.frozen import frozen
from holdfast.model.shapes import Shape

DEFAULT_TIMEOUT_S = 60.0


@frozen
class Slot:
    """A place in a text where a value is filled in.

    Attributes:
        name: of one of the group's values; or `id`, the number of the request, counted from 0 in its group.
    """

    name: str


Pieces = tuple[str | Slot, ...]
"""A text with slots, in order."""

Text = str | Pieces


@frozen
class Counter:
    """A number that rises with each iteration.

    An iteration is one pass through the steps. With n clients, client c's iteration k has the index k * n + c, both
    counted from 0, so each number occurs once, however fast each client is.

    Attributes:
        last: after it, the counter begins again at `first`; None never begins again.
        digits: zero-padded to this width.
        per_client: each client counts its own iterations.
    """

    name: str
    first: int = 1
    step: int = 1
    last: int | None = None
    digits: int = 0
    per_client: bool = False


@frozen
class ClientNumber:
    """The number of the client; the first client has `first`."""

    name: str
    first: int = 1


@frozen
class Chance:
    """A random whole number from `first` to `last`, drawn anew for each request."""

    name: str
    first: int
    last: int


@frozen
class DataRows:
    """Rows of a table; the iteration with index i uses row i.

    Attributes:
        names: of the columns.
        rows: one value per name in each.
        again: begin again after the last row; False ends the group's load there.
        origin: where the rows came from, in words.
        per_client: each client begins with the first row, and ends with the last unless it begins `again`.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    again: bool = True
    origin: str = ""
    per_client: bool = False


Values = Counter | ClientNumber | Chance | DataRows


@frozen
class Check:
    """What the body of a reply must be like for the request to count as answered.

    Attributes:
        text: to be found in the body, or a regular expression; both are compared as bytes in UTF-8.
        pattern: `text` is a regular expression.
        whole: it must match the whole body, not a part.
        wanted: False: it must not match.
    """

    text: str
    pattern: bool = False
    whole: bool = False
    wanted: bool = True


@frozen
class Pause:
    """A time in seconds before a request: `constant_s`, and up to `random_s` more, uniformly distributed."""

    constant_s: float = 0.0
    random_s: float = 0.0


@frozen
class Step:
    """One request of a client.

    Attributes:
        label: its name in results.
        path: path and query.
        headers: further request fields, in order.
        body: None sends none.
        expected: statuses that count as an answer; None accepts all below 400.
        checks: of the body; all must hold.
        pause: before it.
    """

    label: str
    path: Text
    method: str = "GET"
    headers: tuple[tuple[str, Text], ...] = ()
    body: bytes | Pieces | None = None
    expected: frozenset[int] | None = None
    checks: tuple[Check, ...] = ()
    pause: Pause = Pause()


@frozen
class Timeouts:
    """How long to wait, in seconds; None waits for ever.

    Attributes:
        connect_s: for the connection, from when it is opened.
        first_byte_s: for the first byte of the reply, from when the request is sent.
        whole_s: for the end of the reply, from when the request is begun.
    """

    connect_s: float | None = None
    first_byte_s: float | None = None
    whole_s: float | None = DEFAULT_TIMEOUT_S


@frozen
class Group:
    """Clients that do the same.

    Attributes:
        url: scheme, host and port of the server, or its Unix socket.
        steps: what each client sends, in order; at least one.
        shape: when clients come.
        keep_alive: a client keeps its connection from one request to the next, and in the open model with one step
            an arrival takes one that was kept; False opens one for each request.
        on_failure: what a client does after a request that was not answered.
        events: replies are streams of events, each of which has a row.
        streams: requests are sent over HTTP/2, so many at once on a connection, which in the closed model each of the
            shape's clients has; None is HTTP/1.1.
    """

    name: str
    url: str
    steps: tuple[Step, ...]
    shape: Shape
    values: tuple[Values, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    keep_alive: bool = True
    on_failure: Literal["continue", "next iteration", "leave"] = "continue"
    events: bool = False
    streams: int | None = None

    @property
    def at_once(self) -> int | None:
        """Requests in flight at once in the closed model, one for each client or stream of it; None in the open one."""
        clients = self.shape.clients
        return None if clients is None else clients * (self.streams or 1)
