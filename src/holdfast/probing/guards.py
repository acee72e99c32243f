"""Whether the server is still the whole server that the run began with; what a person is told when it is not."""

from __future__ import annotations

import signal
from collections.abc import Collection, Sequence

from holdfast.engine.prober import Prober
from holdfast.errors import InconclusiveError
from holdfast.infer.signals import HELD_NS, peak
from holdfast.model.places import Outcome
from holdfast.model.timeline import NEVER, Entry
from holdfast.model.units import NS_PER_S
from holdfast.observe.processes import find_holders, read_activity, read_descendants, read_process_tree
from holdfast.probing.readiness import check_alive, limits_as_cause, log_ends_with
from holdfast.probing.session import Session

_RAISE_THE_LIMIT = "If it has a time limit for requests (a worker timeout), raise it"
_OR_LESS_WORK = (
    "Raise its timeout of workers, or of requests. If the machine is busy, let it rest; otherwise find out what killed "
    "the process."
)
_OR_FIND_THE_KILLER = f"{_RAISE_THE_LIMIT}; otherwise find out what killed it."
_DIED_WITH_SEVERAL = (
    "It held several, so how long one of them had been held need not be a limit. A master ends a worker that does not "
    "report to it in time (a heartbeat, which a busy machine delays), or of which one request takes too long. The "
    "application may have ended it too."
)

# States of threads as in proc(5).
STOPPED = frozenset("Tt")
_DEAD = frozenset("ZX")
_UNANSWERED = frozenset({Outcome.CLOSED, Outcome.RESET})


class KilledError(InconclusiveError):
    """A process of the server was killed: what had been counted by then is valid, and nothing after it."""


def check_processes(session: Session) -> None:
    """Checks that the server's first process runs and that none was killed. Costs one poll(2).

    Raises:
        InconclusiveError: the first process has ended.
        KilledError: another one was killed.
    """
    killed = session.ends.killed()
    # After that, since the first process may be among these.
    check_alive(session.server, "in the middle of the probe", InconclusiveError)
    for pid, number in killed.items():
        raise KilledError(
            f"A process of the server died in the middle of the probe (pid {pid}).",
            f"It was ended by signal {number} ({signal.strsignal(number)}), with which no process ends itself in the "
            f"normal course of things.{log_ends_with(session.server)}",
            f"{_OR_FIND_THE_KILLER}{limits_as_cause(session.server)}",
        )


def check_held_requests(session: Session, prober: Prober | None = None) -> None:
    """Checks that the server could move, and that every held request is still held.

    Args:
        prober: of the ramp, whose requests have not been released, so that their handlers and processes must still
            be there; None checks the movement alone.

    Raises:
        InconclusiveError: the server is stopped, so that nothing *can* move in it; or a process that held a request
            has died, so that places for requests are missing; or it has aborted a handler, so that a place became
            free and was taken by another request.
    """
    entries = session.recording.entries(0, 0 if prober is None else prober.offered)
    running = [entry for entry in entries if entry.left_ns == NEVER]
    holding = {entry.pid for entry in running}
    processes = read_activity(read_process_tree(*session.server.roots())).processes
    states = {process.pid: {thread.state for thread in process.threads} for process in processes}
    stopped = [pid for pid in states if states[pid] & STOPPED]
    if stopped:
        raise InconclusiveError(
            "The server was stopped (SIGSTOP, or a debugger) in the middle of the probe.",
            f"Its process {stopped[0]} takes no requests, so what could be counted is not its ceiling.",
            "Let it run, and probe again.",
        )
    dead = {pid for pid in holding if states.get(pid, _DEAD) <= _DEAD}
    # A server in a pid namespace of its own writes numbers that mean nothing out here.
    if prober is not None and dead and (holding - dead or not dead.isdisjoint(session.pids)):
        raise _died_holding(session, prober, entries, dead)
    if aborted := [entry for entry in entries if entry.left_ns != NEVER]:
        raise _aborted_handlers(session, entries, aborted)


def _died_holding(
    session: Session, prober: Prober, entries: Sequence[Entry], dead: Collection[int]
) -> InconclusiveError:
    lost = [each for each in entries if each.left_ns == NEVER and each.pid in dead]
    ends = [(prober.columns.done[each.id] or session.now_ns(), each) for each in lost]
    held_s, pid = max(((done - each.entered_ns) / NS_PER_S, each.pid) for done, each in ends)
    most = peak(entries, min(done for done, _ in ends))
    alone = sum(each.pid == pid for each in lost) == 1
    limit = (
        f"A time limit for requests does that (a worker timeout), here one of about {held_s:.1f} s, unless "
        "the application ended it."
    )
    return InconclusiveError(
        f"A process of the server died in the middle of the probe, {held_s:.1f} s after a request that it held had "
        f"entered its handler (pid {pid}).",
        f"{_how(session, pid)}. {limit if alone else _DIED_WITH_SEVERAL} What could be counted is not "
        f"the whole server's ceiling; before that, {most} were in service at once."
        f"{log_ends_with(session.server)}",
        f"{_OR_FIND_THE_KILLER if alone else _OR_LESS_WORK}{limits_as_cause(session.server)}",
    )


def _aborted_handlers(session: Session, entries: Sequence[Entry], aborted: Sequence[Entry]) -> InconclusiveError:
    longest_ns = max(entry.left_ns - entry.entered_ns for entry in aborted)
    most = peak(entries, min(entry.left_ns for entry in aborted))
    limit = f"A time limit for requests does that, here one of about {longest_ns / NS_PER_S:.1f} s. "
    return InconclusiveError(
        f"The server aborted requests that were held in their handlers ({len(aborted)} of {len(entries)}).",
        f"{limit if longest_ns > HELD_NS else ''}Their places became free, so what could be counted is not its "
        f"ceiling; before that, {most} were in service at once.{log_ends_with(session.server)}",
        f"{_RAISE_THE_LIMIT}.",
    )


def no_longer_accepting(session: Session) -> tuple[int, ...]:
    """Processes that listened when the server was ready and no longer do, or have ended."""
    inodes = [each.inode for address in session.taken_from for each in session.kernel.listeners(address)]
    still = {pid for pids in find_holders(inodes, session.accepting).values() for pid in pids}
    return tuple(sorted(set(session.accepting) - still))


def check_accepting(session: Session, prober: Prober) -> None:
    """Checks that every process that took requests at first still does.

    Args:
        prober: of the ramp.

    Raises:
        InconclusiveError: one does not, so that its places are missing or about to be provided by another process.
    """
    if gone := no_longer_accepting(session):
        if lost := [pid for pid in gone if pid in session.ends.ended() and _lost_a_request(session, prober, pid)]:
            raise _ended_with_a_request(session, lost[0])
        raise InconclusiveError(
            f"A process of the server stopped taking requests in the middle of the probe (pid {gone[0]}).",
            "It closed its listening socket or ended. A server that recycles its workers after a number of requests "
            "does that; what could be counted is what was left of the server, not its ceiling.",
            "Raise the maximum number of requests for each worker, and probe again.",
        )


def _lost_a_request(session: Session, prober: Prober, pid: int) -> bool:
    """Whether the application was called in this process with a request whose connection closed without an answer."""
    prober.turn(0)  # it closes before the process has ended
    handed = [each.id for each in session.recording.handed(0, prober.offered) if each.pid == pid]
    return any(prober.columns.outcome[id] in _UNANSWERED for id in handed)


def _how(session: Session, pid: int) -> str:
    status = session.ends.failed().get(pid)
    return "It ended" if status is None else f"It ended with exit status {status}"


def _ended_with_a_request(session: Session, pid: int) -> InconclusiveError:
    return InconclusiveError(
        f"A process of the server ended in the middle of the probe, with a request in it (pid {pid}).",
        f"{_how(session, pid)} while the application had a request that had not come to its view and got no answer: "
        "the application ended it, or something in it failed. What could be counted is what was left of the server, "
        f"not its ceiling.{log_ends_with(session.server)}",
        "Find out what ended it, and probe again.",
    )


def gone(session: Session, held: Sequence[Entry]) -> tuple[int, ...]:
    """The processes that have run a handler and do not exist; () where pids of the record mean nothing out here."""
    there = set(read_descendants(*session.server.roots()))
    ended = {each.pid for each in session.recording.entries(0, session.slots.recorded)} - there
    return () if any(each.pid in ended for each in held) else tuple(sorted(ended))


def check_none_lost(session: Session) -> None:
    """Checks that no process has ended with requests in its handlers.

    Raises:
        InconclusiveError: one has, so its places are missing, and those requests never leave.
    """
    ended = set(session.pids) - set(read_descendants(*session.server.roots()))
    entries = session.recording.entries(0, session.slots.recorded)
    if lost := [each.pid for each in entries if each.left_ns == NEVER and each.pid in ended]:
        raise InconclusiveError(
            f"A process of the server ended in the middle of the probe (pid {lost[0]}).",
            f"It had {lost.count(lost[0])} requests in their handlers, so it did not end because its work was done; "
            f"what could be counted is not the whole server's ceiling.{log_ends_with(session.server)}",
            "Find out what ended it, and probe again.",
        )
