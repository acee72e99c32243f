"""The most that each place takes, and whether that is a bound or only as far as the probe went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from holdfast.infer.known import Known
from holdfast.model.places import TURNED_AWAY_PLACES, Place
from holdfast.model.ramp import Ramp
from holdfast.model.timeline import Entry, Listener, Snapshot
from holdfast.model.verdict import Ceiling, OutsidePlaces, Places

NO_LISTENER = "the listening socket could not be read"
_BLOCKING = frozenset({"sync", "async-blocking"})
_NOT_FULL = "no request was turned away or left without a handshake, so the accept queue was not filled"
_HAD_ROOM = "it had room when the places were counted, although requests had no handshake by then"


def turned_away(places: Places | OutsidePlaces) -> int:
    """Requests that a server under no other load refused, reset, closed or answered with an error."""
    return sum(getattr(places, place.value) for place in TURNED_AWAY_PLACES)


def waiting(places: Places) -> int:
    """Requests that wait in any queue."""
    return places.userspace_queue + places.accept_queue + places.syn


def backlog_in_force(listeners: Iterable[Listener]) -> int | None:
    """The backlog of the probed port's queues, as the kernel has it; None where it is unknown or differs."""
    limits = {listener.limit for listener in listeners}
    return limits.pop() if len(limits) == 1 else None


def why_no_backlog(listeners: Iterable[Listener]) -> str:
    """The reason where there is no backlog in force."""
    limits = [each.limit for each in listeners]
    known = sorted({limit for limit in limits if limit is not None})
    if not limits:
        return NO_LISTENER
    if len(known) > 1:
        return f"its queues have different backlogs: {', '.join(map(str, known))}"
    return "the kernel's socket diagnostics (sock_diag) are not available here"


def accept_queue_full(listeners: Iterable[Listener]) -> bool:
    """Whether the port has queues and each of them is full."""
    queues = [each.queue for each in listeners]
    return bool(queues) and all(queue.full for queue in queues)


def _one_is_empty(listeners: Sequence[Listener]) -> bool:
    """Whether one of several queues of the port has no connection, so that who takes from it need not be full."""
    return len(listeners) > 1 and any(each.depth == 0 for each in listeners)


def took_everything(queued: int) -> str:
    """Why the server's own queue has no bound."""
    return f"it took all {queued} requests offered beyond the ceiling, so its bound was not reached"


def why_by_chance(held: Sequence[Entry], kind: str, snapshot: Snapshot, taken_in: int) -> str:
    """Why the number that the server had taken in says nothing of the next time; "" where it may.

    A loop takes in all that has come to its socket when it looks, and that is none while a handler blocks it. With
    several sockets the kernel draws lots, so that several may have come to one that still has room. Of several
    processes with one socket, the first to look takes all that has come.

    Args:
        held: the handlers in service when the places were counted.
        kind: of the view, as `FirstRequest` has it.
        taken_in: how many others the server had accepted then.
    """
    blocks = kind in _BLOCKING and all(each.loop and each.tid == each.entry_tid for each in held)
    several = len(snapshot.listeners) != 1 or (taken_in and len({each.pid for each in held}) > 1)
    # Where a thread waits for connections meanwhile, it is not the loop that accepts.
    if not held or not blocks or not several or any(each.looks for each in snapshot.acceptors):
        return ""
    return (
        "each handler blocks the event loop that accepts, so it is chance how many had come to the loop's socket when "
        "it last looked"
    )


def ceiling_of(places: Places, ramp: Ramp, snapshot: Snapshot) -> Known[Ceiling]:
    """The ceilings.

    A number in service is a bound only if more requests waited for a handler, or were turned away, while it did not
    change.
    """
    unknown: dict[str, str] = {}
    bounded = waiting(places) > 0 or turned_away(places) > 0
    beyond_userspace = places.accept_queue + places.syn + turned_away(places) > 0
    userspace: int | None = places.userspace_queue
    userspace_bounded: bool | None = True
    if not bounded:
        userspace, userspace_bounded = None, None
        reason = f"all {places.in_service} offered requests ran at once, so none had to wait"
        unknown["ceiling.userspace_queue"] = unknown["ceiling.userspace_queue_bounded"] = reason
    elif not beyond_userspace:
        userspace, userspace_bounded = None, False
        unknown["ceiling.userspace_queue"] = took_everything(places.userspace_queue)
    elif not turned_away(places) and _one_is_empty(snapshot.listeners):
        userspace, userspace_bounded = None, False
        unknown["ceiling.userspace_queue"] = (
            f"of the port's {len(snapshot.listeners)} SO_REUSEPORT queues one was empty when {places.userspace_queue} "
            "were counted, so the process that takes from it may have room for more"
        )
    queue: int | None = None
    if accept_queue_full(snapshot.listeners) and places.accept_queue > 0:
        queue = places.accept_queue
    else:
        unknown["ceiling.accept_queue"] = _why_not_full(places, ramp, snapshot)
    limit = backlog_in_force(snapshot.listeners)
    if limit is None:
        unknown["ceiling.accept_queue_limit"] = why_no_backlog(snapshot.listeners)
    return Known(Ceiling(places.in_service, bounded, userspace, userspace_bounded, queue, limit), unknown)


def _why_not_full(places: Places, ramp: Ramp, snapshot: Snapshot) -> str:
    if not snapshot.listeners or any(each.depth is None for each in snapshot.listeners):
        return "the kernel does not report its depth here" if snapshot.listeners else NO_LISTENER
    if accept_queue_full(snapshot.listeners):
        return "it was full of other connections than the probe's"
    if places.syn and any(each.queue.full for each in snapshot.listeners):
        return (
            f"the kernel hashes connections over the port's {len(snapshot.listeners)} SO_REUSEPORT queues and did not "
            "fill all of them"
        )
    if turned_away(places):
        return "the server turned requests away before it filled"
    if ramp.reason == "max-offered":
        return f"not filled by the {offered_in(places)} requests offered (--max-offered)"
    return _HAD_ROOM if places.syn else _NOT_FULL


def offered_in(places: Places) -> int:
    """All requests in all places."""
    return sum(getattr(places, place.value) for place in Place)
