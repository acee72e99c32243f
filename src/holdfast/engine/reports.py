"""What is known of a load besides its rows: by one load process, and by the whole run; pure."""

from __future__ import annotations

from dataclasses import field

from holdfast.model.frozen import frozen
from holdfast.model.load import EventsResult, HostResult, StreamsResult


@frozen
class WorkerReport:
    """What one load process reports when it has ended.

    Attributes:
        begun: how many rows it began.
        reached: every row that it began has a lower number in its plan.
        failure: why our own side fell short, in words; None if it did not.
        too_slow: as in `Replies`.
        malformed: the first reply that was not HTTP/1, in words.
        excess, cut: as in `Replies`.
        location: where the last complete redirect led; "" if there was none.
        peak: most of its requests in flight at once; None if the process was lost.
        busy: share of its time in which it had work (0 to 1).
        lasted_s: how long it had requests to send or to wait for.
        redirects: requests of journeys that followed a redirect.
        notes: doubts that journeys have, in words.
        longest_stall_s, stalled_s: its longest stall, and all of them together (`engine.stalls`).
        sources: our addresses, as `columns.source` counts them.
        streams: over HTTP/2, how often it happened to connections and streams, by words (`stream_connections`).
        advertised: the server's SETTINGS_MAX_CONCURRENT_STREAMS; None where it sent none.
        nothing_listens: why it ended early, in words: nothing listens where it was to connect, or it does
            not speak HTTP/2; None if it did not.
    """

    begun: int = 0
    reached: int = 0
    failure: str | None = None
    too_slow: str | None = None
    malformed: str | None = None
    excess: int = 0
    cut: int = 0
    location: str = ""
    peak: int | None = None
    busy: float = 0.0
    lasted_s: float = 0.0
    redirects: int = 0
    notes: list[str] = field(default_factory=list)
    longest_stall_s: float = 0.0
    stalled_s: float = 0.0
    sources: list[str] = field(default_factory=list)
    streams: dict[str, int] = field(default_factory=dict)
    advertised: int | None = None
    nothing_listens: str | None = None


@frozen
class RunFacts:
    """What is known of a whole run besides its rows.

    Attributes:
        spans: first row and end of each plan's rows, in the order of the plans.
        sources: our addresses, as `columns.source` counts them, for each plan.
        stopped: why the stop rule ended the run early, in words; None if it did not.
        asked_per_s: the schedule's mean rate; None if there is no single one.
        peak: most requests in flight at once; None if no single process counted them.
        limits: what went wrong on our own side, in words.
        notes: other doubts, in words.
        location: where the last redirect led that was read in full; "" if there was none.
        hosts: those that shared the load; () if this host alone sent it.
        events: in replies; None where none were looked for.
        http2: of streams; None over HTTP/1.1.
        together: all requests were to begin at one instant.
        redirects: requests of journeys that followed a redirect.
    """

    spans: tuple[range, ...] = ()
    sources: tuple[tuple[str, ...], ...] = ()
    stopped: str | None = None
    asked_per_s: float | None = None
    peak: int | None = None
    limits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    location: str = ""
    hosts: tuple[HostResult, ...] = ()
    events: EventsResult | None = None
    http2: StreamsResult | None = None
    together: bool = False
    redirects: int = 0
