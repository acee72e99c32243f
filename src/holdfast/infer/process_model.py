"""What ran the handlers, judged from the recorder's rows alone.

Native thread ids are recycled and thread names repeat, so reuse is not judged from them alone: a thread that enters its
second request says so itself (its own sequence number is 2), or it is the first one and is known to have been there
throughout. That a thread is *not* reused needs more than the absence of such a row: later requests must have been
entered after earlier ones had left, so that there was something to reuse.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from operator import attrgetter

from holdfast.infer.ceiling import NO_LISTENER
from holdfast.infer.known import Known, because, fields_of, missing
from holdfast.infer.signals import NOTHING_OUTLIVED, first_again, later_entries, reused
from holdfast.model.timeline import Acceptor, Entry, Listener, Outlived
from holdfast.model.verdict import ListenQueues, Model, ModelKind

_UNSEEN = "too few requests were entered after others had left to show it"


def model_of(
    entries: Sequence[Entry],
    held: Sequence[Entry],
    late: Collection[int] = (),
    idle: Collection[int] = (),
    outlived: Outlived | None = None,
    loops: Collection[int] = (),
) -> Known[Model]:
    """The process model; `listen_queues` is None without a reason, because handler runs say nothing about it.

    Args:
        entries: all handler runs of the experiment.
        held: those that were in service together when every place was full.
        late: processes that were not there at that time.
        idle: processes of the same kind that accept and never ran a handler.
        outlived: what of the first handler's process and threads was still there later; None where that is unknown.
        loops: processes in which an event loop was seen to accept.
    """
    if not held:
        names = set(fields_of("model", Model)) - {"model.listen_queues"}
        return Known(Model.unknown(), because("no handler was running when the places were counted", names))
    later = later_entries(entries)
    still = outlived or NOTHING_OUTLIVED
    processes_reused = reused((entry.process_seq for entry in entries), later, outlived=still.process)
    entry_again, again = (first_again(entries, attrgetter(thread)) for thread in ("entry_tid", "tid"))
    counts = (entry.entry_thread_seq for entry in entries)
    entry_reused = reused(counts, later, outlived=still.entry_thread, again=entry_again)
    handler_reused = reused((entry.thread_seq for entry in entries), later, outlived=still.thread, again=again)
    own_thread = any(entry.tid != entry.entry_tid for entry in held)
    on_loop = any(entry.entry_loop for entry in held)
    threads = handler_reused if on_loop and own_thread else entry_reused
    # A loop may hand what it has read to a thread that calls the application.
    by_loop = on_loop or any(entry.pid in loops for entry in held)
    there = [entry for entry in entries if entry.pid not in late]
    kind = _kind(there, held, by_loop=by_loop, processes_reused=processes_reused, threads_reused=threads)
    if kind == "serial" and idle:
        kind = "process-pool"
    spread = (*_spread(entries, held, kind, late), *([0] * len(idle)))
    unknown = _unseen(kind, processes_reused=processes_reused, threads_reused=threads)
    if not own_thread or on_loop:
        unknown["model.handler_threads_reused"] = "views run on the threads that threads_reused is about"
    elif handler_reused is None:
        unknown["model.handler_threads_reused"] = _UNSEEN
    shared = _globals_shared(entries)
    if shared is None:
        unknown["model.globals_shared"] = "only one request was entered"
    model = Model(
        kind=kind,
        processes=len(spread),
        threads_per_process=_threads_per_process(held, handlers=on_loop and own_thread),
        threads_reused=threads,
        processes_reused=processes_reused,
        handler_threads_reused=handler_reused if own_thread and not on_loop else None,
        globals_shared=shared,
        listen_queues=None,
        spread=spread,
    )
    return Known(model, unknown)


def _unseen(kind: ModelKind | None, *, processes_reused: bool | None, threads_reused: bool | None) -> dict[str, str]:
    """What of these is not known, with the reason."""
    unknown = {}
    if processes_reused is None:
        unknown["model.processes_reused"] = _UNSEEN
    if threads_reused is None:
        unknown["model.threads_reused"] = _UNSEEN
    if kind is None:
        unknown["model.kind"] = f"it depends on whether threads or processes are reused, and {_UNSEEN}"
    return unknown


def without_count(model: Model, starting: Sequence[int]) -> Known[Model]:
    """The model without what depends on whether these processes are workers.

    Args:
        starting: processes that hold the socket, and may still start, or do other work.
    """
    if not starting:
        return Known(model)
    kind = None if model.kind == "serial" else model.kind
    counted = replace(model, kind=kind, processes=None, spread=None)
    why = (
        f"what has the listening socket, has run no handler and does not accept (pid {', '.join(map(str, starting))}) "
        "may be a worker that still starts, or hangs, or do other work"
    )
    return Known(counted, because(why, set(missing("model", counted)) - set(missing("model", model))))


def listen_queues_of(
    listeners: Sequence[Listener], why_none: str = NO_LISTENER, behind: Sequence[Acceptor] = ()
) -> Known[ListenQueues | None]:
    """Whether all workers accept from one queue, or each from its own.

    Args:
        why_none: the reason where there are no listeners.
        behind: the processes that take what a front hands on, from sockets of their own.
    """
    if not listeners:
        return Known(None, {"model.listen_queues": why_none})
    queues = {inode for each in behind for inode in each.listeners} or {each.inode for each in listeners}
    return Known("per-worker" if len(queues) > 1 else "shared")


def _kind(
    entries: Sequence[Entry],
    held: Sequence[Entry],
    *,
    by_loop: bool,
    processes_reused: bool | None,
    threads_reused: bool | None,
) -> ModelKind | None:
    if by_loop:
        return _behind_loop(held, threads_reused=threads_reused)
    if max(Counter((entry.pid, entry.entry_tid) for entry in held).values()) > 1:
        return "greenlets"
    if processes_reused is False:
        return "process-per-request"
    if threads_reused is False:
        return "thread-per-request"
    if processes_reused is None or threads_reused is None:
        return None
    return _pool(entries)


def _behind_loop(held: Sequence[Entry], *, threads_reused: bool | None) -> ModelKind | None:
    """The kind where a loop accepts: `threads_reused` is about the threads that ran the handlers."""
    if all(entry.entry_loop and entry.loop and entry.tid == entry.entry_tid for entry in held):
        return "event-loop"
    if threads_reused is None:
        return None
    return "event-loop+thread-pool" if threads_reused else "thread-per-request"


def _pool(entries: Sequence[Entry]) -> ModelKind:
    """Threads and processes are both reused: by how many of either, at once or in turn?"""
    threads = defaultdict(set)
    for entry in entries:
        threads[entry.pid].add(entry.entry_tid)
    # A pool of which the application lets one thread run at a time shows its others one after another.
    if any(len(each) > 1 for each in threads.values()):
        return "thread-pool"
    return "process-pool" if len(threads) > 1 else "serial"


def _spread(
    entries: Sequence[Entry], held: Sequence[Entry], kind: ModelKind | None, late: Collection[int]
) -> tuple[int, ...]:
    counts = Counter(entry.pid for entry in held)
    # A worker that ran something before or after, but held nothing, was idle while others were
    # full: a finding. A process that serves one request only cannot idle.
    others = 0 if kind == "process-per-request" else len({entry.pid for entry in entries} - counts.keys() - set(late))
    return (*sorted(counts.values(), reverse=True), *([0] * others))


def _threads_per_process(held: Sequence[Entry], *, handlers: bool) -> int:
    threads = defaultdict(set)
    for entry in held:
        threads[entry.pid].add(entry.tid if handlers else entry.entry_tid)
    return max(len(each) for each in threads.values())


def _globals_shared(entries: Sequence[Entry]) -> bool | None:
    """Whether one counter in the module's globals numbered all requests: then no number occurs twice."""
    if len(entries) < 2:
        return None
    return len({entry.globals_seq for entry in entries}) == len(entries)
