"""The most that each place takes, and whether that is a bound or only as far as the probe went."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.model.places import Place
from holdfast.model.timeline import Listener, Ramp, Snapshot
from holdfast.model.verdict import Ceiling, Places

TURNED_AWAY = (Place.REJECTED, Place.REFUSED, Place.RESET, Place.CLOSED)

_NOT_FULL = "no request was turned away or left without a handshake, so the accept queue was not driven full"


def turned_away(places: Places) -> int:
    """Requests that a server under no other load refused, reset, closed or answered with an error."""
    return sum(getattr(places, place.value) for place in TURNED_AWAY)


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
        return "the listening socket could not be read"
    if len(known) > 1:
        return f"its queues have different ones: {', '.join(map(str, known))}"
    return "the kernel's socket diagnostics (sock_diag) are not available here"


def accept_queue_full(listeners: Iterable[Listener]) -> bool:
    """Whether the port has queues and each of them is full."""
    queues = [each.queue for each in listeners]
    return bool(queues) and all(queue.full for queue in queues)


def ceiling_of(places: Places, ramp: Ramp, snapshot: Snapshot) -> tuple[Ceiling, dict[str, str]]:
    """The ceilings, and for each that is None the reason.

    A number in service is a bound only if more requests waited at the server while it did not
    change: waiting, or turned away.
    """
    unknown: dict[str, str] = {}
    bounded = waiting(places) > 0 or turned_away(places) > 0
    beyond_userspace = places.accept_queue + places.syn + turned_away(places) > 0
    userspace: int | None = places.userspace_queue
    userspace_bounded: bool | None = True
    if not bounded:
        userspace, userspace_bounded = None, None
        reason = f"all {places.in_service} offered requests ran at once, so none ever had to wait"
        unknown["ceiling.userspace_queue"] = unknown["ceiling.userspace_queue_bounded"] = reason
    elif not beyond_userspace:
        userspace, userspace_bounded = None, False
        unknown["ceiling.userspace_queue"] = (
            f"it took all {places.userspace_queue} requests that were offered beyond the ceiling: no bound met"
        )
    queue: int | None = None
    if accept_queue_full(snapshot.listeners) and places.accept_queue > 0:
        queue = places.accept_queue
    else:
        unknown["ceiling.accept_queue"] = _why_not_full(places, ramp, snapshot)
    limit = backlog_in_force(snapshot.listeners)
    if limit is None:
        unknown["ceiling.accept_queue_limit"] = why_no_backlog(snapshot.listeners)
    return Ceiling(places.in_service, bounded, userspace, userspace_bounded, queue, limit), unknown


def _why_not_full(places: Places, ramp: Ramp, snapshot: Snapshot) -> str:
    if any(each.depth is None for each in snapshot.listeners):
        return "the kernel does not tell its depth here"
    if places.syn and any(each.queue.full for each in snapshot.listeners):
        return (
            f"the port has {len(snapshot.listeners)} queues, and the kernel, which draws lots, did not fill all of them"
        )
    if turned_away(places):
        return "the server turned requests away before it filled"
    if ramp.reason == "max-offered":
        return f"not driven full with the {sum_offered(places)} requests offered (--max-offered)"
    return _NOT_FULL


def sum_offered(places: Places) -> int:
    """All requests in all places."""
    return sum(getattr(places, place.value) for place in Place)
