"""Whether a server whose first request came to no view is only starting, and listens elsewhere or anew in a moment.

What answers may be there for the start alone, or be another part of the command:

- a supervisor listens for its own commands before it starts the programs (supervisord begins with a wait of a second);
- a page says that the server is starting, until its socket makes way for the server's own (OctoPrint);
- a script starts something, sleeps, and only then starts the server; or the server's own Python sleeps.
"""

from __future__ import annotations

import time
from dataclasses import replace

from holdfast.errors import InconclusiveError, UsageError
from holdfast.model.timeline import ServerFacts
from holdfast.model.units import NS_PER_S
from holdfast.observe.activity import Rest
from holdfast.observe.processes import read_activity, read_descendants
from holdfast.observe.startup_reports import read_startup_reports
from holdfast.probing.first_request import Answered, send_first_request
from holdfast.probing.readiness import await_ready, check_alive, listeners_now
from holdfast.probing.session import Session
from holdfast.probing.start import Running, connect_to, starting_of
from holdfast.probing.yet_to_listen import FirstSleeps, sleeps

_LOOK_S = 0.02
# supervisord waits for a second before it starts anything.
_STILL_NS = 3 * NS_PER_S // 2
_MOST_NS = 10 * NS_PER_S


def answered_first(running: Running) -> tuple[Session, ServerFacts, Answered]:
    """Connects to a started server and sends the first request, again as long as it opens another listening socket.

    Raises:
        UsageError, EnvironmentFailure, InconclusiveError: as `connect_to` and `send_first_request`, or it has ended.
    """
    try:
        session, facts = connect_to(running)
        return session, facts, send_first_request(session)
    except (InconclusiveError, UsageError) as error:
        if (anew := listens_anew(running)) is None:
            if (ended := ended_meanwhile(running)) is not None:
                raise ended from error
            raise
    return answered_first(anew)


def listens_anew(running: Running) -> Running | None:
    """The server when it is ready again, if it opens another listening socket; None if it does not.

    If it does not, and a method of a handler object was seen to answer (see `layout.METHODS_OFFSET`), that is the view:
    requests are held there from now on, and the server is the same. At last, requests are followed from their sockets
    (`layout.SOCKETS_OFFSET`).

    It is waited for until the server has been at rest for longer than a start pauses, and neither a script of it sleeps
    nor a Python in which nothing was found that can be held, for 10 s at most. None too for a server that is started by
    its adapter, and where a request came to something that can be held.

    Raises:
        EnvironmentFailure, UsageError, InconclusiveError: it opened another one and did not become ready again.
    """
    prepared, server = running.prepared, running.server
    if not prepared.spec.own or _came_somewhere(running):
        return None
    if (anew := _listening_elsewhere(running)) is not None:
        return anew
    said = read_startup_reports(prepared.files.hello)
    if server.exit_status() is not None:
        return None
    running.ends.watch(())
    if any(each.what == "method" for each in said) and prepared.recording.allow("methods"):
        return running
    # One that is still watched has come to an application, and holds a place of the server's.
    return running if not prepared.recording.is_watched() and prepared.recording.allow("sockets") else None


def _listening_elsewhere(running: Running) -> Running | None:
    prepared, server = running.prepared, running.server
    starting = starting_of(prepared, server, running.patience)
    known = {each.inode for each in running.ready.listeners}
    found_in = {each.pid for each in read_startup_reports(prepared.files.hello) if each.what in {"views", "entry"}}
    rest, rests_since_ns = Rest(), time.monotonic_ns()
    first = FirstSleeps(read_descendants(*server.roots()))
    until_ns = min(rests_since_ns + _MOST_NS, running.started_ns + int(starting.within_s * NS_PER_S))
    while server.exit_status() is None and not prepared.interrupts.asked:
        now_ns = time.monotonic_ns()
        tree = read_descendants(*server.roots())
        if (
            not rest.seen(now_ns, read_activity(tree))
            or first.last(now_ns)
            or any(sleeps(pid, found_in) for pid in tree)
        ):
            rests_since_ns = now_ns
        if now_ns > until_ns or now_ns - rests_since_ns > _STILL_NS:
            break
        if any(each.inode not in known for each in listeners_now(server, prepared.kernel)):
            ready = await_ready(starting, prepared.interrupts)
            # What answered may have been killed to make way for the server.
            running.ends.watch(())
            return replace(running, ready=ready, ready_ns=time.monotonic_ns())
        time.sleep(_LOOK_S)
    return None


def ended_meanwhile(running: Running) -> InconclusiveError | None:
    """What to say instead of what came of the first request, if the server has ended since; None if it has not.

    A master may end a moment after the worker that the request has cost.
    """
    try:
        check_alive(running.server, "after the first request", InconclusiveError)
    except InconclusiveError as error:
        return error
    return None


def _came_somewhere(running: Running) -> bool:
    recording, slots = running.prepared.recording, running.prepared.slots
    return any(map(recording.is_entered, (*slots.listeners, *slots.first_request)))
