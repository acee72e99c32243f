"""Where in the application requests wait, and which limits of libraries were in force: from what its processes told.

`waiting_of` gives the verdict's `waiting`, `libraries_of` its `libraries`, `running_in` the number of bodies that ran
while others waited inside their view.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from holdfast.infer.known import Known
from holdfast.infer.signals import told_alike
from holdfast.model.phase import Phase
from holdfast.model.timeline import Timeline
from holdfast.model.waiting import BodiesAtRest, Library, LibraryLimit, Waiting, WaitingPoint

_NOT_KEPT = "the run was saved before holdfast asked the server's processes for that"
_NONE_TOLD = "no process that held a request could tell where the others wait"
_NO_GIL = (
    "the server's Python runs without the GIL, where what a thread is doing cannot safely be read while it runs on"
)
_NO_LOOP = "no event loop served the requests, so no limit of AnyIO or of a loop's executor applies"
_NO_ANSWER = "no process that held a request answered, or the run ended before"
_NO_THREAD = (
    "under a limit of tasks or memory no thread is started that looks where bodies wait, because it would take the "
    "place of one of theirs"
)
_TOO_SOON = "the bodies were over before any process had answered where they wait"
_NONE_RAN = "none was seen to run while the others waited and nothing began or ended"
_NEVER_AT_REST = "the bodies were never all seen at rest while some waited for their turn, so how many ran is not sure"
_NONE_WAITED = "no body was seen to wait in its view for a lock, a semaphore, a pool or a thread"


def waiting_of(timeline: Timeline, before_view: Known[int | None]) -> Known[tuple[Waiting, ...] | None]:
    """Where requests wait before their view and in it, those places first where most wait.

    Args:
        before_view: how many wait before their view.
    """
    points = [each for each in timeline.waiting or () if each.phase is Phase.RAMP or each.waits]
    if not points and timeline.gil == "off" and (before_view.value or timeline.calls):
        return Known(None, {"waiting": _NO_GIL})
    if not points and before_view.value != 0:
        why = _NOT_KEPT if timeline.handed is None else _NONE_TOLD
        return Known(None, {"waiting": next(iter(before_view.unknown.values()), why)})
    cwd = timeline.experiment.cwd
    found = [
        *_places([each for each in points if each.phase is Phase.RAMP], cwd),
        *_places([each for each in points if each.phase is not Phase.RAMP], cwd),
    ]
    return Known(tuple(found))


def _places(points: Sequence[WaitingPoint], cwd: str) -> list[Waiting]:
    requests, pids = Counter[tuple[str, int, str, str]](), defaultdict[tuple[str, int, str, str], set[int]](set)
    for each in points:
        where = (each.file, each.line, each.function, each.library)
        requests[where] += each.requests
        pids[where].add(each.pid)
    return [
        Waiting(
            phase="ramp" if points[0].phase is Phase.RAMP else "call",
            requests=count,
            processes=len(pids[where]),
            file=_from(cwd, file) if file else None,
            line=line or None,
            function=function or None,
            waits_in=library or None,
        )
        for where, count in sorted(requests.items(), key=lambda item: (-item[1], item[0]))
        for file, line, function, library in [where]
    ]


def _from(cwd: str, file: str) -> str:
    """The file as seen from the directory of the run, if it is below that."""
    path = PurePosixPath(file)
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else file


def running_in(timeline: Timeline) -> Known[int | None]:
    """How many bodies ran while others waited for their turn inside their view: what the application lets run."""
    points = [each for each in timeline.waiting or () if each.phase is Phase.CALLED_TOGETHER]
    if not points:
        limited = timeline.experiment.nproc is not None or timeline.experiment.address_space is not None
        why = _NO_THREAD if limited else _NO_GIL if timeline.gil == "off" else _TOO_SOON
        return Known(None, {"call.running": _NOT_KEPT if timeline.handed is None else why})
    if timeline.bodies_at_rest is not None:
        return _alike(timeline.bodies_at_rest, waited=any(each.waits for each in points))
    if not any(each.waits for each in points):
        return Known(None, {"call.running": _NONE_WAITED})
    running = sum(each.requests for each in points if not each.waits)
    return Known(running) if running else Known(None, {"call.running": _NONE_RAN})


def _alike(looks: Sequence[BodiesAtRest], *, waited: bool) -> Known[int | None]:
    numbers = [each.running for each in looks if each.waiting]
    running = told_alike(numbers)
    if running:
        return Known(running)
    if not numbers:
        why = _NEVER_AT_REST if waited or not looks else _NONE_WAITED
    elif running == 0:
        why = _NONE_RAN
    elif len(numbers) == 1:
        why = f"only one look saw the bodies at rest, while {numbers[0]} ran and others waited: that may be wrong"
    else:
        why = f"looks at the bodies at rest told {min(numbers)} to {max(numbers)} that ran while others waited"
    return Known(None, {"call.running": why})


def libraries_of(timeline: Timeline) -> Known[tuple[Library, ...] | None]:
    """The limits of libraries that were in force, by name."""
    if timeline.libraries is None:
        loops = any(each.entry_loop for each in timeline.entries)
        why = _NOT_KEPT if timeline.handed is None else _NO_ANSWER if loops else _NO_LOOP
        return Known(None, {"libraries": why})
    most: dict[tuple[int, str], LibraryLimit] = {}
    for each in timeline.libraries:
        known = most.get((each.pid, each.name))
        if known is None or known.in_use < each.in_use:
            most[each.pid, each.name] = each
    alike = defaultdict[tuple[str, int | None], list[LibraryLimit]](list)
    for each in most.values():
        alike[each.name, each.limit].append(each)
    found = [Library(*named, sum(each.in_use for each in some), len(some)) for named, some in alike.items()]
    return Known(tuple(sorted(found, key=lambda each: (each.name, each.limit or 0))))
