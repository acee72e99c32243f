"""What the ramp sees of both sides at one moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from holdfast.errors import InconclusiveError
from holdfast.infer.signals import ended_by_server
from holdfast.load.prober import Prober
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Acceptor, Entry
from holdfast.model.units import NS_PER_S
from holdfast.observe.acceptors import read_acceptors
from holdfast.observe.starvation import FreeTime
from holdfast.probe.disconnect import ASK_MANY
from holdfast.probe.growth import Newcomers
from holdfast.probe.guards import check_held_requests
from holdfast.probe.ramp_state import TURNED_AWAY_ENOUGH, View
from holdfast.probe.session import Session
from holdfast.probe.waits import ANSWER_S, HoldingThreads

# A shorter pause needs no explanation; looking for the reason of each would cost more than the ramp itself.
_STALLED_NS = 10_000_000
_LIMIT_WAYS = 20


class Starts:
    """How handlers start: when the latest did, the widest gap between two, and on which threads.

    Invariant: instants only grow; a handler that is seen late is still counted at its own instant.
    """

    def __init__(self, accepting: Collection[int] = ()) -> None:
        """Nothing has started.

        Args:
            accepting: processes that accept, where there are several; a master that only listens is none of them.
        """
        self._accepting = frozenset(accepting)
        self.latest_ns = NEVER
        self.latest_id: int | None = None
        self.widest_gap_ns = 0
        self.pids: set[int] = set()
        self._holding = HoldingThreads()

    def add(self, entries: Sequence[Entry]) -> None:
        """Adds newly seen starts, in any order."""
        self.pids.update(entry.pid for entry in entries)
        self._holding.add(entries)
        for entry in sorted(entries, key=lambda entry: entry.entered_ns):
            if entry.entered_ns <= self.latest_ns:
                continue
            if self.latest_ns != NEVER:
                self.widest_gap_ns = max(self.widest_gap_ns, entry.entered_ns - self.latest_ns)
            self.latest_ns, self.latest_id = entry.entered_ns, entry.id

    @property
    def untried(self) -> int:
        """Processes that accept and have started no handler, where handlers run in those that accept."""
        return 0 if self._accepting.isdisjoint(self.pids) else len(self._accepting - self.pids)

    def holding(self) -> set[int]:
        """Native ids of the threads that do nothing but hold one request."""
        return self._holding.tids()


class LostRequests:
    """How many held requests the server has ended. Invariant: each ended request is looked at once."""

    def __init__(self) -> None:
        self.number = 0
        self._looked_at: set[int] = set()

    def count(self, session: Session, prober: Prober) -> int:
        """Adds what has ended since the last look, and returns the number."""
        if prober.ended > len(self._looked_at):
            columns = prober.columns
            for id in range(prober.offered):
                if columns.outcome[id] and id not in self._looked_at:
                    self._looked_at.add(id)
                    entered_ns = session.recording.entered_ns(id) if session.recording.is_entered(id) else NEVER
                    self.number += ended_by_server(Outcome(columns.outcome[id]), entered_ns, columns.done[id])
        return self.number


def look_at(  # parameters: what is remembered from look to look, each with an invariant of its own
    session: Session, prober: Prober, starts: Starts, free: FreeTime, lost: LostRequests, newcomers: Newcomers
) -> View:
    """Looks at both sides, the kernel after the load's last turn."""
    now = session.now_ns()
    recording, offered = session.recording, prober.offered
    # Before the look at when they started: one that starts in between would count without having moved anything.
    entered = recording.entered(0, offered)
    starts.add([entry for id in recording.newly_entered(0, offered) for entry in recording.entries(id, id + 1)])
    last_sent_ns = max(prober.columns.opened[max(0, offered - 1)], 0)
    _add_free_time(session, free, starts, stalled_ns=now - max(starts.latest_ns, last_sent_ns))
    take_sample(session, prober, now)
    queue = session.kernel.accept_queue(session.listen_address)
    return View(
        now_ns=now,
        offered=offered,
        established=prober.established,
        connecting=prober.connecting,
        in_service=recording.in_service(0, offered),
        entered=entered,
        processes=len(starts.pids),
        turned_away_enough=ASK_MANY if len(session.accepting) > 1 else TURNED_AWAY_ENOUGH,
        last_entry_ns=starts.latest_ns,
        max_entry_gap_ns=starts.widest_gap_ns,
        last_entry_sent_ns=NEVER if starts.latest_id is None else prober.columns.opened[starts.latest_id],
        depth=queue.depth,
        limit=queue.limit,
        one_full=prober.connecting > 0 and _one_full(session),
        free_ns=free.total_ns,
        ended=prober.outcome_counts(),
        cut=lost.count(session, prober),
        max_offered=session.experiment.max_offered,
        last_sent_ns=last_sent_ns,
        growth_look_ns=_growth_look_ns(session, newcomers),
        growth_most_ns=session.growth.most_ns,
        born_ns=newcomers.latest_ns,
        untried=starts.untried,
        way_ns=session.way_ns,
    )


def _growth_look_ns(session: Session, newcomers: Newcomers) -> int:
    """How long to watch for growth; where a worker has come, at least as long as one may need to start."""
    return max(session.growth.look_ns, session.start_ns * 3 // 2 if newcomers.pids else 0)


def find_acceptors(session: Session) -> tuple[Acceptor, ...]:
    """The processes that hold the port's listening sockets, with what they wait for and what they have accepted."""
    listening = [each.inode for each in session.kernel.listeners(session.listen_address)]
    return read_acceptors(session.pids, listening, session.kernel.connection_inodes(session.listen_address))


def _one_full(session: Session) -> bool:
    return any(each.queue.full for each in session.kernel.listeners(session.listen_address))


def _add_free_time(session: Session, free: FreeTime, starts: Starts, stalled_ns: int) -> None:
    if stalled_ns < _STALLED_NS:
        free.pause()
        return
    free.look(starts.holding)
    # Where the way to the view takes long, so do the waits in which this adds up.
    limit_ns = int(ANSWER_S * NS_PER_S) + _LIMIT_WAYS * session.way_ns
    if free.starved_ns > limit_ns:
        check_held_requests(session)
        raise InconclusiveError(
            f"The server got hardly any processor time in {limit_ns / NS_PER_S:.0f} s, so what it can do was not seen.",
            "Its threads were ready to run, but other programs on this machine ran instead.",
            "Probe again when the machine is less busy.",
        )


def take_sample(session: Session, prober: Prober, now_ns: int) -> None:
    """Lets the sampler look, if it is time for its next look."""
    if session.sampler.due(now_ns):
        entered = session.recording.entered(0, prober.offered)
        session.sampler.look(now_ns, prober.offered, prober.established, entered)
