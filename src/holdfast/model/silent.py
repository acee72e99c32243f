"""Clients that say nothing: what was seen of a server that has them, and what follows from it."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from holdfast.model.frozen import frozen

Silence = Literal["nothing", "half a request", "idle", "unread"]
SILENCES: tuple[Silence, ...] = ("nothing", "half a request", "idle", "unread")
"""What a silent client does: it sends nothing; sends a request line and one header field; stays idle after an answer;
asks for a long reply and reads none of it."""

SilentEnd = Literal["", "closed", "reset", "turned away", "failed"]
"""How a silent connection ended: "" is not at all, "failed" is our own side."""

DEFAULT_MOST = 1200
"""Past the connections that a worker of any server takes by default, 1,024."""
DEFAULT_MOST_UNREAD = 64
"""A reply that is not read waits in the server's memory, several megabytes for each."""
DEFAULT_PATIENCE_S = 6.0
"""Five seconds is the most usual time-out of servers."""


@frozen
class Timeout:
    """A time after which a server is said to end silence.

    Attributes:
        name: the server's own name for it.
        seconds: the value in force; None is none at all.
        ends: which silences.
        lag_s: how much later the server may notice, since it looks now and then.
        options: how it is spelt on the command line, the spelling to add it with first; empty where it cannot be given
            there.
        units_per_s: what its value counts there: 1 is seconds, 1000 milliseconds.
    """

    name: str
    seconds: float | None
    ends: tuple[Silence, ...]
    lag_s: float = 1.0
    options: tuple[str, ...] = ()
    units_per_s: int = 1


@frozen
class SilentConnection:
    """One connection of a silent client. Instants are CLOCK_MONOTONIC ns, 0 where they did not come.

    Attributes:
        opened_ns: its SYN.
        silent_ns: since when nothing more came from it: it was connected, or had sent its last byte, or the answer
            before its silence had come, or the first bytes of a reply lay there unread.
        ended_ns: when the server ended it.
        left_ns: when we closed it.
        status: of what the server sent at the end; 0 where it sent no head of a reply.
    """

    opened_ns: int
    silent_ns: int
    ended_ns: int
    left_ns: int
    how: SilentEnd
    status: int


@frozen
class OrdinaryRequest:
    """One whole request on a connection of its own, and how many silent connections were open when it was sent.

    Attributes:
        done_ns: when it had ended, CLOCK_MONOTONIC ns; 0 if it had not when the run was over.
        outcome: as `model.places.Outcome` labels it, "answered", "rejected", "pending".
        received: bytes of its reply.
    """

    silent: int
    opened_ns: int
    done_ns: int
    outcome: str
    status: int
    received: int


@frozen
class SilentRun:
    """One server and silent clients of one kind.

    Attributes:
        most: silent connections that were to be opened at most.
        limit_ns: an ordinary request that takes longer waits.
        usual: requests before there was any silent connection.
        requests: those afterwards, in order.
        decisive: index of the request that waited or was turned away, after one fewer did not; None where there was
            none.
        fewer: the most silent connections that were open when an ordinary request was answered in time.
        watched_from_ns, watched_to_ns: when it was only looked at what becomes of it.
        others: requests that were sent together with the decisive one, where several processes or listeners take
            connections: some of these may have places left.
        queued: connections in the accept queue when the decisive request turned out to wait; None where there are
            several such queues, or it cannot be read.
        left: requests after all silent clients had left; none where that was not tried.
        replaced: processes that took requests, and no longer did at the end.
        reply_bytes: length of every reply; None is an ordinary, short one.
        changed: name and seconds of the time-out that was set to another value; None where none was.
        given_up: why it was broken off, in words; "" where it was not.
    """

    silence: Silence
    most: int
    limit_ns: int
    usual: tuple[OrdinaryRequest, ...]
    connections: tuple[SilentConnection, ...]
    requests: tuple[OrdinaryRequest, ...]
    decisive: int | None
    fewer: int
    watched_from_ns: int
    watched_to_ns: int
    others: tuple[OrdinaryRequest, ...] = ()
    queued: int | None = None
    left: tuple[OrdinaryRequest, ...] = ()
    replaced: tuple[int, ...] = ()
    reply_bytes: int | None = None
    changed: tuple[str, float] | None = None
    given_up: str = ""


@frozen
class SilentRecord:
    """What was seen of one server and its silent clients.

    Attributes:
        timeouts: those that the server is said to have.
        runs: one for each silence, and one more for each time-out that was changed to see whether it decides.
    """

    server: str
    version: str
    command: tuple[str, ...]
    timeouts: tuple[Timeout, ...]
    runs: tuple[SilentRun, ...]
    interrupted: bool = False


@frozen
class EndedBy:
    """The time-out that ends a silence, or would.

    Attributes:
        setting: the server's own name for it.
        seconds: its value in the run; None where it was not set.
        proved: whether the time followed when the value was changed; None where it was not changed.
        changed_to_s, then_s: the other value, and when it ended then; None where it was not changed.
    """

    setting: str
    seconds: float | None
    proved: bool | None = None
    changed_to_s: float | None = None
    then_s: float | None = None


@frozen
class SilenceFound:
    """What silent clients of one kind do to a server.

    Attributes:
        silence: which kind: "nothing", "half a request", "idle" or "unread".
        connections: the fewest that make an ordinary request wait, or have it turned away; None where none up to
            `tried` did, or it is not known.
        at_least: the same as `connections`; less where only the interval between the two is known.
        by_chance: whether it depends on which of several workers takes a client, so that another run may give another
            number: some requests were answered in time, or those that waited had been taken by a worker. None where
            only one worker takes them all, or no request waited.
        tried: the most that were open at once.
        request_gets: what became of that request: "waits", "503", "reset", ...; None where there was none.
        usual_ms: how long an ordinary request takes without them.
        waited_s: how long it waited, or until requests were answered again; None where it did not wait, or waited
            still.
        waits_up_to_s: how long it would have waited, had all of them and the request come with the first; None where
            `waited_s` is.
        watched_s: how long it was looked at what becomes of it.
        answered_once_they_left: whether a request was answered as soon as they had left; None where that was not tried.
        connection_gets: what the server does to the silent connection: "closed", "reset", "408", ...; None where
            nothing was seen.
        ended_after_s: after which silence; None where nothing was seen.
        worker_ended: the server ended a process that took requests.
        ended_by: None where it is not known.
        would_end: a time-out of the server that is not set, and that ends it once it is; None where none was found.
        broken_off: the run did not come to its end, so that more connections might have made a request wait.
        unknown: by field, why it is null.
    """

    silence: Silence
    connections: int | None
    at_least: int | None
    by_chance: bool | None
    tried: int
    request_gets: str | None
    usual_ms: float | None
    waited_s: float | None
    waits_up_to_s: float | None
    watched_s: float
    answered_once_they_left: bool | None
    connection_gets: str | None
    ended_after_s: float | None
    worker_ended: bool
    ended_by: EndedBy | None
    would_end: EndedBy | None = None
    broken_off: bool = False
    unknown: dict[str, str] = field(default_factory=dict)


@frozen
class Silent:
    """What silent clients do to a server.

    Attributes:
        server: its name.
        version: of it; "" where it does not say.
        command: that started it.
        silences: one for each kind.
        interrupted: a person ended it early.
        schema: version of this form of the object.
        kind: tells it from other objects.
    """

    server: str
    version: str
    command: tuple[str, ...]
    silences: tuple[SilenceFound, ...]
    interrupted: bool = False
    schema: int = 1
    kind: str = "silent"
