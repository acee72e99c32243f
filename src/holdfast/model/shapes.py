"""When clients come: the shapes of load that a person can ask for.

In the open model each arrival is a client of its own that passes through the steps once; in the closed model a fixed
number of clients come back. Each shape answers the same questions:

    clients     number of clients that come back; None in the open model
    passes      how often the steps are passed through in all, at most; None if time alone decides
    title       the shape in a few words
    due_ns()    of the open model: when each client comes, ns from the start, ascending
"""

from __future__ import annotations

import math
from array import array
from typing import ClassVar, Protocol

from holdfast.model import schedule
from holdfast.model.frozen import frozen
from holdfast.model.schedule import Segment

MOST_CLIENTS = 1_000_000
"""That come back, of one shape."""


class Draws(Protocol):
    """A source of random numbers, such as `random.Random`."""

    def random(self) -> float:
        """Returns a number in [0, 1)."""
        ...

    def expovariate(self, lambd: float, /) -> float:
        """Returns an exponentially distributed number with mean 1 / `lambd`."""
        ...


@frozen
class Spread:
    """Open model: a number of arrivals, evenly over a time, the first at once."""

    clients: ClassVar[None] = None

    requests: int
    over_s: float

    @property
    def passes(self) -> int:
        """See the module."""
        return self.requests

    @property
    def title(self) -> str:
        """See the module."""
        return f"{self.requests} over {self.over_s:g} s"

    def due_ns(self, _draws: Draws) -> array[int]:
        """See the module."""
        return schedule.spread(self.requests, self.over_s)


@frozen
class Stages:
    """Open model: constant rates, one after the other.

    Attributes:
        stages: (arrivals per second, seconds) each.
        poisson: random arrivals at these rates.
        requests: no more than this many; None sets no bound.
    """

    clients: ClassVar[None] = None

    stages: tuple[tuple[float, float], ...]
    poisson: bool = False
    requests: int | None = None

    @property
    def passes(self) -> int:
        """See the module."""
        expected = math.ceil(sum(rate * seconds for rate, seconds in self.stages))
        return expected if self.requests is None else min(expected, self.requests)

    @property
    def title(self) -> str:
        """See the module."""
        if self.requests is not None and self.passes == self.requests:
            # Their number ends it, and the time is only one within which they will have come.
            return f"{self.requests} at {', '.join(f'{rate:g}/s' for rate, _ in self.stages)}"
        return ", ".join(f"{rate:g}/s for {seconds:.3g} s" for rate, seconds in self.stages)

    def due_ns(self, draws: Draws) -> array[int]:
        """See the module."""
        if self.poisson:
            due_ns = schedule.by_chance(self.stages, iter(lambda: draws.expovariate(1.0), None))
        else:
            due_ns = schedule.steps(self.stages)
        return due_ns if self.requests is None else due_ns[: self.requests]


@frozen
class Rise:
    """Open model: a rate that changes linearly."""

    clients: ClassVar[None] = None

    from_per_s: float
    to_per_s: float
    for_s: float

    @property
    def passes(self) -> int:
        """See the module."""
        return math.ceil((self.from_per_s + self.to_per_s) / 2 * self.for_s)

    @property
    def title(self) -> str:
        """See the module."""
        return f"{self.from_per_s:g}/s to {self.to_per_s:g}/s in {self.for_s:g} s"

    def due_ns(self, _draws: Draws) -> array[int]:
        """See the module."""
        return schedule.linear(self.from_per_s, self.to_per_s, self.for_s)


@frozen
class Phases:
    """Open model: segments one after the other, each with a whole number of arrivals."""

    clients: ClassVar[None] = None

    phases: tuple[Segment, ...]

    @property
    def passes(self) -> int:
        """See the module."""
        return sum(int((each.from_per_s + each.to_per_s) / 2 * each.for_s) for each in self.phases)

    @property
    def title(self) -> str:
        """See the module."""
        return f"arrivals in {len(self.phases)} parts"

    def due_ns(self, draws: Draws) -> array[int]:
        """See the module."""
        return schedule.phases(self.phases, iter(draws.random, None))


@frozen
class Burst:
    """Open model: all arrivals at once."""

    clients: ClassVar[None] = None

    requests: int

    @property
    def passes(self) -> int:
        """See the module."""
        return self.requests

    @property
    def title(self) -> str:
        """See the module."""
        return f"burst of {self.requests}"

    def due_ns(self, _draws: Draws) -> array[int]:
        """See the module."""
        return schedule.burst(self.requests)


@frozen
class Clients:
    """Closed model: each client sends its next request when its last one is answered.

    Attributes:
        requests: of all clients together; None lets the rest decide.
        for_s: no request is begun after this time; None lets the rest decide.
        iterations: passes through the steps that each client makes; None lets the rest decide.
        ramp_s: client c of n begins c * ramp_s / n after the start.
        delay_s: before the first client begins.
    """

    clients: int
    requests: int | None = None
    for_s: float | None = None
    iterations: int | None = None
    ramp_s: float = 0.0
    delay_s: float = 0.0

    @property
    def passes(self) -> int | None:
        """See the module."""
        if self.requests is not None:
            return self.requests
        return self.iterations and self.clients * self.iterations

    @property
    def title(self) -> str:
        """See the module."""
        return "1 client" if self.clients == 1 else f"{self.clients} clients"


OpenShape = Spread | Stages | Rise | Phases | Burst
Shape = OpenShape | Clients
