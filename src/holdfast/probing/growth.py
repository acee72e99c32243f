"""New workers of a server: processes that came while requests waited, and will take requests or do so already."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from holdfast.model.timeline import NEVER, Snapshot
from holdfast.observe.acceptors import read_acceptors
from holdfast.observe.processes import read_process_tree
from holdfast.probing.session import Session
from holdfast.procfs.read import read_stat


class Newcomers:
    """Looks at each process of the server once, when it is first seen.

    A new worker waits for connections itself, or is a child of the process of which workers are children and runs the
    same program; unless that process accepts, for then each child serves the request for which it was forked.

    Invariant: `latest_ns` only grows.

    Attributes:
        pids: new workers, in the order in which they were seen.
        latest_ns: when the latest of them was first seen; NEVER before the first.
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
        self.pids: list[int] = []
        self.latest_ns = NEVER

    def look(self, tree: Iterable[int], handlers: Collection[int]) -> None:
        """Adds those that came since the last look.

        Args:
            tree: the server's processes now.
            handlers: processes that have run a handler.
        """
        fresh = [pid for pid in tree if pid not in self._known]
        if not fresh:
            return
        self._known.update(fresh)
        self._learn(handlers)
        came = [pid for pid in fresh if self._is_worker(pid)]
        if came:
            self.pids += came
            self.latest_ns = self._session.now_ns()

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
        if kind in self._kinds and kind[0] in self._known:
            return True
        listening = [each.inode for each in self._session.kernel.listeners(self._session.listen_address)]
        return any(each.waits_on for each in read_acceptors((pid,), listening, None))


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
