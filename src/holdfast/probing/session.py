"""Both ends of a probe and the observers in between: what every phase works with, frozen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from holdfast.engine.endpoint import Tls
from holdfast.engine.prober import Prober
from holdfast.interrupts import Interrupts
from holdfast.model.address import shown
from holdfast.model.experiment import Experiment
from holdfast.model.frozen import frozen
from holdfast.model.phase import Phase
from holdfast.model.timeline import Request
from holdfast.observe.core_uses import CoreUses
from holdfast.observe.kernel import KernelView
from holdfast.observe.process_exits import ProcessExits
from holdfast.observe.record_reader import Recording
from holdfast.observe.routes import ListenAddress
from holdfast.observe.sampler import Sampler
from holdfast.probing.front import Behind
from holdfast.probing.patience import Patience
from holdfast.probing.slots import Slots
from holdfast.servers.growth import FIXED, Growth
from holdfast.servers.process import ServerProcess


@frozen
class Session:
    """A running server as the phases of a probe see it.

    Attributes:
        address, port: where to connect, as in `model.address`.
        listen_address: the same, as the kernel's view takes it.
        inner_ports: further ports on which the server's own processes reach each other.
        pids: the server's processes when it was ready.
        accepting: those of them that listen; behind a front, those of the server.
        takers: how many of these take requests, as far as is seen; a master that only keeps the socket for its workers
            does not. 0 before the first request.
        slots: which request ids each phase uses.
        patience: tells what is waited for, while the run takes long.
        head_of: slot -> the request's bytes.
        ends: of `pids`.
        core_uses: what its threads use.
        trouble: file in which the server's side reports that it could not load the application.
        hello: file in which the processes of a person's own command report themselves; None where an adapter made
            the command.
        way_ns: how long a request takes from its first byte to its view while nothing else is in the server; 0 before
            the first request.
        warm_way_ns: the same where it has nothing to import or to open that is there already.
        slept_ns: the longest that the whole server slept meanwhile: then the request waited for something outside it.
        growth: how its pool of workers may grow.
        start_ns: how long the whole server needed until it was ready.
        tls: how requests are sent; None is plain HTTP.
        front: another program that accepts the requests; None where the server does, and before the first request.
        beside: what else of a person's own command answers, in words.
        asked: slot and first byte of each request that was sent before the first one, to find where the server listens.
        now_ns: CLOCK_MONOTONIC.
    """

    experiment: Experiment
    server: ServerProcess
    address: str
    port: int
    listen_address: ListenAddress
    inner_ports: tuple[int, ...]
    pids: tuple[int, ...]
    accepting: tuple[int, ...]
    recording: Recording
    slots: Slots
    kernel: KernelView
    sampler: Sampler
    interrupts: Interrupts
    patience: Patience
    head_of: Callable[[int], bytes]
    ends: ProcessExits
    core_uses: CoreUses
    trouble: Path
    hello: Path | None = None
    way_ns: int = 0
    warm_way_ns: int = 0
    slept_ns: int = 0
    takers: int = 0
    growth: Growth = FIXED
    start_ns: int = 0
    tls: Tls | None = None
    front: Behind | None = None
    beside: tuple[str, ...] = ()
    asked: tuple[tuple[int, int], ...] = ()
    now_ns: Callable[[], int] = time.monotonic_ns

    @property
    def reached_at(self) -> str:
        """The address and port as a person writes them."""
        return shown(self.address, self.port)

    @property
    def several(self) -> bool:
        """Whether several processes accept, so that a request may come to any of them."""
        return len(self.accepting) > 1

    @property
    def taken_from(self) -> tuple[ListenAddress, ...]:
        """Where the server's own processes take requests: behind a front, from the queue between the two."""
        return (self.listen_address,) if self.front is None else self.front.listening_at


@frozen
class Batch:
    """The requests that one phase sends.

    Attributes:
        prober: counts them from 0.
        slots: the ids that they have in the record, in the same order.
        phase: what they are sent for.
    """

    prober: Prober
    slots: Sequence[int]
    phase: Phase

    def requests(self) -> tuple[Request, ...]:
        """Those opened so far, with the ids that they have in the record."""
        rows = self.prober.requests(lambda _row: self.phase)
        return tuple(replace(each, id=self.slots[each.id]) for each in rows)


@contextmanager
def batch(
    session: Session, slots: Sequence[int], phase: Phase, head_of: Callable[[int], bytes] | None = None
) -> Iterator[Batch]:
    """Prepares requests with these ids; opens none yet, and closes their connections at the end of the block.

    Args:
        head_of: slot -> the request's bytes; None gives the session's.
    """
    where, http2, head_of = (session.address, session.port), session.experiment.http2, head_of or session.head_of
    with Prober(*where, lambda row: head_of(slots[row]), len(slots), tls=session.tls, http2=http2) as prober:
        yield Batch(prober, slots, phase)
