"""Whether what ran the first request is still there when it has long been answered, and so may serve again."""

from __future__ import annotations

from holdfast.model.frozen import frozen
from holdfast.model.timeline import NEVER, Entry, Outlived
from holdfast.observe.processes import started_at
from holdfast.probing.session import Session


@frozen
class Ran:
    """What ran the first request, each with the clock tick at which it began, since ids are recycled.

    Attributes:
        entry: the first request's handler.
        process, entry_thread, thread: None where it had ended already.
    """

    entry: Entry
    process: int | None
    entry_thread: int | None
    thread: int | None


def ran_first(session: Session) -> Ran | None:
    """What ran the first request; None where no handler of it was recorded, or it runs still."""
    slots = session.slots.first_request
    entry = next(iter(session.recording.entries(slots.start, slots.stop)), None)
    return None if entry is None or entry.left_ns == NEVER else Ran(entry, *_began(entry))


def outlived(ran: Ran | None) -> Outlived | None:
    """What of it is still there; None where nothing was known of it."""
    if ran is None:
        return None
    now = _began(ran.entry)
    then = ran.process, ran.entry_thread, ran.thread
    return Outlived(*(each is not None and each == before for each, before in zip(now, then, strict=True)))


def _began(entry: Entry) -> tuple[int | None, int | None, int | None]:
    return tuple(started_at(entry.pid, tid) for tid in (entry.pid, entry.entry_tid, entry.tid))  # type: ignore[return-value]
