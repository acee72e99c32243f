"""Whether a part of a person's own command that does not listen yet may be the server that they mean.

A start script may start a helper first (a metrics exporter, a liveness endpoint, a page). It listens while the server
still imports its application, or sleeps until its database is there, and looks as much at rest as it ever will.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from holdfast.model.timeline import Listener
from holdfast.model.units import NS_PER_S
from holdfast.observe.process_info import is_python, name_of, read_arguments, read_program
from holdfast.observe.processes import main_thread_sleeps, read_descendants, sleep_of_main_thread
from holdfast.procfs.read import read_stat
from holdfast.servers.growth import OTHER_NAMES
from holdfast.servers.registry import ADAPTERS

WOKEN_NS = 3 * NS_PER_S // 2
"""What has woken up is given so long to listen: it may still import modules."""


def awaits_a_server(tree: Iterable[int], listeners: Iterable[Listener]) -> bool:
    """Whether the program of a known server runs, and neither it nor what it has started listens anywhere.

    Args:
        tree: the processes of the command.
        listeners: every listening socket that they hold.
    """
    listening = _pids(listeners)
    servers = {pid for pid in tree if _is_a_server(pid)}
    first = [pid for pid in servers if (stat := read_stat(pid)) is not None and stat.parent not in servers]
    return not all(_listens(pid, listening) for pid in first)


def sleeps_beside(tree: Iterable[int], listeners: Iterable[Listener]) -> bool:
    """Whether a Python sleeps, even if in a loop, that neither started what listens nor was started by it.

    It may be a server that has not come so far. What has started it may be there to watch it.
    """
    listening = _pids(listeners)
    started = {pid for each in listening for pid in read_descendants(each)}
    asleep = [pid for pid in set(tree) - started if main_thread_sleeps(pid) and _runs_python(pid)]
    return any(listening.isdisjoint(read_descendants(pid)) for pid in asleep)


def sleeps(pid: int, known: Collection[int]) -> bool:
    """Whether it is the sleep of a script, or of a Python that may not have come to its server yet.

    Args:
        known: the processes in which holdfast has found a server or the views of a framework.
    """
    name = name_of(read_arguments(pid))
    return name == "sleep" or (pid not in known and main_thread_sleeps(pid) and _runs_python(pid))


class FirstSleeps:
    """Pythons that sleep at a first look: until they wake up, and a moment longer, they may be about to listen.

    One that sleeps again does so in a loop, as a reloader does and what keeps a server's other threads alive.
    """

    def __init__(self, tree: Iterable[int]) -> None:
        found = {pid: sleep_of_main_thread(pid) for pid in tree}
        self._asleep = {pid: number for pid, number in found.items() if number is not None and _runs_python(pid)}
        self._awake: dict[int, int] = {}

    def last(self, now_ns: int) -> bool:
        """Whether one of them is still in that sleep, or has woken up from it a moment ago.

        Args:
            now_ns: CLOCK_MONOTONIC of the look, ascending.
        """
        for pid, number in list(self._asleep.items()):
            now = sleep_of_main_thread(pid)
            if now == number:
                continue
            woke_ns = self._awake.setdefault(pid, now_ns)
            if now is not None or now_ns - woke_ns > WOKEN_NS:
                del self._asleep[pid]
        return bool(self._asleep)


def _pids(listeners: Iterable[Listener]) -> set[int]:
    return {pid for each in listeners for pid in each.pids}


def _listens(pid: int, listening: Collection[int]) -> bool:
    """Whether this process listens, or a part of its program that it has started.

    A script may start a helper and then become the server, whose child the helper is then.
    """
    name, found = name_of(read_arguments(pid)), set(read_descendants(pid)).intersection(listening)
    names = {each: name_of(read_arguments(each)) for each in found}
    # What says nothing of itself may be a worker that Python's multiprocessing has started; no Python, the part in C.
    return any(names[each] in (name, None) or not _runs_python(each) for each in found)


def _is_a_server(pid: int) -> bool:
    name = name_of(read_arguments(pid)) or ""
    return name in OTHER_NAMES or name.partition(".")[0] in ADAPTERS


def _runs_python(pid: int) -> bool:
    program = read_program(pid)
    return program is not None and is_python(program)
