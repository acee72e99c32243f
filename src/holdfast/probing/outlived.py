"""Whether what ran the first request is still there when it has long been answered, and so may serve again."""

from __future__ import annotations

from holdfast.model.frozen import frozen
from holdfast.model.timeline import NEVER, Entry, Outlived
from holdfast.observe.processes import started_at
from holdfast.probing.session import Session

_Began = tuple[int | None, int | None, int | None]
"""The clock ticks at which a process and two threads began; None where one has ended. Ids are recycled, these not."""


@frozen
class Ran:
    """What ran the first request.

    Attributes:
        entry: the first request's handler.
        began: of its process, the thread of its entry, and its own thread, when it had been answered.
    """

    entry: Entry
    began: _Began


def ran_first(session: Session) -> Ran | None:
    """What ran the first request; None where no handler of it was recorded, or it runs still."""
    slots = session.slots.first_request
    entry = next(iter(session.recording.entries(slots.start, slots.stop)), None)
    return None if entry is None or entry.left_ns == NEVER else Ran(entry, _began(entry))


def outlived(ran: Ran | None) -> Outlived | None:
    """What of it is still there; None where nothing was known of it."""
    if ran is None:
        return None
    now = _began(ran.entry)
    return Outlived(*(each is not None and each == before for each, before in zip(now, ran.began, strict=True)))


def _began(entry: Entry) -> _Began:
    pid = entry.pid
    return started_at(pid, pid), started_at(pid, entry.entry_tid), started_at(pid, entry.tid)
