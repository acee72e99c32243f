"""Ways of waiting while a server is held: each turns the load's loop until a state is reached.

No wait is for time alone. It ends with a state, and its limit only says that the state did not come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal, Protocol

from holdfast.engine.prober import Prober
from holdfast.model.timeline import NEVER, Entry
from holdfast.model.units import NS_PER_S
from holdfast.observe.activity import settled
from holdfast.observe.asleep import ASLEEP_NS, Asleep, Holding
from holdfast.observe.processes import read_activity, read_descendants, will_be_woken
from holdfast.observe.starvation import CoreUse, FreeTime, busiest
from holdfast.probing.guards import check_processes
from holdfast.probing.live_look import offer_view
from holdfast.probing.session import Session
from holdfast.probing.slots import EXACT_PLACES

ANSWER_S = 10.0
"""How long the server may take for an answer that nothing delays."""

STILL_S = 1.0
AT_WORK_S = 1.0
AT_REST_S = 3.0
REST_NS = 60_000_000
"""A server that has started nothing and ended nothing for this long is still."""

TURN_NS = 1_000_000

NOTHING_HELD = Holding((), ())

Still = Literal["sleeps", "is still", "moves"]
"""What a server did when it was to be still: it sleeps; nothing has changed for long enough; or it never was."""

Watched = Literal["reached", "sleeps", "was free", "had no core"]
"""What came of waiting for a state: it was reached; the server sleeps without it; it was free to run for long enough
without it; or it hardly got a core, so that nothing can be said."""

OPEN_STATES = frozenset({"ESTABLISHED", "CLOSE_WAIT", "SYN_RECV"})
"""Of the server's end of a connection, as long as the server has not closed it (tcp(7))."""

# A loop that looks after five thousand held coroutines takes a tenth of a core (measured); one that works takes all.
_AT_WORK = 0.5

# Main threads that do nothing but hold a request and are looked at nevertheless.
_FEW = 32
# One that waits for another one on its way (a pool of one connection) needs twice as long, and half as much again.
_WAYS = 3
_TREE_NS = 50_000_000
_PAUSE_FOR_COST = 3
_LONGEST_PAUSE_NS = 20_000_000

_SHORTEST_LOOK_NS = 2_000_000
_LOOK_FOR_EACH_NS = 1_000_000
_LONGEST_LOOK_NS = 2_500_000_000
_SOON = 4


class Turning(Protocol):
    """The load, as far as waiting is concerned."""

    @property
    def offered(self) -> int:
        """How many requests it has begun."""
        ...

    def turn(self, timeout_ns: int) -> int:
        """Waits for events for at most this long, and handles each of them."""
        ...


def look_interval_ns(held: int) -> int:
    """How often each of this many held handlers should look whether it has been released.

    A look takes a thread some 15 us, and a coroutine in a loop of its own 100 us. With 5,000 looks a second, and other
    programs computing on the same machine, 4,000 threads of Flask queued for the GIL until nothing moved (measured: a
    false ceiling at 3,145, another at 4,123). 1 ms for each held request keeps all looks together at 1,000 a second,
    and at 2,000 for 5,000 requests.
    """
    return min(_LONGEST_LOOK_NS, max(_SHORTEST_LOOK_NS, held * _LOOK_FOR_EACH_NS))


def soon_look_interval_ns(held: int) -> int:
    """The same for handlers that are to be released or asked within a moment.

    Of a hundred, each would look 100 ms later; so all together look 4,000 times a second for that moment, 6 % of a core
    where each has a thread.
    """
    return max(_SHORTEST_LOOK_NS, look_interval_ns(held) // _SOON) if held <= EXACT_PLACES else look_interval_ns(held)


class HoldingThreads:
    """The server's threads that hold requests, above all those that do nothing but hold one.

    The latter wake up only to look whether they may continue, so the time for which they wait for a core delays no
    request.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._held_on: Counter[int] = Counter()
        self._loops: set[int] = set()
        self.add(entries)

    def add(self, entries: Iterable[Entry]) -> None:
        """Adds handlers that have started."""
        entries = tuple(entries)
        # A loop keeps accepting, however many requests it holds.
        self._held_on.update(entry.tid for entry in entries if not entry.entry_loop)
        self._loops.update(entry.tid for entry in entries if entry.entry_loop)

    def tids(self) -> set[int]:
        """Native ids of those that do nothing else."""
        return {tid for tid, count in self._held_on.items() if count == 1}

    def holding(self) -> Holding:
        """All of them."""
        return Holding(self.tids(), self._loops | self._held_on.keys())


def threads_that_hold(entries: Iterable[Entry]) -> Holding:
    """The threads on which those of these handlers that still run are held."""
    return HoldingThreads(entry for entry in entries if entry.left_ns == NEVER).holding()


def sleep_of(session: Session) -> Asleep:
    """What tells when the whole server sleeps."""
    tree: tuple[int, ...] = ()
    read_ns = 0

    def processes(*, now: bool) -> tuple[int, ...]:
        nonlocal tree, read_ns
        if now or session.now_ns() - read_ns > _TREE_NS:
            tree, read_ns = read_descendants(*session.server.roots()), session.now_ns()
        return tree

    def read(holding: Holding) -> dict[int, CoreUse] | None:
        pids = processes(now=False)
        only_hold = set(holding.nothing_else)
        # A greenlet server that holds one request holds it on the thread that takes requests, which is its first one.
        if len(only_hold.intersection(pids)) <= _FEW:
            only_hold.difference_update(pids)
        return session.core_uses.read(pids, only_hold)

    def dozes(holding: Holding) -> bool:
        seen = tree
        # A process that was forked since the tree was read has not been looked at.
        return processes(now=True) != seen or will_be_woken(tree, REST_NS, holding.some)

    return Asleep(read, dozes, session.now_ns)


def asleep_needed_ns(session: Session) -> int | None:
    """For how long the server must sleep until nothing of what it was sent can still be on its way to a handler.

    On its way, a request may wait for something outside the server (a database), and the server sleeps meanwhile.

    Returns:
        None where that way takes so long, or the server may add workers by a clock, that sleep shows nothing.
    """
    needed_ns = max(ASLEEP_NS, _WAYS * session.slept_ns)
    return None if session.growth.look_ns or needed_ns > REST_NS else needed_ns


def turn_until(
    session: Session,
    prober: Turning,
    reached: Callable[[], bool],
    limit_s: float,
    moving: Callable[[], object] | None = None,
) -> bool:
    """Turns the load's loop until a state is reached; False if it did not come within the limit.

    Once the person has pressed Ctrl-C, the limit is at most STILL_S.

    Args:
        moving: the limit begins anew whenever this value changes; None leaves the limit alone.
    """
    deadline = session.now_ns() + int(limit_s * NS_PER_S)
    hurried = False
    seen = moving() if moving else None
    while True:
        now_ns = session.now_ns()
        if reached():
            break
        check_processes(session)
        session.patience.wait(lambda: f"waiting for the server, with {prober.offered} requests of this step offered.")
        if session.interrupts.asked and not hurried:
            hurried, deadline = True, min(deadline, session.now_ns() + int(STILL_S * NS_PER_S))
        if moving and not hurried and (now := moving()) != seen:
            seen, deadline = now, session.now_ns() + int(limit_s * NS_PER_S)
        if session.now_ns() > deadline:
            return False
        pause_ns = _pause_ns(session.now_ns() - now_ns)
        offer_view(session, prober)
        prober.turn(pause_ns)
    return True


def _pause_ns(cost_ns: int) -> int:
    """How long to wait before the next look at a state, where a look takes so long: the server may need the core."""
    return min(max(TURN_NS, _PAUSE_FOR_COST * cost_ns), _LONGEST_PAUSE_NS)


def progress(session: Session, prober: Prober) -> tuple[int, ...]:
    """Everything that changes while a server accepts, starts and ends requests."""
    depth = session.kernel.accept_queue(session.listen_address).depth
    handlers = session.recording.entered(0, prober.offered), session.recording.in_service(0, prober.offered)
    return (*handlers, prober.connecting, prober.established, prober.ended, -1 if depth is None else depth)


def with_the_way_ns(session: Session, least_ns: int) -> int:
    """How long to wait for a handler to start, where one that needs no time for its way would start within `least_ns`.

    The way to the view is measured (`Session.way_ns`); half of it more, because it varies.
    """
    return max(least_ns, session.way_ns * 3 // 2)


def turn_until_still(session: Session, prober: Prober, limit_s: float, rest_ns: int = REST_NS) -> Still:
    """Turns the load's loop until nothing has changed for this long, or nothing has changed and the server sleeps."""
    deadline = session.now_ns() + int(limit_s * NS_PER_S)
    holding = threads_that_hold(session.recording.entries(0, prober.offered))
    sleep, needed_ns = sleep_of(session), asleep_needed_ns(session)
    counts, since = progress(session, prober), session.now_ns()
    while session.now_ns() - since < rest_ns:
        check_processes(session)
        if session.now_ns() > deadline:
            return "moves"
        prober.turn(TURN_NS)
        if needed_ns is not None:
            sleep.look(lambda: holding)
        if (now := progress(session, prober)) != counts:
            counts, since = now, session.now_ns()
        elif needed_ns is not None and sleep.asleep_ns(since) >= needed_ns:
            return "sleeps"
    return "is still"


def turn_until_idle(session: Session, prober: Prober) -> None:
    """Turns the load's loop until the server is still and none of its threads is at work.

    A thread that works for AT_WORK_S without any progress is taken to spin, as some servers do when they have no
    descriptor left for a connection.
    """
    holding = threads_that_hold(session.recording.entries(0, prober.offered)).nothing_else
    counts, since = progress(session, prober), session.now_ns()
    while session.now_ns() - since < AT_WORK_S * NS_PER_S:
        before, began = core_use_of(session, holding), session.now_ns()
        if turn_until_still(session, prober, STILL_S) != "is still":
            return
        if not at_work(before, core_use_of(session, holding), session.now_ns() - began):
            return
        if (now := progress(session, prober)) != counts:
            counts, since = now, session.now_ns()


def turn_until_at_rest(session: Session, prober: Prober) -> bool:
    """Turns the load's loop until nothing has changed for a while and every process waits; False if none of it came."""
    deadline = session.now_ns() + int(AT_REST_S * NS_PER_S)
    before = read_activity(read_descendants(*session.server.roots()))
    while session.now_ns() < deadline and (still := turn_until_still(session, prober, AT_REST_S)) != "moves":
        if still == "sleeps":
            return True
        after = read_activity(read_descendants(*session.server.roots()))
        if settled(before, after):
            return True
        before = after
    return False


def free_time_of(session: Session, seen: Callable[[Collection[int]], object] = len) -> FreeTime:
    """What adds up the time in which the server was free to run.

    Args:
        seen: is given the server's processes at each look.
    """

    def read(without: Collection[int]) -> dict[int, CoreUse] | None:
        pids = read_descendants(*session.server.roots())
        seen(pids)
        return session.core_uses.read(pids, without)

    return FreeTime(read, session.now_ns)


def turn_while_free(
    session: Session, prober: Turning, holding: Holding, reached: Callable[[], bool], for_ns: int
) -> Watched:
    """Turns the load's loop until a state is reached, or the server was free for long enough to reach it.

    Args:
        holding: the threads that hold requests.
        for_ns: how long the server must have been free to run; as soon as it sleeps it need not be longer.
    """
    free = free_time_of(session)
    sleep, needed_ns = sleep_of(session), asleep_needed_ns(session)
    began = session.now_ns()
    while not reached():
        check_processes(session)
        free.look(lambda: holding.nothing_else)
        now = session.now_ns()
        if (now - began if free.total_ns is None else free.total_ns) >= for_ns:
            return "was free"
        if needed_ns is not None:
            sleep.look(lambda: holding)
            if sleep.asleep_ns(began) >= needed_ns and not reached():
                return "sleeps"
        if session.interrupts.asked or now - began > ANSWER_S * NS_PER_S:
            return "had no core"
        prober.turn(TURN_NS)
    return "reached"


def rests(
    session: Session, prober: Turning, holding: Holding, moving: Callable[[], object], for_ns: int
) -> bool | None:
    """Whether nothing moves for this long, at least REST_NS, and at its end no thread of the server is at work.

    A loop that works off what came before starts no handler for longer than a plateau lasts: after five thousand
    clients of FastAPI, Python's collector alone takes a quarter of a second when the next requests come (measured). A
    thread that works for AT_WORK_S without any progress is taken to spin.

    Args:
        holding: the threads that hold requests.
        moving: changes whenever something moves.

    Returns:
        None if the server hardly got a core, or the person has asked for the end.
    """
    at_first, earlier_ns = moving(), for_ns - REST_NS

    def moved() -> bool:
        return moving() != at_first

    watched = turn_while_free(session, prober, holding, moved, earlier_ns) if earlier_ns > 0 else "was free"
    since = session.now_ns()
    while watched == "was free":
        before, began = core_use_of(session, holding.nothing_else), session.now_ns()
        watched = turn_while_free(session, prober, holding, moved, REST_NS)
        after, now = core_use_of(session, holding.nothing_else), session.now_ns()
        if watched == "was free" and (not at_work(before, after, now - began) or now - since >= AT_WORK_S * NS_PER_S):
            return not moved()
    return None if watched == "had no core" else watched == "sleeps"


def core_use_of(session: Session, without: Collection[int]) -> Mapping[int, CoreUse] | None:
    """What the server's threads have used but these; None where that may not be read."""
    return session.core_uses.read(read_descendants(*session.server.roots()), without)


def at_work(before: Mapping[int, CoreUse] | None, after: Mapping[int, CoreUse] | None, wall_ns: int) -> bool:
    """Whether a thread of the server computed for most of the time between two looks; False where that is not seen.

    Args:
        before, after: as for `busiest`; None where they may not be read.
    """
    return before is not None and after is not None and busiest(before, after, wall_ns) >= _AT_WORK
