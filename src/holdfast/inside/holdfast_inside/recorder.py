"""Records each handler run and holds it, at the cost of a handler that just sleeps.

Why shared memory. A held request must not consume what is being measured. One socket, pipe or eventfd per request
would halve the ceiling of a server under `ulimit -n`; an extra thread would change its thread counts; a lock would
make handlers wait for each other and so change the order in which they run. One file mapped into every server
process costs no descriptor (see `shared_memory`) and survives fork and preloading. Each request writes only its own
slot, chosen by the id that the client sent: no allocation, no coordination.

Why sleeping and looking. The handler has to wait for a word in memory, but no wait on memory (futex) lets others run
meanwhile under gevent, eventlet and asyncio alike. gevent and eventlet patch `time.sleep`; it is looked up at each
call, so greenlets yield exactly as in real code. Coroutines await `asyncio.sleep`. The price is one wake-up per look
interval: 2,000 threads at 20 Hz saturate the GIL, so holdfast writes a longer interval into the header as more
requests are held.

Order of writing. The slot is filled first and the state byte set last, so a reader that sees ENTERED sees a complete
slot (x86 makes stores visible in program order; on weaker machines the interpreter executes hundreds of instructions
between them). LEFT follows the same rule.

What shows reuse. The kernel recycles native thread ids, and thread names repeat. A thread-local counter starts at 1
in a new thread and cannot be inherited: its value is the number of held requests that this thread has run. After
fork, the child's only thread carries the parent's thread-local values, so the pid is kept with them. The process
counter restarts in a forked child too; `globals_seq` does not, because it models a global variable of the
application, which fork copies. All counters are `itertools.count`: `next()` on one is atomic under the GIL, `x += 1`
is not. Without the GIL it is atomic from Python 3.14 on (Modules/itertoolsmodule.c, count_next()).

gevent and eventlet replace `threading.local` by one that is local to a greenlet. The counters here are about native
threads, so they use the unpatched class.

If holdfast dies (SIGKILL), nothing would release the held requests. So one holder in each process checks every two
seconds whether holdfast's process and file still exist (neither check needs a descriptor), and releases what its own
process holds if not. If the owner was not visible to begin with, as from inside another pid namespace, only the file
counts. A process that has since moved to another root directory or namespace finds neither where it was, which says
nothing about holdfast: it does not look any more, and does not let go of what others hold.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from typing import Any, Dict, Iterator, Optional, Tuple

from . import gil, layout, loops, shared_memory

OWNER_CHECK_NS = 2_000_000_000
SHORTEST_LOOK_S = 0.001

Thread = Tuple[int, int, bool]
"""Where something ran: native thread id, how many requests that thread has run, whether an event loop runs on it."""


class Record:
    """The mapped file and its offsets; one object serves all threads and forked children."""

    __slots__ = (
        "answered",
        "checked_ns",
        "data",
        "left_alone",
        "owner",
        "owner_visible",
        "path",
        "release_at",
        "session",
        "slot_at",
        "slots",
        "state_at",
        "surroundings",
    )

    def __init__(self, path: str) -> None:
        self.path = path
        self.data = shared_memory.open_shared(path)
        magic, version, slots, owner, session = layout.HEADER.unpack_from(self.data, 0)
        if magic != layout.MAGIC or version != layout.VERSION:
            raise ValueError(f"{path} is not a record of this version of holdfast")
        self.slots = slots
        self.owner = owner
        self.session = session
        self.state_at = layout.state_offset(slots)
        self.release_at = layout.release_offset(slots)
        self.slot_at = layout.slot_offset(slots)
        self.checked_ns = time.monotonic_ns()
        self.owner_visible = _session_of(owner) == session
        self.surroundings = _surroundings()
        self.left_alone = False
        # The number of the latest question that was looked at; see `showing`.
        self.answered = 0


def _session_of(pid: int) -> Optional[int]:
    """None where the process may not be asked (getsid(2), EPERM); -1 where there is none."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1
    except OSError:
        return None


def _surroundings() -> Tuple[Tuple[int, int], ...]:
    """What decides which file a path names and which process a pid: root directory, mounts and pids (namespaces(7))."""
    found = []
    for path in ("/", "/proc/self/ns/mnt", "/proc/self/ns/pid"):
        try:
            status = os.stat(path)
        except OSError:
            found.append((0, 0))
        else:
            found.append((status.st_dev, status.st_ino))
    return tuple(found)


def _native(name: str) -> Any:  # noqa: ANN401 - a class or a function
    """What `threading` has for native threads, even if gevent or eventlet has replaced it."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original("threading", name)
    # eventlet imports modules, and with them this one, while a module of its own is in the place of `threading`.
    eventlet = sys.modules.get("eventlet.patcher")
    return getattr(threading if eventlet is None else eventlet.original("threading"), name)


def native_local() -> threading.local:
    """A `threading.local` for native threads."""
    return _native("local")()  # type: ignore[no-any-return]


_record: Optional[Record] = None
_local = native_local()
_process_counts: Dict[int, Iterator[int]] = {}
_globals_count = itertools.count(1)
_native_id = _native("get_native_id")


def record() -> Record:
    """The record of this run, mapped at the first call.

    Call it once while the server starts: later there may be no descriptor left to open the file.

    Raises:
        OSError: the file cannot be opened or mapped.
        ValueError: it is not a record of this version.
        KeyError: the environment variable that names it is missing.
    """
    global _record  # noqa: PLW0603 - one mapping for the whole process is the point
    found = _record
    if found is None:
        found = _record = Record(os.environ[layout.RECORD_VARIABLE])
        # Now, since a server without a descriptor left can import nothing any more. It imports this module itself.
        from . import showing  # noqa: F401
    return found


def note_entry_thread() -> Thread:
    """Counts one more request that the server passed to the application on the calling thread.

    Returns:
        that thread, for `enter`.
    """
    running = getattr(sys.modules.get("asyncio.events"), "_get_running_loop", None)
    loop = None if running is None else running()
    if loop is not None:
        from . import libraries

        libraries.note_request(loop)
        record().data[layout.LOOPS_OFFSET] = 1
    return _thread("entry")


def note_handed(id: int, *, by_server: bool) -> None:
    """Writes that the application was called with request `id`, if that has not been written yet.

    Args:
        by_server: by the server itself; otherwise something of the application may have come before.
    """
    shared = record()
    at = shared.slot_at + id * layout.SLOT_BYTES + layout.HANDED_OFFSET
    if layout.WORD.unpack_from(shared.data, at)[0]:
        return
    layout.HANDED.pack_into(shared.data, at, 0, by_server, os.getpid())
    layout.WORD.pack_into(shared.data, at, time.monotonic_ns())


def enter(id: int, held_in: str, kind: str, via: str, entry: Thread) -> None:
    """Writes the slot of request `id`: its handler has begun on the calling thread.

    Args:
        id: slot number, within range.
        held_in: where it is held, for people, such as "flask view index()".
        kind: one of layout.KINDS.
        via: one of layout.VIAS.
        entry: the result of `note_entry_thread` for this request.
    """
    now_ns = time.monotonic_ns()
    shared = record()
    data = shared.data
    at = shared.slot_at + id * layout.SLOT_BYTES
    entries = layout.ENTRIES.unpack_from(data, at + layout.ENTRIES_OFFSET)[0] + 1
    pid = os.getpid()
    tid, thread_seq, loop = _thread("view")
    process_count = _process_counts.get(pid)
    if process_count is None:
        # setdefault: two threads that come first at the same time must share one counter.
        process_count = _process_counts.setdefault(pid, itertools.count(1))
    layout.SLOT.pack_into(
        data,
        at,
        pid,
        entries,
        tid,
        next(process_count),
        thread_seq,
        next(_globals_count),
        entry[0],
        entry[1],
        now_ns,
        0,
        loop,
        entry[2],
        layout.KINDS.index(kind),
        layout.VIAS.index(via),
        gil.state(),
        _thread_name().encode("utf-8", "replace")[: layout.THREAD_NAME_BYTES],
        held_in.encode("utf-8", "replace")[: layout.HELD_IN_BYTES],
    )
    data[shared.state_at + id] = layout.ENTERED


def times_entered(id: int) -> int:
    """How often a handler of request `id` has begun."""
    shared = record()
    at = shared.slot_at + id * layout.SLOT_BYTES + layout.ENTRIES_OFFSET
    return int(layout.ENTRIES.unpack_from(shared.data, at)[0])


def hold_sync(id: int) -> None:
    """Blocks, with `time.sleep`, until request `id` is released, or has been served for as long as the record says."""
    shared = record()
    ends_ns = _ends_ns(shared)
    while not _released(shared, id, ends_ns):
        time.sleep(_look_s(shared, id, ends_ns))


async def hold_async(id: int) -> None:
    """Like `hold_sync`, but awaits with the sleep of asyncio, trio or Twisted."""
    sleep = loops.sleep_here()
    shared = record()
    ends_ns = _ends_ns(shared)
    while not _released(shared, id, ends_ns):
        await sleep(_look_s(shared, id, ends_ns))


def leave(id: int) -> None:
    """Writes that the handler of request `id` has left."""
    shared = record()
    at = shared.slot_at + id * layout.SLOT_BYTES + layout.LEFT_NS_OFFSET
    layout.WORD.pack_into(shared.data, at, time.monotonic_ns())
    shared.data[shared.state_at + id] = layout.LEFT


def body_starts_in_s(id: int) -> Optional[float]:
    """Seconds until the body of the released request `id` may begin; 0 or less once it may, None if it must not run.

    The answer may change until the body has begun.
    """
    shared = record()
    data = shared.data
    if data[layout.RELEASE_ALL_OFFSET] or shared.left_alone or data[shared.release_at + id] != layout.CALLED:
        return None
    at_ns: int = layout.WORD.unpack_from(data, layout.CALL_AT_OFFSET)[0]
    return (at_ns - time.monotonic_ns()) / 1e9


def call_offset(id: int) -> int:
    """Offset in the file of this request's CALL record."""
    shared = record()
    return shared.slot_at + id * layout.SLOT_BYTES + layout.CALL_OFFSET


def _ends_ns(shared: Record) -> int:
    """When a request that is held from now on has been served for as long as the record says; 0 if it says nothing."""
    service_ns: int = layout.WORD.unpack_from(shared.data, layout.SERVICE_OFFSET)[0]
    return service_ns and time.monotonic_ns() + service_ns


def is_left_alone(shared: Record) -> bool:
    """Whether everything was released, or holdfast is gone."""
    if shared.data[layout.RELEASE_ALL_OFFSET] or shared.left_alone:
        return True
    now_ns = time.monotonic_ns()
    if now_ns - shared.checked_ns > OWNER_CHECK_NS:
        shared.checked_ns = now_ns
        shared.left_alone = _owner_gone(shared)
    return shared.left_alone


def _released(shared: Record, id: int, ends_ns: int) -> bool:
    data = shared.data
    if data[layout.ASKED_OFFSET] != shared.answered:
        from . import showing

        showing.answer(shared)
    if data[shared.release_at + id] or (ends_ns and time.monotonic_ns() >= ends_ns):
        return True
    return is_left_alone(shared)


def _owner_gone(shared: Record) -> bool:
    if _surroundings() != shared.surroundings:
        return False
    if shared.owner_visible and _session_of(shared.owner) not in (shared.session, None):
        return True
    try:
        os.stat(shared.path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _look_s(shared: Record, id: int, ends_ns: int) -> float:
    if ends_ns:
        # One sleep and no looks in between, as a view of that length would; but for the check of the owner.
        left_ns = ends_ns - time.monotonic_ns()
        return min(max(left_ns, 0), OWNER_CHECK_NS) / 1e9
    at = layout.SOON_OFFSET if id < layout.SOON_SLOTS else layout.LOOK_OFFSET
    look_ns: int = layout.WORD.unpack_from(shared.data, at)[0]
    return max(look_ns / 1e9, SHORTEST_LOOK_S)


def _thread(role: str) -> Thread:
    pid = os.getpid()
    known = getattr(_local, role, None)
    seq = known[1] + 1 if known is not None and known[0] == pid else 1
    setattr(_local, role, (pid, seq))
    return _native_id(), seq, loops.loop_runs()


def _thread_name() -> str:
    # Not current_thread(): it would register a dummy object for a thread that Python did not start.
    active = getattr(threading, "_active", {}).get(threading.get_ident())
    return active.name if active is not None else ""
