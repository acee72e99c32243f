"""What a request costs the server while it is in service."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.infer.known import Known, because, fields_of
from holdfast.model.samples import Usage
from holdfast.model.verdict import Cost, Places

_FIRST_OF_EACH = (
    "several processes serve, and what the first request of each leaves behind cannot be told from what one in service "
    "takes"
)


def cost_of(
    usage: Sequence[Usage],
    places: Places,
    *,
    maybe_starting: bool,
    again: Sequence[Usage] = (),
    serving: int = 1,
) -> Known[Cost]:
    """The difference between the server at rest and at its ceiling, for each request in service.

    Args:
        usage: a look before the first request, one after its reply (which runs saved before that was kept do not
            have), and one with every place full. What the first request leaves behind (caches, modules) costs no
            later one any memory, so memory is compared with the second look; with the first, where a thread or a
            process has stayed too, which takes a later request.
        again: a look at rest after each process had run requests, and one with every place full; () if not taken.
        serving: processes that hold requests and were there before the first one. Of several, all but one run their
            first request after the second look, so memory is compared between the looks of `again`.
        maybe_starting: the first look may have come before all of the server's processes were there.
    """
    held = places.in_service
    reason = ""
    if len(usage) < 2 or held == 0:
        reason = "the server's processes could not be read both before and while requests were held"
    elif places.userspace_queue:
        # Connections that wait inside the server cost it descriptors and memory too.
        reason = "requests waiting inside the server use descriptors and memory too, and cannot be told from those held"
    elif maybe_starting:
        reason = (
            "what the server's threads wait for cannot be read here, so it may still have been starting when the first "
            "look was taken"
        )
    if reason:
        return Known(Cost.unknown(), because(reason, fields_of("cost", Cost)))
    before, warm, after = usage[0], usage[1], usage[-1]
    stayed = warm is after or warm.threads > before.threads or warm.processes > before.processes
    empty, full = before if stayed else warm, after
    memory, unknown = None, {}
    # A thread that stays keeps memory, which the later looks have at rest too.
    if serving > 1 and (not again or after.threads > warm.threads):
        unknown["cost.memory_bytes"] = _FIRST_OF_EACH
    elif serving > 1:
        empty, full = again[0], again[-1]
    if not unknown and (empty.memory_bytes is None or full.memory_bytes is None):
        unknown["cost.memory_bytes"] = "the kernel does not report how processes share their memory"
    if not unknown and empty.memory_bytes is not None and full.memory_bytes is not None:
        memory = max(0, round((full.memory_bytes - empty.memory_bytes) / held))
    cost = Cost(
        descriptors=round((after.descriptors - before.descriptors) / held, 2),
        threads=round((after.threads - before.threads) / held, 2),
        processes=round((after.processes - before.processes) / held, 2),
        memory_bytes=memory,
    )
    return Known(cost, unknown)
