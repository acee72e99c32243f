"""The verdict: what was measured, null where it was not, and why (schema 1)."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from holdfast.model.binding import Binding
from holdfast.model.front import Front
from holdfast.model.frozen import frozen
from holdfast.model.limits import Pressure
from holdfast.model.waiting import Library, Waiting

SCHEMA = 1

OFFER_MORE = "Offer more with --max-offered."
MACHINE_BUSY = "this machine was busy, so times are less sure than counts."
"""How two warnings end that tables of verdicts express in their own way: no bound reached; late observers."""

CALL_NOT_ASKED = "--call was not asked for"
HTTP2_NOT_ASKED = "--http2 was not asked for"
"""The reasons where these were not asked for; the terminal does not mention them."""

PLAIN_HTTP = "requests were sent in plain HTTP"
"""The reason where there is nothing to say of TLS."""

NOT_KEPT = "the run was saved before this limit was kept"
"""The reason of a limit that an older version did not record."""

ModelKind = Literal[
    "serial",
    "thread-per-request",
    "thread-pool",
    "process-per-request",
    "process-pool",
    "event-loop",
    "event-loop+thread-pool",
    "greenlets",
]


@frozen
class Target:
    server: str
    version: str | None
    command: tuple[str, ...]
    app: str
    view: str | None
    path: str
    held_in: str | None
    python: str | None


@frozen
class Limits:
    """Limits in force for the server; None where there is none, or it could not be read.

    Attributes:
        address_space, pids_max, threads_max, memory_max: as in `OtherLimits`.
    """

    nofile: int | None
    nproc: int | None
    somaxconn: int | None
    address_space: int | None = None
    pids_max: int | None = None
    threads_max: int | None = None
    memory_max: int | None = None


@frozen
class Places:
    """How many requests were in each place; the sum of all but `before_view` is the number offered.

    Attributes:
        before_view: of those in `userspace_queue`, how many the server had handed to the application: they waited
            there, and had not reached the view. None where that was not seen.
    """

    in_service: int = 0
    userspace_queue: int = 0
    accept_queue: int = 0
    syn: int = 0
    answered: int = 0
    rejected: int = 0
    refused: int = 0
    reset: int = 0
    closed: int = 0
    failed: int = 0
    before_view: int | None = None


@frozen
class OutsidePlaces:
    """The same as far as it is known from outside; None where it is not.

    Attributes:
        unplaced: requests that are in one of the places that are None; with them the sum is the number offered.
        before_view: always None: that shows only inside the server.
    """

    in_service: int | None
    userspace_queue: int | None
    accept_queue: int | None
    syn: int
    answered: int
    rejected: int
    refused: int
    reset: int
    closed: int
    failed: int
    unplaced: int
    before_view: None = None


ListenQueues = Literal["shared", "per-worker"]
"""Whether all workers accept from one queue, or each from its own."""


@frozen
class Ceiling:
    """The most that each place takes; None where it was not driven full.

    Attributes:
        bounded: False is "at least this many, no bound reached".
        accept_queue_limit: the backlog in force, read from the kernel.
        at_exact_load: least and most in service when exactly `in_service` requests are offered at once, over
            `at_exact_repeats` repeats.
        interval: least and most that `in_service` may be where it is an estimate, or where a process that accepts was
            not seen full; the most None without an upper bound. None where it was counted.
    """

    in_service: int | None
    bounded: bool | None
    userspace_queue: int | None
    userspace_queue_bounded: bool | None
    accept_queue: int | None
    accept_queue_limit: int | None
    at_exact_load: tuple[int, int] | None = None
    at_exact_repeats: int | None = None
    interval: tuple[int, int | None] | None = None

    @classmethod
    def unknown(cls) -> Ceiling:
        """Nothing was driven full."""
        return cls(None, None, None, None, None, None)


@frozen
class Model:
    """What ran the handlers.

    Attributes:
        handler_threads_reused: the threads that ran the views, where they are others than the
            threads on which the server called the application; None where they are the same.
        spread: held requests of each handler process, largest first.
    """

    kind: ModelKind | None
    processes: int | None
    threads_per_process: int | None
    threads_reused: bool | None
    processes_reused: bool | None
    handler_threads_reused: bool | None
    globals_shared: bool | None
    listen_queues: ListenQueues | None
    spread: tuple[int, ...] | None

    @classmethod
    def unknown(cls) -> Model:
        """No handler was seen."""
        return cls(None, None, None, None, None, None, None, None, None)


@frozen
class Overflow:
    """Where requests go that find no free handler, in order, and what the last one gets."""

    first: str | None
    then: tuple[str, ...]
    client_sees: str | None


Fate = Literal["finishes", "cancelled", "place freed, handler goes on"]
"""What becomes of a running handler when its client leaves."""


@frozen
class ClientGone:
    """What becomes of a running handler whose client leaves by FIN, and by RST."""

    fin: Fate | None
    rst: Fate | None


@frozen
class Abandoned:
    """Clients that left.

    Attributes:
        left: while their requests were queued.
        run_anyway: handlers that still ran for these.
        in_service: about clients that left while their handlers ran.
    """

    left: int | None
    run_anyway: int | None
    in_service: ClientGone


@frozen
class Cost:
    """What each held request added to the server's process tree; None where it was not measured.

    Attributes:
        memory_bytes: anonymous resident memory.
    """

    descriptors: float | None
    threads: float | None
    processes: float | None
    memory_bytes: int | None

    @classmethod
    def unknown(cls) -> Cost:
        """Nothing was measured."""
        return cls(None, None, None, None)


@frozen
class Spread:
    """Median (the lower one of two) and maximum over bodies, ms."""

    median: float
    max: float


@frozen
class Body:
    """One body that ran alone; times in ms, None where they were not seen.

    Attributes:
        status: of its reply; None where none came.
        longest_stop_ms: the longest time for which its event loop could do nothing else.
        stopped_ms: all such times together.
    """

    status: int | None
    raised: bool
    duration_ms: float | None
    longest_stop_ms: float | None
    stopped_ms: float | None


@frozen
class Calls:
    """What bodies of views did when many were run together; None where it was not seen.

    Attributes:
        offered: requests that were offered for it.
        bodies: how many of their bodies began.
        finished: how many of these came to their end, by an exception or not.
        raised: how many of those by an exception.
        replies: HTTP status -> how many requests got it; "none" -> how many got no reply.
        at_once: most bodies that had begun and not ended at one instant; one that awaits is among them.
        running: of the bodies that had begun, how many ran while others waited in their view for their turn (a lock, a
            semaphore, a pool, a thread): what the application itself lets run. None where none waited so, and where it
            was not seen.
        processes: how many processes ran them.
        longest_stop_ms: the longest time for which one of them kept its event loop from everything else.
        stop_ms: the longest stop of each body.
        stopped_ms: all stops of each body together.
        duration_ms: from the beginning of each body to its end.
        loop: whose the loops are: "shared" by requests, or one that was made for each request ("own"); None where none
            ran, or where it was not seen.
        alone: the body that ran before, alone.
    """

    offered: int
    bodies: int
    finished: int
    raised: int
    replies: dict[str, int]
    at_once: int | None
    processes: int | None
    longest_stop_ms: float | None
    stop_ms: Spread | None
    stopped_ms: Spread | None
    duration_ms: Spread | None
    loop: Literal["shared", "own"] | None
    alone: Body
    running: int | None = None


@frozen
class BeyondLimit:
    """Streams that were opened although the server's advertised limit forbids them.

    Attributes:
        offered: how many.
        sees: what the first of them got, as `Http2.overflow_sees` has it.
        error_code: by its name in RFC 9113, 7; None without one.
        others_lost: streams within the limit, on the same connection, that ended without an answer.
        in_the_end: what the first one got when all streams were let go; None if that is what it had got before.
    """

    offered: int
    sees: str
    error_code: str | None
    others_lost: int
    in_the_end: str | None


@frozen
class Http2:
    """Streams of HTTP/2, each of which is a request.

    Attributes:
        on_one_connection: most in service at once of those on one connection.
        on_one_connection_bounded: False is "at least this many, no bound reached".
        over_connections: most in service at once over several connections.
        over_connections_bounded: the same for these.
        streams_advertised: the server's SETTINGS_MAX_CONCURRENT_STREAMS.
        stream_limit: most streams that were open at once on a connection when a further one was turned away.
        overflow_sees: what a stream gets beyond the advertised limit, or where that was not reached, beyond those that
            run: waits | runs | REFUSED_STREAM | RST_STREAM | GOAWAY | reset | closed | HTTP status as a string.
        beyond_the_limit: None where none was offered.
    """

    on_one_connection: int | None
    on_one_connection_bounded: bool | None
    over_connections: int | None
    over_connections_bounded: bool | None
    streams_advertised: int | None
    stream_limit: int | None
    overflow_sees: str | None
    beyond_the_limit: BeyondLimit | None


@frozen
class OverTls:
    """What there is to say of TLS.

    Attributes:
        certificate_checked: False where any certificate was taken.
        before_handshake: of the requests in the server's own queue, how many wait there before their TLS handshake:
            the server has accepted the connection and does not know the request. None from outside.
    """

    certificate_checked: bool
    before_handshake: int | None


@frozen
class Timing:
    """Durations in seconds; probe_s is from the server's readiness to ceiling and places."""

    server_start_s: float | None
    probe_s: float | None
    total_s: float | None
    pacing_lag_p99_us: int | None


@frozen
class Verdict:
    """What was measured of a server.

    Attributes:
        unknown: why a field is None, by its dotted name.
        run: number of the saved run; None where it was not saved.
    """

    target: Target
    limits: Limits
    offered: int
    places: Places | OutsidePlaces
    established: int
    ceiling: Ceiling
    model: Model
    overflow: Overflow
    abandoned: Abandoned
    cost: Cost
    binding: Binding | None
    timing: Timing
    confidence: Literal["exact", "estimated"]
    unknown: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    call: Calls | None = None
    http2: Http2 | None = None
    tls: OverTls | None = None
    front: Front | None = None
    waiting: tuple[Waiting, ...] | None = None
    libraries: tuple[Library, ...] | None = None
    pressure: tuple[Pressure, ...] | None = None
    run: int | None = None
    schema: int = SCHEMA
