"""Rows of a timeline in a few words, for the tests of inference."""

from __future__ import annotations

from dataclasses import replace

from holdfast.model.experiment import Experiment, ProbeTarget
from holdfast.model.phase import Phase
from holdfast.model.places import Outcome
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import (
    Entry,
    FirstRequest,
    Listener,
    Marks,
    Request,
    ServerFacts,
    ServerSocket,
    Snapshot,
    Timeline,
)

AT = 1_000_000_000
HOST = "127.0.0.1"
FIRST_PORT = 40_000


def request(id: int, **changed: object) -> Request:
    """A connected request that waits for its answer."""
    plain = Request(id, Phase.RAMP, 1000, 1000, 2000, 0, Outcome.PENDING, 0, HOST, FIRST_PORT + id)
    return replace(plain, **changed)  # type: ignore[arg-type]


def entry(id: int, **changed: object) -> Entry:
    """A handler on the second thread of process 10 that was entered and not left."""
    plain = Entry(id, 10, 11, "t", 1, id + 1, id + 1, False, 11, 1, False, 5000 + id, 0, 1)
    return replace(plain, **changed)  # type: ignore[arg-type]


def on_thread(id: int, tid: int, seq: int, **changed: object) -> Entry:
    """A handler on that thread, where the server called the application too."""
    return entry(id, **{"tid": tid, "entry_tid": tid, "thread_seq": seq, "entry_thread_seq": seq} | changed)


def socket(id: int, *, accepted: bool, state: str = "ESTABLISHED") -> ServerSocket:
    return ServerSocket(HOST, FIRST_PORT + id, state, accepted)


def snapshot(*sockets: ServerSocket, depth: int | None = 0, limit: int | None = 128) -> Snapshot:
    return Snapshot(AT - 10, AT, True, (Listener(1, HOST, 80, depth, limit, (10,)),), tuple(sockets))


def timeline(requests: list[Request], entries: list[Entry], seen: Snapshot, reason: str = "syn") -> Timeline:
    return Timeline(
        experiment=Experiment(ProbeTarget("some")),
        server=ServerFacts("some", "1", ("some",), "3.11", HOST, 80, (10,), 256, None, 4096, False),
        marks=Marks(started_ns=1, ready_ns=500, placed_ns=AT, ended_ns=2 * AT),
        first_request=FirstRequest(200, "view", "sync", "view"),
        ramp=Ramp(reason, 900),
        placed=seen,
        requests=tuple(requests),
        entries=tuple(entries),
        abandoned=(),
        samples=(),
        usage=(),
    )
