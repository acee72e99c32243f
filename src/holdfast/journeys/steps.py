"""What a walk through a journey and the engine say to each other: `told = yield step`.

A walk is a generator for each client. It knows neither sockets nor clocks: it says what to do, and is told what came
of it and what time it is.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from holdfast.model.answers import Answer
from holdfast.model.journey_request import Cache, Redirects, Resources
from holdfast.model.logins import Credentials
from holdfast.model.scenario import Timeouts


class Sending(NamedTuple):
    """One request, with every reference replaced.

    Attributes:
        label: its name in results.
        origin: scheme, host and port: `http://127.0.0.1:8000`.
        path: path and query, as they are sent.
        headers: in order; the engine adds Host, Content-Length and cookies.
        body: None sends none.
        expected, follow, hops_count, resources, keep_alive, timeouts, kept, cache, redirects: as of the model's
            `Request`; the patterns of `resources` have no references left.
        credentials: that may count for it, its redirects and resources.
        named: the origin for which these count, wherever it is sent; "" is `origin`.
        with_parts: its answer is told with its `parts`.
        number: of the request among those of the journey, so that results of one request with many labels are one.
        made: of a request that is the same each time, for every client: what the engine keeps of it. None: it is
            another one each time.
    """

    label: str
    method: str
    origin: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    expected: frozenset[int] | None
    follow: int
    hops_count: bool
    resources: Resources | None
    keep_alive: bool
    timeouts: Timeouts
    number: int
    kept: frozenset[str] = frozenset()
    cache: Cache | None = None
    credentials: tuple[Credentials, ...] = ()
    named: str = ""
    made: dict[str, Any] | None = None
    redirects: Redirects = "browser"
    with_parts: bool = False


class Judged(NamedTuple):
    """What the journey makes of the answer that it was told last, at once and before any other step.

    Attributes:
        answered: False where an assertion did not hold, or a value that has to be there was not found.
        why: in words, for results; "" where it is answered.
        ours: a pattern took too long, so whether it is answered is not known.
    """

    answered: bool
    why: str
    ours: bool = False


class Unsent(NamedTuple):
    """A request that could not be put together; it counts, as unsent.

    Attributes:
        why: in words.
    """

    label: str
    why: str
    number: int


class Waiting(NamedTuple):
    """A wait until then, CLOCK_MONOTONIC ns; one that has passed does not delay.

    Attributes:
        idle: the client waits for nothing: it goes round in a loop in which it finds nothing to do.
    """

    until_ns: int
    idle: bool = False


class NewVisitor(NamedTuple):
    """What the engine keeps for the client is forgotten.

    Attributes:
        cookies, connections: which of it.
        caches: the numbers of those that are emptied.
    """

    cookies: bool
    connections: bool
    caches: tuple[int, ...] = ()


class Grouped(NamedTuple):
    """Several requests that were a result together are over.

    Attributes:
        took_ns: from the begin of the first to the end of the last, with or without the pauses in between.
        answered: each of them was.
        requests, failed: how many there were, and those that were not answered.
        pauses_ns: what went by in between and is not in `took_ns`.
    """

    label: str
    took_ns: int
    answered: bool
    requests: int = 0
    failed: int = 0
    pauses_ns: int = 0


class EndLoad(NamedTuple):
    """The whole load is to end: once requests in flight have ended, or at once."""

    at_once: bool


Step = Sending | Judged | Unsent | Waiting | NewVisitor | Grouped | EndLoad


class Told(NamedTuple):
    """What the engine says after each step.

    Attributes:
        now_ns: CLOCK_MONOTONIC.
        answer: after `Sending`; None after every other step.
        ending: no further request may be begun: the load, or the client's stay, is over. The walk then returns.
    """

    now_ns: int
    answer: Answer | None = None
    ending: bool = False


Walk = Generator[Step, Told, None]
