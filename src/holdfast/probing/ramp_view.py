"""What the ramp sees of both sides at one moment."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress

from holdfast.engine.prober import Prober
from holdfast.errors import InconclusiveError
from holdfast.infer.signals import ended_by_server
from holdfast.model.frozen import frozen
from holdfast.model.places import TURNED_AWAY, Outcome
from holdfast.model.timeline import NEVER, Acceptor, Entry
from holdfast.model.units import NS_PER_S
from holdfast.observe.acceptors import read_acceptors
from holdfast.observe.asleep import ASLEEP_NS, Asleep, Holding
from holdfast.observe.limits import read_limits
from holdfast.observe.processes import read_process_tree
from holdfast.observe.starvation import FreeTime, share_with_a_core
from holdfast.probing.disconnect import ASK_MANY
from holdfast.probing.growth import Newcomers
from holdfast.probing.guards import check_held_requests
from holdfast.probing.ramp import ALONE_NS, SOME
from holdfast.probing.ramp_pace import LONG_WAY_NS, STARVED
from holdfast.probing.ramp_state import TURNED_AWAY_ENOUGH, View
from holdfast.probing.session import Session
from holdfast.probing.waits import HoldingThreads, asleep_needed_ns, core_use_of
from holdfast.procfs.read import count_descriptors

# A shorter pause needs no explanation; looking for the reason of each would cost more than the ramp itself.
_STALLED_NS = 10_000_000
# A plateau takes a second with a core at most. Two full workers that never rest get a tenth of one, or less, where
# thirty other programs want the same two cores (uWSGI's gevent loop, measured).
_STARVED_S = 20.0
_LIMIT_WAYS = 20
_STEPS_WATCHED = 10
_ROOMY = 0.25
# So many times as many are offered one by one where one process has started fewer than another.
_UNEVEN = 4
# A process that was woken for a connection waits for the next one again after less than that.
_WOKEN_NS = 200_000_000
_LOOK_S = 0.01
# Most handlers start sooner than that.
_PAUSED_NS = 2_000_000


class Starts:
    """How handlers start: when the latest did, the widest gap between two, and on which threads.

    Invariant: instants only grow; a handler that is seen late is still counted at its own instant.
    """

    def __init__(self, accepting: Collection[int] = ()) -> None:
        """Nothing has started.

        Args:
            accepting: processes that accept; a master that only listens is none of them.
        """
        self._accepting = set(accepting)
        self.latest_ns = NEVER
        self.latest_id: int | None = None
        self.widest_gap_ns = 0
        self.pids: set[int] = set()
        self._started = Counter[int]()
        self._holding = HoldingThreads()

    def add(self, entries: Sequence[Entry]) -> None:
        """Adds newly seen starts, in any order."""
        self.pids.update(entry.pid for entry in entries)
        self._started.update(entry.pid for entry in entries)
        self._holding.add(entries)
        for entry in sorted(entries, key=lambda entry: entry.entered_ns):
            if entry.entered_ns <= self.latest_ns:
                continue
            if self.latest_ns != NEVER:
                self.widest_gap_ns = max(self.widest_gap_ns, entry.entered_ns - self.latest_ns)
            self.latest_ns, self.latest_id = entry.entered_ns, entry.id

    def join(self, accepting: Collection[int]) -> None:
        """Adds processes that accept by now."""
        self._accepting.update(accepting)

    @property
    def accepting(self) -> int:
        """How many processes accept."""
        return len(self._accepting)

    @property
    def untried(self) -> int:
        """Processes that accept and have started no handler, where handlers run in those that accept."""
        return 0 if self._accepting.isdisjoint(self.pids) else len(self._accepting - self.pids)

    @property
    def uneven(self) -> bool:
        """Whether one of the processes has started fewer than another, so that it may have room."""
        return self.untried > 0 or len(set(self._started.values())) > 1

    def holding(self) -> Holding:
        """The threads on which they are held."""
        return self._holding.holding()


class LostRequests:
    """How many held requests the server has ended. Invariant: each ended request is looked at once.

    Attributes:
        away_took_ns: how long the request that was turned away last had been under way; 0 before the first.
    """

    def __init__(self) -> None:
        self.number = 0
        self.away_took_ns = 0
        self._away_ns = NEVER
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
                    if columns.outcome[id] in TURNED_AWAY and columns.done[id] >= self._away_ns:
                        self._away_ns = columns.done[id]
                        self.away_took_ns = columns.done[id] - columns.opened[id]
        return self.number


class Room:
    """How far the processes that take requests are from their limits of descriptors, looked at now and then.

    Attributes:
        fits: how many more handlers may start until one of them is at its limit, at the cost so far, as of the last
            look; None where none has used more than at first. One that has ended, or may not be read, does not count.
    """

    def __init__(self, session: Session) -> None:
        """Nothing is held yet."""
        self.fits: int | None = None
        self._limits = {pid: read_limits(pid).nofile for pid in session.accepting}
        # Threads are not counted: their limit is one of the whole user, and of what contains the server. Nor is memory.
        self._roomy = session.experiment.nproc is None and session.experiment.address_space is None
        self._first = self._read()
        self._next = 0

    def look(self, entered: int) -> None:
        """Looks, if that is due.

        Args:
            entered: handlers that have started; a look is due when there are a quarter more than at the last one, or a
                quarter of those that fit.
        """
        if entered < self._next:
            return
        now = self._read()
        bounded = [(pid, limit) for pid, limit in self._limits.items() if limit is not None]
        known = [(pid, limit) for pid, limit in bounded if pid in now and pid in self._first]
        costs = [(limit - now[pid], now[pid] - self._first[pid]) for pid, limit in known]
        self.fits = min((max(0, left) * entered // used for left, used in costs if used > 0), default=None)
        # What has come in the place of one that has ended is not looked at.
        self._roomy &= known == bounded and all(now[pid] <= _ROOMY * limit for pid, limit in known)
        step = max(SOME, entered) // 4
        self._next = entered + (step if self.fits is None else max(1, min(step, self.fits // 4)))

    def is_roomy(self, entered: int) -> bool:
        """Whether none has used more than a quarter, as of the last look; False where so few have started."""
        return self._roomy and entered >= SOME

    def _read(self) -> dict[int, int]:
        found = {}
        for pid in self._limits:
            with suppress(OSError):
                found[pid] = count_descriptors(pid)
        return found


class Hindrance:
    """How many times as long the server takes for want of a core, looked at now and then."""

    def __init__(self, session: Session) -> None:
        """Not looked at before a climb one by one might end."""
        self._session = session
        self._times = 1.0
        self._next_ns = session.now_ns() + ALONE_NS

    def times(self, now_ns: int, starts: Starts) -> float:
        """From 1 to STARVED, as of the last look.

        Args:
            starts: tells which threads only hold a request; thousands of these are not looked at.
        """
        if now_ns >= self._next_ns:
            share = share_with_a_core(core_use_of(self._session, starts.holding().nothing_else))
            self._times = min(STARVED, 1 / share)
            self._next_ns = now_ns + ALONE_NS // 4
        return self._times


def used_of(pid: int, limit: int | None) -> float:
    """The part of its limit of descriptors that a process has used; 1 where that may not be read."""
    try:
        return 0.0 if limit is None else count_descriptors(pid) / limit
    except OSError:
        return 1.0


@frozen
class Lookout:
    """What is remembered from look to look."""

    starts: Starts
    free: FreeTime
    sleep: Asleep
    lost: LostRequests
    room: Room
    hindrance: Hindrance
    newcomers: Newcomers


def look_at(session: Session, prober: Prober, lookout: Lookout) -> View:
    """Looks at both sides, the kernel after the load's last turn."""
    starts, free = lookout.starts, lookout.free
    # First, so that what moves after it is seen to have moved.
    needed_ns = _look_asleep(session, prober, lookout)
    now = session.now_ns()
    recording, offered = session.recording, prober.offered
    # Before the look at when they started: one that starts in between would count without having moved anything.
    entered = recording.entered(0, offered)
    starts.add([entry for id in recording.newly_entered(0, offered) for entry in recording.entries(id, id + 1)])
    last_sent_ns = max(prober.columns.opened[max(0, offered - 1)], 0)
    moved_ns = max(starts.latest_ns, last_sent_ns, prober.columns.done[max(0, offered - 1)])
    _add_free_time(session, free, starts, stalled_ns=now - max(starts.latest_ns, last_sent_ns))
    take_sample(session, prober, now)
    lookout.room.look(entered)
    starts.join(lookout.newcomers.waiting)
    cut = lookout.lost.count(session, prober)
    queue, watch_ns = session.kernel.accept_queue(session.listen_address), int(session.experiment.watch_s * NS_PER_S)
    return View(
        now_ns=now,
        offered=offered,
        established=prober.established,
        connecting=prober.connecting,
        in_service=recording.in_service(0, offered),
        entered=entered,
        processes=len(starts.pids),
        turned_away_enough=_singles_enough(session, starts),
        last_entry_ns=starts.latest_ns,
        max_entry_gap_ns=starts.widest_gap_ns,
        last_entry_sent_ns=NEVER if starts.latest_id is None else prober.columns.opened[starts.latest_id],
        depth=queue.depth,
        limit=queue.limit,
        room_behind=_room_behind(session, entered, starts.pids),
        one_full=prober.connecting > 0 and _one_full(session),
        free_ns=free.total_ns,
        ended=prober.outcome_counts(),
        cut=cut,
        away_took_ns=lookout.lost.away_took_ns,
        max_offered=session.experiment.max_offered,
        last_sent_ns=last_sent_ns,
        growth_look_ns=_growth_look_ns(session, lookout.newcomers),
        growth_most_ns=max(session.growth.most_ns, _STEPS_WATCHED * watch_ns),
        watch_ns=watch_ns,
        born_ns=lookout.newcomers.latest_ns,
        untried=starts.untried,
        uneven=starts.uneven,
        way_ns=session.way_ns,
        slowed=lookout.hindrance.times(now, starts),
        roomy=lookout.room.is_roomy(entered),
        fits=lookout.room.fits,
        asleep_ns=0 if needed_ns is None else lookout.sleep.asleep_ns(moved_ns),
        asleep_needed_ns=needed_ns or ASLEEP_NS,
        takers=max(1, session.takers, len(starts.pids), starts.accepting),
        room_between=session.front is not None and session.front.finds_room,
    )


def _growth_look_ns(session: Session, newcomers: Newcomers) -> int:
    """How long to watch for growth; where a worker has come, at least as long as one may need to start."""
    return max(session.growth.look_ns, session.start_ns * 3 // 2 if newcomers.pids else 0)


def _look_asleep(session: Session, prober: Prober, lookout: Lookout) -> int | None:
    """Looks whether the server sleeps, once it has paused for a moment; for how long it must, or None."""
    needed_ns, now = asleep_needed_ns(session), session.now_ns()
    opened_ns = prober.columns.opened[max(0, prober.offered - 1)]
    if needed_ns is None or now - max(lookout.starts.latest_ns, opened_ns) < _PAUSED_NS:
        lookout.sleep.forget()
    else:
        lookout.sleep.look(lookout.starts.holding)
    return needed_ns


def _singles_enough(session: Session, starts: Starts) -> int:
    # One of several processes of a front may turn requests away too while another has room.
    if session.front is None and not session.several:
        return TURNED_AWAY_ENOUGH
    # On a busy machine one process may come too late for nearly each of them.
    return _UNEVEN * ASK_MANY if starts.uneven else ASK_MANY


def find_acceptors(session: Session) -> tuple[Acceptor, ...]:
    """The processes that hold the listening sockets now, with what they wait for and what they have accepted.

    Behind a front they are the server's sockets. Workers that the server has started meanwhile are among them.
    """
    kernel = session.kernel
    listening = [each.inode for address in session.taken_from for each in kernel.listeners(address)]
    known = [kernel.connection_inodes(address) for address in session.taken_from]
    connected = None if None in known else frozenset[int]().union(*(each for each in known if each is not None))
    return read_acceptors({*session.pids, *read_process_tree(*session.server.roots())}, listening, connected)


def _room_behind(session: Session, entered: int, handlers: Collection[int]) -> int | None:
    if session.front is None or not entered:
        return None
    session.front.find(entered, handlers)
    return session.front.room


def takers(session: Session) -> tuple[int, ...]:
    """The processes that may accept on the port; a master that only keeps the socket for its workers is none."""
    if not session.several:
        return session.accepting
    return tuple(each.pid for each in find_acceptors(session) if each.waits_on is None or each.waits_on)


def takers_seen(session: Session, ways_ns: Sequence[int]) -> tuple[int, ...]:
    """The same, in several looks if a request has had a long way, which each process may need once.

    A process that was woken for a connection, and came too late for it, waits for none for a moment.

    Args:
        ways_ns: of the requests so far, from their first byte to their view.
    """
    found = set(takers(session))
    ends_ns = session.now_ns() + (_WOKEN_NS if session.several and max(ways_ns, default=0) >= LONG_WAY_NS else 0)
    while len(found) == 1 and session.now_ns() < ends_ns:
        time.sleep(_LOOK_S)
        found.update(takers(session))
    return tuple(found)


def _one_full(session: Session) -> bool:
    return any(each.queue.full for each in session.kernel.listeners(session.listen_address))


def _add_free_time(session: Session, free: FreeTime, starts: Starts, stalled_ns: int) -> None:
    if stalled_ns < _STALLED_NS:
        free.pause()
        return
    free.look(lambda: starts.holding().nothing_else)
    # Where the way to the view takes long, so do the waits in which this adds up.
    limit_ns = int(_STARVED_S * NS_PER_S) + _LIMIT_WAYS * session.way_ns
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
