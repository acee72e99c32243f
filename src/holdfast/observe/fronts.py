"""Whether what accepts requests is the server that runs their handlers, or another program in front of it."""

from __future__ import annotations

from collections.abc import Collection

from holdfast.observe.process_info import is_interpreter, name_of, read_program
from holdfast.procfs.read import read_stat


def is_front(accepting: Collection[int], handler: int) -> bool:
    """Whether processes that accept are another program than the one that runs a handler.

    A server's own router runs the server's program: the same file, and where that is an interpreter, what it runs. It
    is an ancestor of the handler's process, or a child of the same parent. Being an ancestor is not enough: a script
    may start the server and then become nginx.

    Args:
        accepting: at least one process that holds the listening socket.
        handler: a process that has run a handler.

    Returns:
        False also where that process has ended.
    """
    return handler not in accepting and all(_is_another(each, handler) for each in accepting)


def program_of(pid: int) -> str:
    """What a person calls the program that a process runs."""
    program = read_program(pid)
    return (name_of(program.arguments) if program is not None else None) or f"pid {pid}"


def _is_another(pid: int, handler: int) -> bool:
    one, other = read_program(pid), read_program(handler)
    if one is None or other is None or not (one.file and other.file):
        # It has ended, or may not be read.
        return False
    if one.file != other.file:
        return True
    names = [name_of(each.arguments) for each in (one, other)]
    # A process that says nothing of itself may be a worker that Python's multiprocessing has started.
    if is_interpreter(one) and all(names) and len({str(each).lower() for each in names}) > 1:
        return True
    ancestors, stat = _ancestors(handler), read_stat(pid)
    return not (pid in ancestors or (stat is not None and ancestors[:1] == [stat.parent]))


def _ancestors(pid: int) -> list[int]:
    """The nearest first."""
    found: list[int] = []
    while (stat := read_stat(pid)) is not None and stat.parent and stat.parent not in found:
        found.append(pid := stat.parent)
    return found
