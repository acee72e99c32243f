"""A server that is a pure function model, and the ramp driven against it: no clock, no socket."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from holdfast.model.places import Outcome
from holdfast.model.units import MS
from holdfast.model.units import NS_PER_S as S
from holdfast.probing.ramp import decide
from holdfast.probing.ramp_state import Done, Open, State, View, Wait

LONG_NS = 600 * S


@dataclass
class Simulated:
    """A server with a pool, a queue of its own, an accept queue, and time that only the ramp moves.

    Attributes:
        userspace: how many it accepts beyond its pool; None is without bound.
        entry_ns: from one handler's start to the next one's.
        accept_ns: from one connection that it takes in to the next one.
        beyond: what it does with connections that its own queue cannot take: leave them in the
            accept queue, or reject them.
        company: a handler starts only while so many wait for it.
        forks: each handler has a process of its own.
        roomy: it has used a small part of its descriptors.
        sleeps: whether it is seen to sleep while nothing moves in it.
        way_ns, growth_look_ns: as a view has them.
    """

    pool: int
    limit: int
    userspace: int | None = 0
    entry_ns: int = 200_000
    beyond: str = "wait"
    known: bool = True
    company: int = 1
    forks: bool = False
    accept_ns: int = 0
    roomy: bool = False
    sleeps: bool = False
    way_ns: int = 0
    growth_look_ns: int = 0

    now_ns: int = 10 * S
    offered: int = 0
    depth: int = 0
    accepted: int = 0
    entered: int = 0
    rejected: int = 0
    last_entry_ns: int = 0
    free_at_ns: int = 0
    accepts_at_ns: int = 0
    last_sent_ns: int = 0
    unanswered: deque[int] = field(default_factory=deque)
    lost_with_room_behind: int = 0
    repeated: int = 0

    def takes(self) -> bool:
        if self.beyond == "reject" or self.userspace is None:
            return True
        return self.accepted + self.entered < self.pool + self.userspace

    def open(self, count: int) -> None:
        self.offered += count
        self.last_sent_ns = self.now_ns
        for _ in range(count):
            self.arrive()

    def arrive(self) -> None:
        if self.depth > self.limit:
            self.lost_with_room_behind += self.entered < self.pool
            self.unanswered.append(self.now_ns + S)
            self.repeated += 1
        else:
            self.depth += 1

    def pass_time(self, duration_ns: int) -> None:
        end = self.now_ns + duration_ns
        while True:
            while self.depth and self.takes() and self.accepts_at_ns <= self.now_ns:
                self.depth -= 1
                self.accepts_at_ns = self.now_ns + self.accept_ns
                if self.userspace is not None and self.accepted + self.entered >= self.pool + self.userspace:
                    self.rejected += 1
                else:
                    self.accepted += 1
            starts = self.accepted >= self.company and self.entered < self.pool
            next_ns = max(self.now_ns, self.free_at_ns + self.entry_ns) if starts else end
            if self.unanswered:
                next_ns = min(next_ns, self.unanswered[0])
            if self.depth and self.takes():
                next_ns = min(next_ns, self.accepts_at_ns)
            if next_ns >= end:
                self.now_ns = end
                return
            self.now_ns = next_ns
            if self.unanswered and self.unanswered[0] <= next_ns:
                self.unanswered.popleft()
                self.arrive()
            elif starts and next_ns >= self.free_at_ns + self.entry_ns:
                self.accepted -= 1
                self.entered += 1
                self.free_at_ns = self.last_entry_ns = next_ns

    def view(self, max_offered: int) -> View:
        return View(
            now_ns=self.now_ns,
            offered=self.offered,
            connecting=len(self.unanswered),
            established=self.offered - len(self.unanswered) - self.rejected,
            entered=self.entered,
            processes=self.entered if self.forks else min(1, self.entered),
            in_service=self.entered,
            last_entry_ns=self.last_entry_ns,
            last_sent_ns=self.last_sent_ns,
            max_offered=max_offered,
            way_ns=self.way_ns,
            growth_look_ns=self.growth_look_ns,
            depth=self.depth if self.known else None,
            limit=self.limit if self.known else None,
            ended=Counter({Outcome.REJECTED: self.rejected}),
            roomy=self.roomy,
            asleep_ns=self.asleep_ns(),
        )

    def asleep_ns(self) -> int:
        starting = self.accepted > 0 and self.entered < self.pool
        if not self.sleeps or starting or (self.depth and self.takes()):
            return 0
        return self.now_ns - max(self.last_entry_ns, self.last_sent_ns)


@dataclass
class Watched(Simulated):
    """Notes the most requests that had been opened and neither entered nor been rejected."""

    most_on_their_way: int = 0

    def open(self, count: int) -> None:
        super().open(count)
        self.most_on_their_way = max(self.most_on_their_way, self.offered - self.entered - self.rejected)


def climb(server: Simulated, max_offered: int = 5000) -> Done:
    """Drives the ramp to its end as the probe does: one turn of half a millisecond after each batch."""
    state = State()
    begin = server.now_ns
    while True:
        action, state = decide(server.view(max_offered), state)
        match action:
            case Open(count):
                assert count > 0
                assert server.offered + count <= max_offered
                server.open(count)
                server.pass_time(MS // 2)
            case Wait(timeout_ns):
                assert timeout_ns > 0
                server.pass_time(timeout_ns)
            case Done():
                return action
        assert server.now_ns - begin < LONG_NS, "the ramp does not end"
