"""Processes that accept and were not shown to be full: what is in service elsewhere is then not a bound.

Where several processes accept from a port, the kernel or the quickest of them decides who gets a connection. A process
that already runs as many handlers as it can may take ten more connections into its own queue while another one, which
could run them, sleeps. So a place counts as tried only in a process that was seen to let a request wait: in its own
queue, or in the accept queue that it does not empty. One that has run handlers before, runs none now and leaves
requests in the accept queue was not seen full either: it may hang. So may one that runs fewer than another does and
leaves the others there (an event loop that was made before its process was forked, and so is shared, misses some).

A master holds the listening socket and does not wait for it, so it does not accept. A process of another kind than
those that run handlers (a router, a front) has no places. One of the same kind is a child of one of them, or has the
same parent. One of that kind that does not wait for the socket yet, and for nothing else either, still starts (it
imports the application) or hangs, also where it waits for something that it has opened itself (a database); one that
waits for anything else does another work. What sleeps may do another work too, so it is not counted as a worker.
Where each process has a listening socket of its own (SO_REUSEPORT), the kernel puts requests into the queue of one that
does not accept too, because it hangs or still starts; those wait there whatever the others do.

A front may have a limit of its own. If all that wait are in it, or before it, it does not hand on what the server's
processes could take, and then those that run handlers do not have to be full: the front is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from holdfast.infer.ceiling import offered_in, turned_away, waiting
from holdfast.model.experiment import DEFAULT_MAX_OFFERED
from holdfast.model.frozen import frozen
from holdfast.model.timeline import Acceptor, Entry, Snapshot
from holdfast.model.verdict import Places


@frozen
class OpenPlaces:
    """Processes that may have room for more.

    Attributes:
        pids: of these processes.
        idle: those of them that had run no handler when the places were counted.
        hanging: those of them that leave requests in the accept queue although they ran handlers before.
        fewest: the least that one of those runs.
        most_of_one: what one of the others runs; 0 where none runs any.
        most: the most that may be in service if they are like those that were seen full; None where none was.
        of: how many processes accept, these included.
        deaf: those of `hanging` that never took a request from a listen queue of their own, in which some wait, or that
            have the socket of the others and do not wait for it yet.
    """

    pids: tuple[int, ...]
    idle: tuple[int, ...]
    most: int | None
    of: int
    hanging: tuple[int, ...] = ()
    fewest: int = 0
    most_of_one: int = 0
    deaf: tuple[int, ...] = ()

    def reason(self, places: Places) -> str:
        """Why the number in service is not a bound, and what would show it."""
        if self.hanging:
            return self._hanging(places)
        one = len(self.pids) == 1
        who = "One" if one else f"{len(self.pids)}"
        seen = "had run no handler" if set(self.idle) == set(self.pids) else "had no request waiting behind it"
        if not one:
            seen = seen.replace("behind it", "behind them")
        others = f"{waiting(places)} requests waited behind others"
        if not waiting(places):
            others = f"{turned_away(places)} requests were turned away by others"
        return (
            f"{who} of the {self.of} processes that accept here {seen} (pid {', '.join(map(str, self.pids))}), while "
            f"{others}: the ceiling may be higher. The processes share out "
            f"connections by chance; offer more with --max-offered {max(DEFAULT_MAX_OFFERED, 4 * offered_in(places))}."
        )

    def _hanging(self, places: Places) -> str:
        if self.deaf:
            return (
                f"A process that has a listen queue of this port has run no handler and does not accept, while "
                f"{waiting(places)} requests wait (pid {', '.join(map(str, self.deaf))}). It may still be starting, or "
                "hang, and with it the ceiling would be higher; or it does other work. Look at what it does, or probe "
                "once it has started."
            )
        one = len(self.hanging) == 1
        they, them = ("it", "it") if one else ("they", "them")
        seen = "ran handlers before and ran none"
        if self.fewest:
            seen = f"ran {self.fewest}{'' if one else ' or more'} where another ran {self.most_of_one}"
        return (
            f"{'One' if one else len(self.hanging)} of the {self.of} processes that accept here "
            f"(pid {', '.join(map(str, self.hanging))}) {seen} when the places were counted, "
            f"while {places.accept_queue} requests waited in the accept queue: {they} may hang. With {them} the "
            f"ceiling would be higher; look at what {they} {'does' if one else 'do'}."
        )


def open_places(
    snapshot: Snapshot, places: Places, held: Iterable[Entry], entries: Iterable[Entry]
) -> OpenPlaces | None:
    """The processes that accept and were not seen full; None where there are none, or where nothing waited.

    Args:
        held: handlers in service at the snapshot.
        entries: all handlers of the run.
    """
    ran = {each.pid for each in entries}
    acceptors = _of_their_kind(snapshot, ran)
    running = Counter(each.pid for each in held)
    if not waiting(places) and not turned_away(places):
        return None
    full = [each for each in acceptors if is_full(each, snapshot, running)]
    room = [each for each in acceptors if each not in full]
    most_of_one = max((running[each.pid] for each in full), default=0)
    hanging = [*_hanging(full, places, running), *_behind(full, running, most_of_one)] if places.accept_queue else []
    hanging = [each for each in hanging if each.pid in ran]
    # Workers of one master have as many places as one another.
    room = [each for each in room if not running[each.pid] or running[each.pid] < most_of_one or not most_of_one]
    if turned_away(places):
        # Asked one at a time and many times, one with room would have taken one; unless none ever came to it.
        room = [each for each in room if not running[each.pid]]
    if _front_holds_back(snapshot, places):
        room = [each for each in room if each.pid not in ran]
    deaf = [*_deaf(snapshot, ran), *_starting(snapshot, ran)]
    hanging += deaf
    room += hanging
    if not room:
        return None
    more = sum(most_of_one - running[each.pid] for each in room)
    return OpenPlaces(
        pids=tuple(each.pid for each in room),
        idle=tuple(each.pid for each in room if not running[each.pid]),
        most=places.in_service + more if most_of_one else None,
        of=len({each.pid for each in (*acceptors, *deaf)}),
        deaf=tuple(each.pid for each in deaf),
        hanging=tuple(each.pid for each in hanging),
        fewest=min((running[each.pid] for each in hanging), default=0),
        most_of_one=most_of_one,
    )


def _front_holds_back(snapshot: Snapshot, places: Places) -> bool:
    if snapshot.front is None or not snapshot.front.queues:
        return False
    # Fewer connections than requests in service: several share one (HTTP/2), or one of them was taken for kept.
    queues = snapshot.front.queues
    known = [each for each in queues if each.depth == 0 and each.connections is not None]
    return len(known) == len(queues) and sum(each.connections or 0 for each in known) <= places.in_service


def _hanging(full: Iterable[Acceptor], places: Places, running: Counter[int]) -> list[Acceptor]:
    """Those that run nothing, although none of the requests that wait in user space can be theirs."""
    waits = sum(each.connections - running[each.pid] for each in full if running[each.pid] and each.connections)
    accounted = waits >= places.userspace_queue
    idle = [each for each in full if not running[each.pid] and each.connections is not None]
    # One that does not wait for the listener, and has nothing to do, does not take what is there either.
    return [each for each in idle if not each.connections or (accounted and each.waits_on)]


def _behind(full: Iterable[Acceptor], running: Counter[int], most_of_one: int) -> list[Acceptor]:
    """Those that run fewer than another does, with no request of their own behind these."""
    return [
        each
        for each in full
        if each.waits_on and 0 < running[each.pid] < most_of_one and each.connections == running[each.pid]
    ]


def _deaf(snapshot: Snapshot, handlers: set[int]) -> list[Acceptor]:
    """Those that never ran a handler and do not wait for a socket of their own, while others run them from theirs."""
    serving = [each for each in snapshot.acceptors if each.pid in handlers]
    waits = {each.inode for each in snapshot.listeners if each.depth}
    served = {inode for each in snapshot.acceptors for inode in each.waits_on or ()}
    served |= {inode for each in serving for inode in each.listeners}
    known = all(each.waits_on is not None for each in snapshot.acceptors)
    if not serving or not known or snapshot.front is not None:
        return []
    # A master may hold the sockets of all its workers.
    return [each for each in snapshot.acceptors if waits & (own := set(each.listeners)) and not own & served]


def _starting(snapshot: Snapshot, handlers: set[int]) -> list[Acceptor]:
    """Those with the socket and the parent of what runs handlers that neither wait for it nor for anything else."""
    serving = [each for each in snapshot.acceptors if each.pid in handlers]
    kinds = {(each.parent, each.listeners) for each in serving}
    others = [each for each in snapshot.acceptors if each.pid not in handlers and each.waits_on == ()]
    return [each for each in others if each.rests is False and (each.parent, each.listeners) in kinds]


def _of_their_kind(snapshot: Snapshot, handlers: set[int]) -> list[Acceptor]:
    accept = [each for each in snapshot.acceptors if each.waits_on or each.pid in handlers]
    # What runs handlers without a connection of this port gets them from another process, a router say.
    runs = [each for each in accept if each.pid in handlers and (each.waits_on or each.connections != 0)]
    # Without a master, the first worker may have forked the others.
    parents = {each.parent for each in runs} | {each.pid for each in runs}
    return [each for each in accept if each.parent in parents]


def is_full(acceptor: Acceptor, snapshot: Snapshot, running: Counter[int]) -> bool:
    """Whether a request waits that this process would run if it could; also where that cannot be seen."""
    if not acceptor.waits_on or acceptor.connections is None:
        return True
    depths = [each.depth for each in snapshot.listeners if each.inode in acceptor.waits_on]
    if any(depth is None or depth > 0 for depth in depths):
        return True
    if running[acceptor.pid] and _waits_between(snapshot):
        return True
    return acceptor.connections > running[acceptor.pid]


def _waits_between(snapshot: Snapshot) -> bool:
    """Whether a request waits in the one queue that all processes behind a front take from, or in each of several."""
    queues = () if snapshot.front is None else snapshot.front.queues
    taken_from = {each.waits_on for each in snapshot.acceptors if each.waits_on}
    return len(taken_from) in range(1, len(queues) + 1) and all(each.depth for each in queues)


def idle_acceptors(snapshot: Snapshot, entries: Iterable[Entry]) -> tuple[int, ...]:
    """Processes of the kind that runs handlers that accept and never ran one."""
    handlers = {each.pid for each in entries}
    return tuple(each.pid for each in _of_their_kind(snapshot, handlers) if each.pid not in handlers)


def may_be_starting(snapshot: Snapshot, entries: Iterable[Entry]) -> tuple[int, ...]:
    """Processes with the socket that may be workers that still start, or hang, or do other work."""
    return tuple(each.pid for each in _starting(snapshot, {each.pid for each in entries}))
