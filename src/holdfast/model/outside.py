"""The raw record of a look at a running server from outside: what the client and the kernel saw; no conclusions."""

from __future__ import annotations

from typing import Literal

from holdfast.model.experiment import OutsideExperiment
from holdfast.model.frozen import frozen
from holdfast.model.streams import StreamConnection, StreamEnd
from holdfast.model.timeline import Request, Snapshot, Stopped


@frozen
class Round:
    """A stretch of requests with which a server was looked at from outside.

    Attributes:
        kind: "single" (one request alone), "watched" (the same, while holdfast looked at the processes: its time may
            be that of the look), "burst" (all sent before the first is answered) or "steady" (a fixed
            number of clients, each replaced by a new one when its request has ended).
        first, last: ids of its requests, [first, last).
        clients: most requests at once.
        stopped_ns: no request was begun from then on.
        queue_full: the accept queue did not drain, so fewer requests were offered than intended.
        snapshot: the kernel's view when all were on their way and none was answered; None where it was not taken.
        cores: cores that the server's processes kept busy meanwhile; None where it was not seen.
    """

    kind: Literal["single", "watched", "burst", "steady"]
    first: int
    last: int
    clients: int
    stopped_ns: int
    queue_full: bool = False
    snapshot: Snapshot | None = None
    cores: float | None = None


@frozen
class RunningServer:
    """What is known of the server without a request.

    Attributes:
        address, port: that the requests went to, as of `model.address`.
        somaxconn, abort_on_overflow: of this machine; None where the server is on another one.
    """

    address: str
    port: int
    somaxconn: int | None
    abort_on_overflow: bool | None


@frozen
class OutsideStreams:
    """What was tried with many streams on one HTTP/2 connection.

    Attributes:
        connections: one, and a further one each time that the server had ended the last.
        rounds: bursts and steady stretches on them; ids count from 0.
        requests: those of all of them.
        beyond: ids of those that were opened in spite of the advertised limit, together with as many as it allows.
        ends: streams that RST_STREAM or GOAWAY ended.
        why_not: why none is beyond the limit, or why there are no rounds, in words; "" where there are.
    """

    connections: tuple[StreamConnection, ...]
    rounds: tuple[Round, ...]
    requests: tuple[Request, ...]
    beyond: tuple[int, ...] = ()
    ends: tuple[StreamEnd, ...] = ()
    why_not: str = ""


@frozen
class OutsideTimeline:
    """The whole raw record of one look from outside.

    Attributes:
        started_ns, first_sent_ns, ended_ns: of the run; NEVER where it did not come so far.
        rounds: in their order.
        requests: those of all rounds; the phase of those of the last burst, whose places are counted, is RAMP.
        kernel: the listening socket is on this machine, so the kernel says where connections wait.
        others: connections that others had to it when the first request was sent; None where it is not known.
        alive: it answered one more request after all rounds; None where that was not tried.
        notes: doubts that arose while recording, in words.
        stopped: None where it came to its end.
        interrupted: the person asked for the end before it came; False also of runs saved before that was kept.
        streams: None where HTTP/2 was not asked for, and where the run did not come so far.
    """

    experiment: OutsideExperiment
    server: RunningServer
    started_ns: int
    first_sent_ns: int
    ended_ns: int
    rounds: tuple[Round, ...]
    requests: tuple[Request, ...]
    kernel: bool
    others: int | None
    alive: bool | None
    notes: tuple[str, ...] = ()
    stopped: Stopped | None = None
    interrupted: bool = False
    streams: OutsideStreams | None = None
