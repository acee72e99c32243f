"""New workers of a server: processes that came while requests waited, and will take requests or do so already."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from holdfast.model.timeline import NEVER, Snapshot
from holdfast.model.units import MS
from holdfast.observe.acceptors import read_acceptors
from holdfast.observe.processes import read_process_tree
from holdfast.probing.session import Session
from holdfast.procfs.read import read_stat

_LOOK_AGAIN_NS = 20 * MS


class Newcomers:
    """Looks at each process of the server once, when it is first seen.

    A new worker waits for connections itself, or is a child of the process of which workers are children and runs the
    same program; unless that process accepts, for then most children serve the request for which they were forked.
    Where one that has run no handler does not wait for connections yet, it is looked at again, each time when twice as
    long has passed since it came.

    Invariant: `latest_ns` only grows.

    Attributes:
        pids: new workers, in the order in which they were seen.
        latest_ns: when the latest of them was first seen to be one; NEVER before the first.
        waiting: those of them that have waited for connections.
    """

    def __init__(self, session: Session, waiting: Collection[int], known: Iterable[int]) -> None:
        """None has come yet.

        Args:
            waiting: processes that wait for connections; a master that only listens is none of them.
            known: processes that are not new.
        """
        self._session = session
        self._waiting = frozenset(waiting)
        self._known = set(known)
        self._kinds: set[tuple[int, str]] = set()
        self._kinds_of: set[int] = set()
        self._came_ns: dict[int, int] = {}
        self._again_ns: dict[int, int] = {}
        self.pids: list[int] = []
        self.latest_ns = NEVER
        self.waiting: set[int] = set()

    def look(self, tree: Iterable[int], handlers: Collection[int]) -> None:
        """Adds those that came since the last look.

        Args:
            tree: the server's processes now.
            handlers: processes that have run a handler.
        """
        now, tree = self._session.now_ns(), frozenset(tree)
        fresh = tree - self._known
        again = {pid for pid, due_ns in self._again_ns.items() if due_ns <= now}
        if not fresh and not again:
            return
        self._known.update(fresh)
        self._came_ns.update(dict.fromkeys(fresh, now))
        self._learn(handlers)
        came = [pid for pid in sorted(fresh | again) if self._is_worker(pid) and pid not in self.pids]
        if came:
            self.pids += came
            self.latest_ns = now
        for pid in fresh | again:
            self._again_ns.pop(pid, None)
            if pid in tree and pid not in self.waiting and pid not in handlers:
                self._again_ns[pid] = now + max(_LOOK_AGAIN_NS, now - self._came_ns[pid])

    def _learn(self, handlers: Collection[int]) -> None:
        """Notes of which parent and program the workers are."""
        for pid in ({*handlers, *self._waiting} & set(self._session.pids)) - self._kinds_of:
            self._kinds_of.add(pid)
            kind = _kind_of(pid)
            if kind is not None and kind[0] not in self._waiting:
                self._kinds.add(kind)

    def _is_worker(self, pid: int) -> bool:
        kind = _kind_of(pid)
        if kind is None:
            return False
        listening = [each.inode for each in self._session.kernel.listeners(self._session.listen_address)]
        if any(each.waits_on for each in read_acceptors((pid,), listening, None)):
            self.waiting.add(pid)
            return True
        return kind in self._kinds and kind[0] in self._known


def _kind_of(pid: int) -> tuple[int, str] | None:
    """A process's parent, and the program that it runs; None where it has ended or may not be looked at."""
    stat = read_stat(pid)
    try:
        return None if stat is None or stat.state in "ZX" else (stat.parent, os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return None


def since_counted(session: Session, placed: Snapshot) -> Newcomers:
    """What takes the processes that there are now for known."""
    waiting = [each.pid for each in placed.acceptors if each.waits_on] or session.accepting
    return Newcomers(session, waiting, read_process_tree(*session.server.roots()))
