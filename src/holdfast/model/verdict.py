"""The verdict: what was measured, null where it was not, and why (schema 1)."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Literal

from holdfast.model.binding import Binding
from holdfast.model.call import Calls
from holdfast.model.front import Front
from holdfast.model.frozen import frozen
from holdfast.model.limits import Pressure
from holdfast.model.streams import Http2
from holdfast.model.waiting import Library, Waiting

SCHEMA = 1

NOT_SAVED = "it was not saved"
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
    """The server, and what was asked of it.

    Attributes:
        server: the name in `--server`; of a command of one's own the program that listens; "attach" from outside.
        version: of the server's package; None where it is not known, as of a command of one's own.
        command: what was started; empty from outside.
        app: the application as it was named, or "built-in"; of a command of one's own the command, from outside the
            URL.
        view: "sync", "async" or "async-blocking": how requests were held; None from outside.
        path: path and query of the requests.
        held_in: where they were held, as "flask view index()"; None from outside.
        python: version of the server's Python; None where the process that listens did not say.
        gil: its threads run Python code in turns, under the lock of the interpreter; False where that is built to do
            without it, and does. None where no handler told.
    """

    server: str
    version: str | None
    command: tuple[str, ...]
    app: str
    view: str | None
    path: str
    held_in: str | None
    python: str | None
    gil: bool | None = None

    @property
    def interpreter(self) -> str:
        """The server's Python in words; "" where it is not known."""
        if self.python is None:
            return ""
        return f"Python {self.python}{' without the GIL' if self.gil is False else ''}"


@frozen
class Limits:
    """Limits in force for the server; None where there is none, or it could not be read.

    Attributes:
        nofile: soft limit of descriptors.
        nproc: soft limit of processes and threads of its user.
        somaxconn: the kernel's cap on every backlog.
        address_space: bytes for each of the server's processes (RLIMIT_AS).
        pids_max: tasks in the strictest of the cgroups around it.
        threads_max: threads of the whole machine.
        memory_max: bytes in the strictest of the cgroups around it.
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
        in_service: the handler was entered and not left.
        userspace_queue: accepted by the server, handler not entered.
        accept_queue: connected, not accepted by the server.
        syn: the client's SYN was not answered.
        answered: got a reply with a status below 400.
        rejected: got another reply.
        refused: the connection was refused.
        reset: the connection was reset.
        closed: the connection was closed without a reply.
        failed: our own side failed: no port, no descriptor.
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
        in_service, userspace_queue, accept_queue, syn, answered, rejected, refused, reset, closed, failed: as of those
            that are counted inside.
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
        in_service: requests in service at once.
        bounded: False is "at least this many, no bound reached".
        userspace_queue: requests in the server's own queue.
        userspace_queue_bounded: False is "all that were offered, no end met".
        accept_queue: requests in the accept queue.
        accept_queue_limit: the backlog in force, read from the kernel.
        at_exact_load: least and most in service when exactly `in_service` requests are offered at once, over
            `at_exact_repeats` repeats.
        at_exact_repeats: how often exact load was offered.
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
        kind: what ran the handlers, in one word.
        processes: that held requests, or ran some before or after.
        threads_per_process: most threads that ran handlers in one process.
        threads_reused: a thread served more than one request.
        processes_reused: a process served more than one request.
        handler_threads_reused: the threads that ran the views, where they are others than the
            threads on which the server called the application; None where they are the same.
        globals_shared: all requests saw the same module globals.
        listen_queues: "shared" by all workers, or one "per-worker".
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
    """Where requests go that find no free handler, in order, and what the last one gets.

    Attributes:
        first: the place that a request goes to first; None where nothing overflowed.
        then: the places after that.
        client_sees: what the first request beyond every queue gets: "waits", "connect-timeout", "refused", "reset",
            "closed", an HTTP status as "503", or "rejected" for a reply that was not HTTP; None where none got that
            far.
    """

    first: str | None
    then: tuple[str, ...]
    client_sees: str | None


Fate = Literal["finishes", "cancelled", "place freed, handler goes on"]
"""What becomes of a running handler when its client leaves."""


@frozen
class ClientGone:
    """What becomes of a running handler whose client leaves by FIN, and by RST.

    Attributes:
        fin: the client closed its connection.
        rst: the client reset it.
    """

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
        descriptors: open files and sockets.
        threads: threads.
        processes: processes.
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
    """Durations in seconds; probe_s is from the server's readiness to ceiling and places.

    Attributes:
        server_start_s: from its start until it was ready; None from outside.
        probe_s: from then to ceiling and places; from outside, from the first request to the end.
        total_s: from ready to the end.
        pacing_lag_p99_us: 99th percentile of how much later than due requests were begun, in microseconds.
        watched_s: for how long requests waited, and none of them came into service or was turned away, until the first
            one was let go. What is slower is not seen. None where none waited, and from outside.
    """

    server_start_s: float | None
    probe_s: float | None
    total_s: float | None
    pacing_lag_p99_us: int | None
    watched_s: float | None = None


@frozen
class Verdict:
    """What was measured of one server.

    Attributes:
        target: what was measured.
        limits: in force for the server.
        offered: requests that were offered at once; from outside, the last burst.
        places: where each of them was at the census.
        established: how many of them had a connection that both ends took for established.
        ceiling: the most that each place takes.
        model: what ran the handlers.
        overflow: where requests go that find no free handler.
        abandoned: what became of clients that left.
        cost: what each request in service took of the server.
        binding: the setting that decides the ceiling; None after one probe, which cannot show it.
        timing: how long it all took.
        confidence: "estimated" where requests were turned away while several were on their way, and always from
            outside.
        unknown: dotted name of each field that is None -> why it is.
        warnings: doubts about the result, the most important one first.
        call: what bodies of views did; None without `--call`.
        http2: streams; None without `--http2`.
        tls: None where requests were sent in plain HTTP.
        front: a program in front of the server; None where the server itself accepts.
        waiting: where in the application requests wait; None where that was not seen.
        libraries: limits of libraries inside the server; None where that was not seen.
        pressure: how close the server came to each limit; None where that was not seen.
        run: number of the saved run; None where it was not saved.
        schema: version of this form of the object.
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


def of_run(verdict: Verdict, number: int) -> Verdict:
    """A verdict with the number of its saved run."""
    unknown = {name: why for name, why in verdict.unknown.items() if name != "run"}
    return replace(verdict, run=number, unknown=unknown)
