"""What people paste into issues: listen queues as `ss -ltn` prints them, processes and threads as `ps` does.

Source: ss(8) of iproute2: of a listening socket, Recv-Q is the number of connections in its accept queue and Send-Q its
backlog.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from holdfast.model.address import shown
from holdfast.model.timeline import NEVER, Entry, Listener, Snapshot, Timeline

_MOST_THREADS = 16
"""Of one process; a server with a thread for each request has thousands."""


def listen_queues(snapshot: Snapshot) -> str:
    """One line for each listening socket, as `ss -ltn` prints it, and the processes that hold it."""
    rows = [("State", "Recv-Q", "Send-Q", "Local Address:Port", "Held by")]
    rows += [
        ("LISTEN", _or_star(each.depth), _or_star(each.limit), shown(each.address, each.port), _held(each, snapshot))
        for each in snapshot.listeners
    ]
    return _aligned(rows, right={1, 2})


def processes(timeline: Timeline) -> str:
    """Each process of the server with the threads that ran handlers, as a tree.

    HELD are handlers that ran when the places were counted, SERVED those that the thread ran in all.
    """
    at_ns = timeline.placed.ended_ns if timeline.placed is not None else NEVER
    held = Counter(each.tid for each in timeline.entries if each.entered_ns <= at_ns and not 0 < each.left_ns <= at_ns)
    by_process: dict[int, dict[int, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in timeline.entries:
        by_process[entry.pid][entry.tid].append(entry)
    rows = [("PID", "TID", "HELD", "SERVED", "NAME")]
    for pid, depth in _tree(timeline):
        threads = by_process.pop(pid, {})
        rows += _process(pid, threads, held, "  " * depth)
    for pid, threads in by_process.items():
        rows += _process(pid, threads, held, "")
    return _aligned(rows, right={0, 1, 2, 3})


def _tree(timeline: Timeline) -> Iterator[tuple[int, int]]:
    """Processes, each behind its parent, and how deep each is; as far as it is known who is whose."""
    parents: Mapping[int, int] = {}
    if timeline.placed is not None:
        parents = {each.pid: each.parent for each in timeline.placed.acceptors}
    known = dict.fromkeys((*timeline.server.pids, *parents))

    def below(pid: int, depth: int) -> Iterator[tuple[int, int]]:
        yield pid, depth
        for child in known:
            if parents.get(child) == pid and child != pid:
                yield from below(child, depth + 1)

    for pid in known:
        if parents.get(pid) not in known:
            yield from below(pid, 0)


def _process(
    pid: int, threads: Mapping[int, Sequence[Entry]], held: Mapping[int, int], indent: str
) -> Iterator[tuple[str, str, str, str, str]]:
    now = sum(held[tid] for tid in threads)
    served = sum(map(len, threads.values()))
    yield str(pid), "", str(now), str(served), f"{indent}process" if threads else f"{indent}process (no handler)"
    in_order = sorted(threads, key=lambda tid: (-held[tid], tid))
    for tid in in_order[:_MOST_THREADS]:
        name = threads[tid][0].thread_name or "?"
        yield "", str(tid), str(held[tid]), str(len(threads[tid])), f"{indent} \\_ {' '.join(name.split())}"
    if left := in_order[_MOST_THREADS:]:
        more = sum(len(threads[tid]) for tid in left)
        yield "", "", str(sum(held[tid] for tid in left)), str(more), f"{indent} \\_ {len(left)} more"


def _aligned(rows: Sequence[Sequence[str]], right: set[int]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _held(listener: Listener, snapshot: Snapshot) -> str:
    pids = listener.pids or [each.pid for each in snapshot.acceptors if listener.inode in each.listeners]
    return ",".join(f"pid={pid}" for pid in pids) or "-"


def _or_star(number: int | None) -> str:
    return "*" if number is None else str(number)
