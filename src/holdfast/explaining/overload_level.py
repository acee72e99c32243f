"""One level of overload: clients come evenly and leave when their time is over; then, how the server recovers.

One loop drives three kinds of requests, each on connections of their own: the load; checks of the server's health, at
intervals; and, when the load has stopped, single requests one after another, until one is answered in its usual time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from holdfast.engine.prober import Prober
from holdfast.errors import InconclusiveError
from holdfast.infer.overload import is_usual
from holdfast.model.address import is_unix
from holdfast.model.frozen import frozen
from holdfast.model.overload import Attempt, Level
from holdfast.model.places import REPLIED, Outcome
from holdfast.model.samples import Usage
from holdfast.model.timeline import NEVER
from holdfast.model.units import MS, NS_PER_S
from holdfast.observe.processes import read_process_tree, read_usage
from holdfast.observe.starvation import FreeTime
from holdfast.probing.guards import check_processes
from holdfast.probing.session import Session
from holdfast.probing.waits import OPEN_STATES, REST_NS, TURN_NS, free_time_of

# A load that is late still looks at replies in between.
_AT_ONCE = 64
_LEAD_NS = 5 * MS
# A single request that was turned away at once is followed by the next one after a part of a service.
_SHORTEST_PAUSE_NS = 10 * MS
_PAUSES = 4
# A look at a thousand sockets takes the kernel a few milliseconds.
_SOCKETS_NS = 20 * MS
_INTERRUPTED = "it was stopped (Ctrl-C)"


@frozen
class Task:
    """What all levels have in common.

    Attributes:
        bodies: the bodies of views are run; otherwise views are held for the service time.
        limit_ns: how long a client waits.
        took_ns: a service alone.
        usual_ns: a single request as its client sees it.
        health_head: the request of a health check; None asks for the path of the load, without the body of its view.
        health_limit_ns: how long it may take.
    """

    session: Session
    bodies: bool
    limit_ns: int
    took_ns: int
    usual_ns: int
    health_head: bytes | None
    health_limit_ns: int


@frozen
class LevelSlots:
    """Which slots of the record a level has."""

    load: range
    checks: range
    singles: range


@dataclass(slots=True)
class _Clients:
    """Requests of one kind, which are opened in the order in which they are due.

    Invariant: those before `oldest` have ended, or have been told to.

    Attributes:
        limit_ns: how long each may take from when it is due; None does not end them.
    """

    prober: Prober
    limit_ns: int | None
    oldest: int = 0

    def leave(self, now_ns: int) -> None:
        """Ends those whose time is over."""
        due = self.prober.columns.due
        while (
            self.limit_ns is not None
            and self.oldest < self.prober.offered
            and due[self.oldest] + self.limit_ns <= now_ns
        ):
            self.prober.expire([self.oldest])
            self.oldest += 1

    @property
    def waiting(self) -> int:
        """How many have not ended."""
        return self.prober.offered - self.prober.ended


@dataclass(slots=True)
class _Course:
    """How far a level has come.

    Attributes:
        recovered: a single request was answered in its usual time.
        computed_ns: as in `Level`.
        inner: the deepest that the queues between the server's own processes were.
        quiet_ns: since when nothing of the load has been seen in the server; NEVER while something is.
        sockets_ns: when its sockets are to be looked at again.
    """

    task: Task
    slots: LevelSlots
    level: Level
    load: _Clients
    checks: _Clients
    singles: _Clients
    free: FreeTime
    recovered: bool = False
    quiet_ns: int = NEVER
    sockets_ns: int = NEVER
    computed_ns: int | None = None
    inner: int = 0
    began_ns: int = NEVER
    stopped_ns: int = NEVER
    at_rest_ns: int = NEVER

    @property
    def session(self) -> Session:
        """The server and its observers."""
        return self.task.session

    @property
    def stop_ns(self) -> int:
        """One interval after the last client is due."""
        return self.began_ns + round(self.level.planned * NS_PER_S / self.level.rate_per_s)


def run_level(task: Task, slots: LevelSlots, level: Level) -> Level:
    """Offers the level's requests, and watches the server until it has dealt with them and is as it was before.

    It ends early if the server dies or a person asks for it, with what was seen by then.

    Args:
        level: what is planned.

    Returns:
        The level with what was seen.
    """
    session = task.session
    if task.bodies:
        session.recording.call((*slots.load, *slots.singles), session.now_ns())
    for slot in slots.checks:
        session.recording.release(slot)
    session.sampler.rows.clear()
    with ExitStack() as stack:
        load = stack.enter_context(prober_for(session, slots.load))
        checks = stack.enter_context(prober_for(session, slots.checks, task.health_head))
        singles = stack.enter_context(prober_for(session, slots.singles))
        course = _Course(
            task,
            slots,
            level,
            _Clients(load, task.limit_ns),
            _Clients(checks, task.health_limit_ns),
            _Clients(singles, None),
            free_time_of(session),
        )
        cut_short = ""
        try:
            _offer(course)
            if not session.interrupts.asked:
                _watch_recovery(course)
        except InconclusiveError as error:
            cut_short = f"{error.what} {error.why}"
        finally:
            # From now on no further body begins.
            for slot in (*slots.load, *slots.singles):
                session.recording.release(slot)
        return _seen(course, cut_short or (_INTERRUPTED if session.interrupts.asked else ""))


def prober_for(session: Session, slots: Sequence[int], head: bytes | None = None) -> Prober:
    """Requests with these slots, none of which is opened yet.

    Args:
        head: sent instead, without a slot.
    """
    head_of: Callable[[int], bytes] = (lambda row: session.head_of(slots[row])) if head is None else (lambda _row: head)
    http2 = session.experiment.http2
    return Prober(session.address, session.port, head_of, len(slots), tls=session.tls, http2=http2)


def attempts_of(session: Session, prober: Prober, slots: Sequence[int]) -> tuple[Attempt, ...]:
    """The requests opened so far, with what the recorder wrote of them."""
    columns = prober.columns
    entries = {each.id: each for each in session.recording.entries(slots[0], slots[-1] + 1)} if slots else {}
    found = []
    for row in range(prober.offered):
        entry = entries.get(slots[row])
        found.append(
            Attempt(
                due_ns=columns.due[row],
                opened_ns=columns.opened[row],
                connected_ns=columns.connected[row],
                done_ns=columns.done[row],
                outcome=Outcome(columns.outcome[row]),
                status=columns.status[row],
                entered_ns=NEVER if entry is None else entry.entered_ns,
                left_ns=NEVER if entry is None else entry.left_ns,
            )
        )
    return tuple(found)


def _offer(course: _Course) -> None:
    session, load, checks, level = course.session, course.load.prober, course.checks.prober, course.level
    began_ns = course.began_ns = session.now_ns() + _LEAD_NS
    check_every_ns = (course.stop_ns - began_ns) // max(1, len(course.slots.checks))
    session.sampler.resume(began_ns)
    before = _usage(session)

    def due_ns(row: int) -> int:
        return began_ns + round(row * NS_PER_S / level.rate_per_s)

    def check_due_ns(row: int) -> int:
        return began_ns + check_every_ns * (2 * row + 1) // 2

    def over(now_ns: int) -> bool:
        # A load that came late still offers everything.
        return now_ns >= course.stop_ns and load.offered == level.planned

    while not over(now_ns := session.now_ns()) and not session.interrupts.asked:
        first = load.offered
        while load.offered < min(level.planned, first + _AT_ONCE) and due_ns(load.offered) <= now_ns:
            load.open(1, due_ns(load.offered))
        if checks.offered < checks.columns.capacity and check_due_ns(checks.offered) <= now_ns:
            checks.open(1, check_due_ns(checks.offered))
        course.free.look(lambda: ())
        _turn(course, due_ns(load.offered))
    course.stopped_ns = session.now_ns() if session.interrupts.asked else course.stop_ns
    after = _usage(session)
    if before is not None and after is not None:
        course.computed_ns = max(0, round((after.cpu_s - before.cpu_s) * NS_PER_S))


def _usage(session: Session) -> Usage | None:
    return read_usage(read_process_tree(*session.server.roots()), session.now_ns())


def _turn(course: _Course, next_ns: int) -> None:
    """Turns all three once, until this instant at the latest."""
    session, load = course.session, course.load.prober
    now_ns = session.now_ns()
    check_processes(session)
    if session.sampler.due(now_ns):
        entered = session.recording.entered(course.slots.load.start, course.slots.load.stop)
        session.sampler.look(now_ns, load.offered, load.established, entered)
        course.inner = max(course.inner, _inner_depth(session))
    load.turn(min(TURN_NS, max(0, next_ns - session.now_ns())))
    course.checks.prober.turn(0)
    course.singles.prober.turn(0)
    # After what has arrived was read: on a busy machine an answer may be there that came in time.
    course.load.leave(now_ns)
    course.checks.leave(now_ns)


def _inner_depth(session: Session) -> int:
    """Connections in the queues between the server's own processes, or between a front and the server."""
    inner = sum(session.kernel.accept_queue(port).depth or 0 for port in session.inner_ports)
    return inner + (0 if session.front is None else session.front.depth)


def _watch_recovery(course: _Course) -> None:
    """Watches until the server has dealt with all of the load and answers a single request in its usual time."""
    session, task = course.session, course.task
    stopped_ns = course.stop_ns
    deadline = stopped_ns + 2 * (stopped_ns - course.began_ns) + 5 * task.took_ns + NS_PER_S
    while (now_ns := session.now_ns()) < deadline and not session.interrupts.asked:
        _look_whether_quiet(course, now_ns)
        at_rest = course.quiet_ns != NEVER and now_ns - course.quiet_ns >= REST_NS
        _send_single(course, now_ns)
        if at_rest:
            course.at_rest_ns = course.quiet_ns
            if course.recovered:
                return
        _turn(course, now_ns + TURN_NS)


def _send_single(course: _Course, now_ns: int) -> None:
    singles = course.singles.prober
    if course.recovered or course.singles.waiting:
        return
    if singles.offered:
        row, columns = singles.offered - 1, singles.columns
        answered = columns.outcome[row] == Outcome.ANSWERED
        if answered and is_usual(columns.done[row] - columns.due[row], course.task.usual_ns):
            course.recovered = True
            return
        pause_ns = 0 if answered else max(_SHORTEST_PAUSE_NS, course.task.took_ns // _PAUSES)
        if now_ns < columns.done[row] + pause_ns:
            return
    singles.open(1)


def _look_whether_quiet(course: _Course, now_ns: int) -> None:
    """Notes since when the server has had nothing of the load: no handler, no queue, no open end of a connection."""
    if course.load.waiting or not _is_empty(course, now_ns):
        course.quiet_ns = NEVER
    elif course.quiet_ns == NEVER:
        course.quiet_ns = now_ns


def _is_empty(course: _Course, now_ns: int) -> bool:
    session, slots = course.session, course.slots.load
    if session.recording.in_service(slots.start, slots.stop):
        return False
    depth = session.kernel.accept_queue(session.listen_address).depth or 0
    if depth + _inner_depth(session) > course.singles.waiting + course.checks.waiting:
        return False
    if now_ns >= course.sockets_ns:
        course.sockets_ns = now_ns + _SOCKETS_NS
        return not _has_open_ends(course)
    return course.quiet_ns != NEVER


def _has_open_ends(course: _Course) -> bool:
    """Whether the server still has its end of a connection whose client has left: the request may be in a queue."""
    session, columns = course.session, course.load.prober.columns
    rows = range(course.load.prober.offered)
    # On a Unix socket, nothing is known of a client that has left.
    left = {columns.local_port[row] for row in rows if columns.outcome[row] not in REPLIED} - {0}
    ours = {0} if is_unix(session.address) else left
    ends = session.kernel.server_sockets(session.listen_address)
    return any(end.peer_port in ours and end.state in OPEN_STATES for end in ends)


def _seen(course: _Course, cut_short: str) -> Level:
    session, slots = course.session, course.slots
    now_ns = session.now_ns()
    for each in (course.load, course.checks, course.singles):
        each.prober.give_up(each.prober.pending())
    return replace(
        course.level,
        began_ns=course.began_ns,
        stopped_ns=course.stopped_ns or now_ns,
        at_rest_ns=course.at_rest_ns,
        watched_ns=now_ns,
        attempts=attempts_of(session, course.load.prober, slots.load),
        checks=attempts_of(session, course.checks.prober, slots.checks),
        singles=attempts_of(session, course.singles.prober, slots.singles),
        samples=tuple(session.sampler.rows),
        deepest_inner_queue=course.inner,
        starved_ns=None if course.free.total_ns is None else course.free.starved_ns,
        computed_ns=course.computed_ns,
        cut_short=cut_short,
    )
