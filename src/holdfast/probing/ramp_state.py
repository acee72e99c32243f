"""What the ramp sees, remembers and does: the values that `ramp.decide` takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from holdfast.model.accept_queue import AcceptQueue
from holdfast.model.frozen import frozen
from holdfast.model.places import Outcome
from holdfast.model.ramp import RampReason
from holdfast.model.timeline import NEVER
from holdfast.model.units import NS_PER_S
from holdfast.observe.asleep import ASLEEP_NS

TURNED_AWAY_ENOUGH = 4
GROWTH_MOST_NS = 20 * NS_PER_S

Stage = Literal["climb", "fill", "single"]


@frozen
class View:
    """Both sides at one moment; the kernel's view must be taken after the load's last turn.

    Attributes:
        offered, connecting, established: the load's counts, as `Prober` has them.
        entered: handlers entered since the ramp began.
        in_service: handlers entered and not left.
        processes: how many processes have entered handlers; 0 if that is not known.
        turned_away_enough: this many requests, offered one by one and all turned away, show that no place is left.
        last_entry_ns: when the last handler was entered; NEVER before the first.
        last_entry_sent_ns: when the load opened the connection of the request that was entered last;
            NEVER if that is not known.
        last_sent_ns: when the load opened its last connection.
        max_entry_gap_ns: the longest time between two entries; 0 if that is not known.
        depth: connections in the accept queue, summed over the port's listeners; None where it is not known.
        one_full: one of the port's queues is full, however much is free in the others; only looked for while a SYN
            is unanswered.
        free_ns: while requests waited, how long the server was not kept from running, in all; None where it
            is not known.
        limit: the backlog in force, summed so that limit + 1 is what the queues hold together; None
            where it is not known.
        room_behind: how many requests a front may hand on at once so that the server's queue refuses none; None without
            a front, and where its server refuses none.
        ended: how many requests have ended, by outcome.
        away_took_ns: how long the request that was turned away last had been under way; 0 before the first.
        cut: how many of them were held when the server ended them.
        untried: processes that accept and have started no handler yet, although others of their kind have.
        uneven: one process has started fewer handlers than another of its kind.
        growth_look_ns: how long the pool must not have grown while requests wait before its size counts; 0 where
            that is fixed.
        growth_most_ns: for how long, in all, requests may have waited for steps of growth.
        watch_ns: how long nothing more may have started, in any case, before the number in service counts.
        born_ns: when the latest new worker process was seen that had run nothing yet; NEVER where none came.
        way_ns: how long a request takes from its first byte to its view while nothing else is in the server.
        roomy: no process has used more than a small part of the descriptors that it may have.
        fits: how many more handlers may start until a process has all that it may have; None where they cost none.
        slowed: how many times as long the server has taken for want of a core, STARVED at most.
        asleep_ns: for how long the whole server has been asleep since the latest of all that has moved; 0 where it is
            not, or where that shows nothing.
        asleep_needed_ns: after so long, nothing of what it was sent can still be on its way to a handler.
        takers: how many processes take requests, as far as is seen: one may have room while another has none.
        room_between: there is a front, and a queue between it and the server has room.
    """

    now_ns: int
    offered: int
    connecting: int
    established: int
    entered: int
    in_service: int
    last_entry_ns: int
    last_sent_ns: int
    max_offered: int
    processes: int = 0
    turned_away_enough: int = TURNED_AWAY_ENOUGH
    max_entry_gap_ns: int = 0
    last_entry_sent_ns: int = NEVER
    depth: int | None = None
    limit: int | None = None
    one_full: bool = False
    free_ns: int | None = None
    ended: Mapping[Outcome, int] = field(default_factory=dict)
    away_took_ns: int = 0
    cut: int = 0
    untried: int = 0
    uneven: bool = False
    growth_look_ns: int = 0
    watch_ns: int = 0
    growth_most_ns: int = GROWTH_MOST_NS
    born_ns: int = NEVER
    way_ns: int = 0
    roomy: bool = False
    fits: int | None = None
    slowed: float = 1.0
    asleep_ns: int = 0
    asleep_needed_ns: int = ASLEEP_NS
    room_behind: int | None = None
    takers: int = 1
    room_between: bool = False

    @property
    def sleeps(self) -> bool:
        """The server will do nothing more with what it was sent, unless something happens elsewhere."""
        return self.asleep_ns >= self.asleep_needed_ns

    @property
    def queue(self) -> AcceptQueue:
        """The port's accept queues, counted as one."""
        return AcceptQueue(self.depth, self.limit)


@frozen
class LetIn:
    """Requests that were let in after others had been turned away, while no place was given back.

    Attributes:
        times: how often one was, each time after another one had been turned away.
        after_one: how often the one that was turned away before it had been alone on its way.
        after_many: how often one was that waits, after `ramp_let_in.MANY` had been turned away since the one before.
        first_ns: when the first of them was.
        entered: how many handlers had started before it.
        taken: how many connections, the most at a time, the server had accepted by then.
        away: how many had been turned away when the latest of them was let in.
        born_ns: the view's `born_ns` then.
    """

    times: int = 0
    after_one: int = 0
    after_many: int = 0
    first_ns: int = NEVER
    entered: int = 0
    taken: int = 0
    away: int = 0
    born_ns: int = NEVER


@frozen
class State:
    """What the ramp remembers between two looks; the default is its beginning.

    Attributes:
        known: that many are known to start when they come at once; 0 if that is not known.
        began_ns: when the first view was seen.
        batch: the most connections to open next, while the queues are filled.
        entered, depth, turned_away: as the last view had them.
        taken: the most connections that the server had accepted at once, as far as the depth is known.
        taken_ns: the last look that saw more of them accepted.
        filled_from: `taken` when the ramp began to fill the queues.
        turned_away_ns: the last look that saw more turned away.
        turned_away_free_ns: the view's `free_ns` then.
        stalled_since_ns: since when requests have waited and nothing has moved; NEVER if none waits.
        longest_stall_ns: the longest such time that was ended by an entry.
        grew_ns: all such times together that were long enough to see that a place was added meanwhile.
        born_ns: as the last view had it.
        stalled_free_ns: the view's `free_ns` at `stalled_since_ns`.
        opened_free_ns: the same when the last connection was opened.
        stuck: requests that waited on a plateau and still do, although another has started.
        overtaken: some of them wait for a busy worker, since one that was sent later started before them.
        expected_depth: the depth once the last batch has arrived in the queue.
        singly: since the first was turned away, one has been offered with no other on its way.
        singles_from: `turned_away` when that one was offered, or when the latest handler started.
        answered_for: `turned_away` when the last connection was opened.
        asked: how many were under way to be turned away once the last connections had been opened.
        pressed: how many were opened last while the queue behind a front was full; 0 where it was not.
        together: the most requests on their way to a handler since the last connection was opened.
        crowd: the most that were on their way when one was turned away.
        dealt: how many processes took requests when some were dealt to those that ran fewer; 0 before that.
        let_in: what was let in after that.
    """

    stage: Stage = "climb"
    known: int = 0
    began_ns: int = NEVER
    batch: int = 1
    entered: int = 0
    depth: int = 0
    taken: int = 0
    taken_ns: int = NEVER
    filled_from: int = 0
    turned_away: int = 0
    turned_away_ns: int = NEVER
    turned_away_free_ns: int = 0
    stalled_since_ns: int = NEVER
    longest_stall_ns: int = 0
    grew_ns: int = 0
    born_ns: int = NEVER
    stalled_free_ns: int = 0
    opened_free_ns: int = 0
    stuck: int = 0
    overtaken: bool = False
    pressed: int = 0
    expected_depth: int = 0
    singly: bool = False
    singles_from: int = 0
    answered_for: int = 0
    asked: int = 1
    together: int = 1
    crowd: int = 1
    dealt: int = 0
    let_in: LetIn = LetIn()


@frozen
class Open:
    """Open this many connections now, then turn the load once."""

    count: int


@frozen
class Deal:
    """Offer at most this many, one by one, to the processes that run fewer than another does."""

    most: int


@frozen
class Wait:
    """Turn the load for at most this long."""

    timeout_ns: int


@frozen
class Done:
    """The ramp is over: no further connection would tell more.

    Attributes:
        plateau_ns: since when no further handler had started while requests waited; NEVER if none waited.
        crowd: the most requests that were on their way to a handler at once when one was turned away.
        step_ns: the longest time for which requests had waited when one more handler started or worker came.
    """

    reason: RampReason
    plateau_ns: int
    crowd: int = 1
    step_ns: int = 0


Action = Open | Deal | Wait | Done
