"""Claims that the tables of the WSGI servers have in common, each with its source."""

from __future__ import annotations

from typing import Any

from expectation import Between, Formula, Quote, Says, Seen, Source
from sources import SAME_THREAD, all_in_service, fills_the_accept_queue, held_in, model, runs_for_nobody

BUILT_IN = "holdfast_inside/apps/flask_app.py, create(): the view is index()"
SYNC = (held_in("flask view index()", "sync", BUILT_IN), SAME_THREAD)

FORKED = "fork(2): each worker process has its own copy of the module's globals, and lives on between requests"
OWN_LISTENERS = "socket(7), SO_REUSEPORT: each worker has a queue of its own, and the kernel draws lots"
POOL_THREADS = Quote(
    "concurrent.futures.thread",
    "work_item = work_queue.get(block=True)",
    "a thread of the pool runs one call after another",
)
POOL_GROWS = Quote(
    "concurrent.futures.thread",
    "if num_threads < self._max_workers:",
    "so many threads and no more; who finds none waits in the executor's queue, which has no bound",
)


def threads(source: Source, *spread: int, **fields: Any) -> Says:
    """Threads that outlive their requests, so many held in each process."""
    kind = "thread-pool" if max(spread) > 1 else "process-pool" if len(spread) > 1 else "serial"
    return lasting(kind, source, *spread, **fields)


def greenlets(source: Source, *spread: int) -> Says:
    """Many held requests on the one thread of each process."""
    return lasting("greenlets", source, *spread, threads_per_process=1)


def lasting(kind: str, source: Source, *spread: int, **fields: Any) -> Says:
    """Processes and threads that serve one request after another."""
    several = len(spread) > 1
    if several:
        source = (*(source if isinstance(source, tuple) else (source,)), FORKED)
    reuse = {"threads_reused": True, "processes_reused": True, "globals_shared": not several}
    return model(source, kind, *spread, **reuse, **fields)


def in_turn(source: Source) -> Says:
    """One request after another on the one thread of one process."""
    return lasting("serial", source, 1)


def fresh_threads(source: Source) -> Says:
    """A thread for each request, however many there are."""
    return model(
        source,
        "thread-per-request",
        1,
        threads_per_process=all_in_service,
        spread=lambda seen: (all_in_service(seen),),
        threads_reused=False,
        processes_reused=True,
        globals_shared=True,
    )


def _under_descriptors(seen: Seen) -> int:
    """How many requests fit beside what the server has open at rest, one descriptor each."""
    assert seen.experiment.nofile is not None
    return seen.experiment.nofile - seen.resting.descriptors


under_descriptors = Formula("descriptors minus those open at rest", _under_descriptors)

NO_DESCRIPTOR = (
    "getrlimit(2), RLIMIT_NOFILE: descriptors below it; net/socket.c, __sys_accept4_file(): accept() takes one before "
    "it takes the connection from the queue"
)


def queues(listening: Says, unasked: Source, *, after: int = 0) -> tuple[Says, ...]:
    """The accept queue fills behind `after` that the server has accepted, and all of them are run in the end."""
    return (*fills_the_accept_queue(listening, after=after), *runs_for_nobody(unasked))


def fills_a_queue_of_its_own(listening: Says, unasked: Source, workers: int, *, after: int = 0) -> tuple[Says, ...]:
    """Each worker has a queue: lots decide which one fills first, and more are sent until the others are full too."""
    backlog = listening.fields["ceiling.accept_queue_limit"]
    most = workers * (backlog + 1)
    order = (*(["userspace_queue"] if after else []), "accept_queue", "syn")
    fate = {
        "places.accept_queue": most,
        "ceiling.accept_queue": most,
        "places.userspace_queue": after,
        "ceiling.userspace_queue": after,
        "ceiling.userspace_queue_bounded": True,
        "places.syn": Between(1),
        "overflow.first": order[0],
        "overflow.then": order[1:],
        "overflow.client_sees": "connect-timeout",
    }
    return (Says(OWN_LISTENERS, fate), listening, *runs_for_nobody(unasked))


def waits_unfilled(
    offered: int, running: int, accepted: int, source: Source, listening: Says, unasked: Source
) -> tuple[Says, ...]:
    """What was offered ends before the accept queue is full, in which the rest waits beyond the server's own."""
    fate = {
        "places.userspace_queue": accepted - running,
        "ceiling.userspace_queue": accepted - running,
        "ceiling.userspace_queue_bounded": True,
        "places.accept_queue": offered - accepted,
        "ceiling.accept_queue": None,
        "overflow.first": "userspace_queue",
        "overflow.then": ("accept_queue",),
        "overflow.client_sees": "waits",
    }
    return (Says(source, fate), listening, *runs_for_nobody(unasked))
