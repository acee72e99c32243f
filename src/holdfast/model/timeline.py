"""The raw record of one experiment: what was seen, by whom, when; no conclusions.

All instants are CLOCK_MONOTONIC nanoseconds of one host; 0 (NEVER) is an instant that did
not come.
"""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from holdfast.model import units
from holdfast.model.accept_queue import AcceptQueue
from holdfast.model.call import Call
from holdfast.model.experiment import Experiment
from holdfast.model.front import SeenFront
from holdfast.model.frozen import frozen
from holdfast.model.limits import LimitLook, OtherLimits, OwnLimit
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.ramp import Ramp
from holdfast.model.samples import Sample, Usage
from holdfast.model.streams import Streams
from holdfast.model.waiting import BodiesAtRest, LibraryLimit, WaitingPoint

NEVER = units.NEVER

Gil = Literal["always", "off", "on", "asked for"]
"""How an interpreter runs, of which `Timeline.gil` tells."""


@frozen
class Request:
    """One request as the client saw it.

    Attributes:
        phase: what it was sent for.
        opened_ns: connect() was called for it.
        connected_ns: the handshake was complete on our side.
        local_port: our port, of a Unix socket the inode of our end; 0 where the connection never got one.
        status: HTTP status, 0 where no head of a reply came.
        sent_ns: its first byte was written, over TLS after the handshake; NEVER also where it was not recorded.
    """

    id: int
    phase: Phase
    due_ns: int
    opened_ns: int
    connected_ns: int
    done_ns: int
    outcome: Outcome
    status: int
    local_address: str
    local_port: int
    sent_ns: int = NEVER


@frozen
class Entry:
    """One handler run as the recorder inside the server wrote it.

    Attributes:
        pid, tid: process and native thread that ran the view.
        thread_seq: how many requests this thread had entered, this one included; 1 is a fresh thread.
        process_seq: the same for the process.
        globals_seq: value of a counter in the application's module globals after this request.
        loop: the view ran on a thread with a running asyncio loop.
        entry_tid, entry_thread_seq, entry_loop: the same for the thread where the server handed
            the request to the application, which may be another one.
        entries: how often this request id was entered (1, unless a server repeats a request).
    """

    id: int
    pid: int
    tid: int
    thread_name: str
    thread_seq: int
    process_seq: int
    globals_seq: int
    loop: bool
    entry_tid: int
    entry_thread_seq: int
    entry_loop: bool
    entered_ns: int
    left_ns: int
    entries: int


@frozen
class Handed:
    """The application was called with a request, as the recorder inside the server wrote it.

    Attributes:
        handed_ns: the first call for it.
        by_server: it was the server's own call; otherwise something of the application may have come before.
        pid: the process; 0 of runs saved before that was kept.
    """

    id: int
    handed_ns: int
    by_server: bool
    pid: int = 0


@frozen
class Listener:
    """One listening socket at one instant.

    Attributes:
        depth: established connections in its accept queue; None where the kernel does not say.
        limit: the backlog in force; the queue holds limit + 1. None where it is not known.
        pids: processes of the server's tree that hold it open.
    """

    inode: int
    address: str
    port: int
    depth: int | None
    limit: int | None
    pids: tuple[int, ...] = ()

    @property
    def queue(self) -> AcceptQueue:
        """Its accept queue."""
        return AcceptQueue(self.depth, self.limit)


@frozen
class ServerSocket:
    """The server's end of one connection to the probed port.

    Attributes:
        peer_address, peer_port: the client's end.
        state: TCP state by its name in the kernel ("ESTABLISHED", "SYN_RECV", "CLOSE_WAIT", ...).
        accepted: a process holds it; False while it waits in the accept queue (its inode is 0).
    """

    peer_address: str
    peer_port: int
    state: str
    accepted: bool


@frozen
class Acceptor:
    """A process that holds a listening socket of the probed port.

    Attributes:
        listeners: inodes of these sockets.
        waits_on: those that it watches (epoll, poll, select) or on which a thread of it is in accept(2); a master that
            only keeps the socket for its workers watches none. None where that may not be read.
        connections: connections of the port that it has accepted and holds, without what it has inherited from a worker
            that forked it; None where that may not be read.
        rests: whether it waits for these, for others but one of its own, or for messages, and so does not start or run;
            None where that may not be read, and of runs before it was.
        looks: whether a thread of it waits for these at that moment; none does while a handler blocks the loop that
            watches them. None as for `rests`.
    """

    pid: int
    parent: int
    listeners: tuple[int, ...]
    waits_on: tuple[int, ...] | None
    connections: int | None
    rests: bool | None = None
    looks: bool | None = None


@frozen
class Snapshot:
    """Everything that the kernel says about the probed port at one moment.

    Between `began_ns` and `ended_ns` nothing moved: the number entered, the number ended and
    the listeners' depths were the same before and after (`still`).

    Attributes:
        acceptors: looked up where several processes may accept; () elsewhere, and of runs saved before that was kept.
            Behind a front they are the server's.
        front: None where the server itself accepts, and of runs saved before that was kept.
    """

    began_ns: int
    ended_ns: int
    still: bool
    listeners: tuple[Listener, ...]
    sockets: tuple[ServerSocket, ...]
    acceptors: tuple[Acceptor, ...] = ()
    front: SeenFront | None = None


@frozen
class FirstRequest:
    """What the first request of a run, which is answered at once, shows of the application.

    Attributes:
        status: HTTP status of its answer.
        held_in: where requests will be held, in words: "flask view index()".
        kind: of the view, as `View` has it; "" where it is not known.
        via: "view"; "entry" where the path has none; "plain" where the application is itself the view; "unknown" where
            what lies behind its entry is not known; "whole" where the application's own code was seen to answer there;
            "method" where a method of a handler object of the standard library's answers; "library" where the
            application is plain code of a library, such as a page of metrics.
        ways_ns: how long each request that was sent first and alone took from its first byte to its view; () of runs
            saved before that was kept.
        tls: it came over TLS, as all others do then.
    """

    status: int
    held_in: str
    kind: str
    via: str
    ways_ns: tuple[int, ...] = ()
    tls: bool = False


@frozen
class Outlived:
    """What ran the first request and was there long after it, so that it may serve again; None was not looked at.

    Attributes:
        entry_thread: the thread on which the server called the application.
        thread: the one that ran the handler.
    """

    process: bool | None
    entry_thread: bool | None
    thread: bool | None


@frozen
class Marks:
    """Instants between the phases of a run; NEVER where the run did not come so far.

    Attributes:
        placed_ns: the places were counted.
        quiet_ns: after the release, the server had worked off what waited for it.
    """

    started_ns: int
    ready_ns: int = NEVER
    first_sent_ns: int = NEVER
    placed_ns: int = NEVER
    abandoned_ns: int = NEVER
    released_ns: int = NEVER
    quiet_ns: int = NEVER
    ended_ns: int = NEVER


@frozen
class Leaving:
    """A client that left while its request was in service.

    Attributes:
        id: of the request.
        how: by FIN (an orderly close) or by RST.
        at_ns: it left.
        until_ns: so long the server was watched; NEVER where what followed does not tell: it hardly got a core, or
            another client left at the same time and only one of the two made a difference.
    """

    id: int
    how: Literal["fin", "rst"]
    at_ns: int
    until_ns: int


@frozen
class Repeat:
    """As many requests as there are places, offered at once to a server at rest.

    Attributes:
        first, last: their ids, half-open [first, last).
        placed_ns: every place was filled, or nothing had moved for a while.
    """

    first: int
    last: int
    placed_ns: int


@frozen
class ExactLoad:
    """What was tried with exactly as many requests as there are places.

    Attributes:
        why_not: why there are no repeats, or no more than these, in words; "" where all were made.
    """

    repeats: tuple[Repeat, ...] = ()
    why_not: str = ""


@frozen
class ServerFacts:
    """What is known of the server without a request.

    Attributes:
        grows_by: the setting by which it adds workers under load; "" where none is known.
        waits_unread: what its threads wait for may not be read, so it cannot be told whether it was still starting.
        other_limits: None of runs saved before that was kept.
        own_limits: limits that were asked for and are not in force, because the server set others itself.
    """

    name: str
    version: str
    command: tuple[str, ...]
    python: str
    address: str
    port: int
    pids: tuple[int, ...]
    nofile: int | None
    nproc: int | None
    somaxconn: int | None
    abort_on_overflow: bool | None
    grows_by: str = ""
    waits_unread: bool = False
    other_limits: OtherLimits | None = None
    own_limits: tuple[OwnLimit, ...] = ()


@frozen
class Stopped:
    """Why a run gave up before its end, in words: what happened, why, what to do."""

    what: str
    why: str
    remedy: str


@frozen
class Timeline:
    """The whole raw record of one experiment, seen from inside the server too.

    Attributes:
        first_request, ramp, exact: None where the run did not come so far.
        placed: the kernel's view when every place was full; None if the run ended before.
        abandoned: ids of the requests whose clients left while these were queued.
        server_log: the end of what the server wrote.
        notes: doubts that arose while recording, in words.
        left_in_service: clients that left while their requests were in service, in order.
        stopped: None where it came to its end.
        replaced: processes that listened when the server was ready, and were gone when the last request was answered.
        calls: the bodies that were run; () where that was not asked for.
        interrupted: the person asked for the end before it came; False also of runs saved before that was kept.
        handed: requests with which the application was called; None of runs saved before that was kept.
        gone: processes that had run a handler and no longer existed when the places were counted; () of runs before it
            was kept.
        usage_again: a look at rest after exact load, and one with every place full again; () where several processes do
            not serve or exact load came at the end, and of runs before it was kept.
        came_later: workers that came after the count, while requests still waited; () of runs before it was kept.
        streams: None where HTTP/2 was not asked for, and where the run did not come so far.
        limit_looks: how much of each limit was used before the first request, and when every place was full; () where a
            look failed, and of runs saved before that was kept.
        stream_entries: the handler runs of requests on those streams.
        waiting: where in the application requests were, when the places were counted and when bodies ran; None where
            nothing was asked or no process has answered, and of runs saved before that was kept.
        libraries: when the places were counted; None as for `waiting`.
        bodies_at_rest: what the looks at bodies that ran together told, in order, of those at which no body moved; None
            of runs saved before that was kept.
        outlived: None where it was not looked for, and of runs saved before that was kept.
        gil: how handlers ran: "always": by an interpreter that was built with its lock. By one that was built to do
            without: "off", "on" where an extension module has enabled it, "asked for" where it was to be on. None where
            no handler ran, and of runs saved before that was kept.
        gil_enabled_by: names of the modules that have enabled it, as the interpreter wrote them into the server's log.
        accepting_loops: processes in which an event loop has accepted; () of runs saved before that was kept.
    """

    experiment: Experiment
    server: ServerFacts
    marks: Marks
    first_request: FirstRequest | None
    ramp: Ramp | None
    placed: Snapshot | None
    requests: tuple[Request, ...]
    entries: tuple[Entry, ...]
    abandoned: tuple[int, ...]
    samples: tuple[Sample, ...]
    usage: tuple[Usage, ...]
    server_log: str = ""
    notes: tuple[str, ...] = field(default=())
    left_in_service: tuple[Leaving, ...] = ()
    exact: ExactLoad | None = None
    stopped: Stopped | None = None
    replaced: tuple[int, ...] = ()
    calls: tuple[Call, ...] = ()
    interrupted: bool = False
    came_later: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    usage_again: tuple[Usage, ...] = ()
    handed: tuple[Handed, ...] | None = None
    streams: Streams | None = None
    stream_entries: tuple[Entry, ...] = ()
    limit_looks: tuple[LimitLook, ...] = ()
    waiting: tuple[WaitingPoint, ...] | None = None
    libraries: tuple[LibraryLimit, ...] | None = None
    outlived: Outlived | None = None
    gil: Gil | None = None
    gil_enabled_by: tuple[str, ...] = ()
    bodies_at_rest: tuple[BodiesAtRest, ...] | None = None
    accepting_loops: tuple[int, ...] = ()
