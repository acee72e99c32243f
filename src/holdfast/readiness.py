"""Waits until a server is ready: it listens, and every process of its tree has reached its waiting state.

A server listens before its workers are ready; who measures then sees one worker take it all.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from holdfast.errors import EnvironmentFailure, HoldfastError, InconclusiveError, UsageError
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import DEFAULT_START_TIMEOUT_S
from holdfast.model.timeline import Listener
from holdfast.observe.activity import Rest
from holdfast.observe.kernel import KernelView
from holdfast.observe.processes import activity, holders, listeners_of, process_tree
from holdfast.servers.process import ServerProcess

_LOOK_S = 0.005
# A server that has rested for so long and listens on a Unix socket alone will not listen elsewhere.
_SETTLED_NS = 3_000_000_000
_SHOWN_LINES = 15
_FIRST_LINES = 3

# By exit status; negative is a signal.
_REMEDIES = {
    0: "Look at its message, if any; if it left the work to others (docker, systemd, a supervisor), give the command "
    "that they run.",
    -int(signal.SIGKILL): "Somebody killed it, or the kernel did for want of memory (dmesg tells).",
    -int(signal.SIGSEGV): "It crashed; an extension module of its own, or of the application, is the usual cause.",
}

# What was named is there and cannot be an application; all other troubles lie in what is installed, or in it.
_ASKED_WRONGLY = frozenset(
    {
        "is-a-directory",
        "not-python",
        "attribute-missing",
        "attribute-unreadable",
        "not-callable",
        "not-an-application",
        "wrong-interface",
        "framework-unknown",
        "view-impossible",
    }
)


_WANTS_TERMINAL = re.compile(r"EOFError|not a (tty|terminal)|Inappropriate ioctl|termios\.error", re.IGNORECASE)
_NO_TERMINAL = (
    "It wants a terminal, and holdfast gives it none (its stdin is /dev/null): leave out what asks for input."
)


class Trouble(msgspec.Struct):
    """What the server's side of holdfast wrote about an application that it could not load."""

    what: str
    why: str = ""
    remedy: str = ""
    kind: str = ""


def raise_trouble(path: Path) -> None:
    """Raises what the server's side wrote, if it wrote anything.

    Raises:
        UsageError: what was named is there and is no application (a directory, no such attribute).
        EnvironmentFailure: it is not there, or loading it failed.
    """
    try:
        trouble = msgspec.json.decode(path.read_bytes(), type=Trouble)
    except (FileNotFoundError, msgspec.DecodeError):
        return
    kind = UsageError if trouble.kind in _ASKED_WRONGLY else EnvironmentFailure
    raise kind(trouble.what, trouble.why, trouble.remedy)


def await_ready(
    server: ServerProcess,
    port: int | None,
    kernel: KernelView,
    trouble: Path,
    interrupts: Interrupts,
    within_s: float = DEFAULT_START_TIMEOUT_S,
) -> tuple[Listener, ...]:
    """Waits for the port's listeners and for rest.

    Args:
        port: None is any.

    Returns:
        Every TCP listener that the server's tree holds, one of them on the port.

    Raises:
        EnvironmentFailure: it exited, could not load the application, or did not listen in time.
        UsageError: it listens on a Unix socket alone.
        InconclusiveError: Ctrl-C.
    """
    deadline = time.monotonic() + within_s
    rest, rests_since_ns = Rest(), 0
    listening = False
    while time.monotonic() < deadline:
        ended = server.exit_status() is not None
        raise_trouble(trouble)  # asked after `ended`: it is written before the server ends because of it
        if ended:
            check_alive(server, "at its start")
        if interrupts.asked:
            raise InconclusiveError(
                "Stopped before the server was ready.", "So nothing was seen.", "Nothing is left running."
            )
        if not listening and _listens(server, port, kernel):
            listening, rest = True, Rest()
        elif listening or port is None:
            now_ns = time.monotonic_ns()
            if not rest.seen(now_ns, activity(process_tree(*server.roots()))):
                rests_since_ns = now_ns
            elif listening:
                listeners = _listeners(server, kernel)
                # A master may have tried the port before its workers open it for themselves.
                if any(port in (None, each.port) for each in listeners):
                    return listeners
            elif now_ns - rests_since_ns > _SETTLED_NS:
                _check_socket_file(server, kernel)
        time.sleep(_LOOK_S)
    raise _never_ready(server, port, within_s, _ports(server, kernel), listening=listening)


def _listens(server: ServerProcess, port: int | None, kernel: KernelView) -> bool:
    # First what costs less: the processes' descriptors are many.
    there = bool(kernel.listening_inodes() if port is None else kernel.listeners(port))
    return there and any(port in (None, each.port) for each in _listeners(server, kernel))


def _listeners(server: ServerProcess, kernel: KernelView) -> tuple[Listener, ...]:
    return listeners_of(process_tree(*server.roots()), kernel)


def _ports(server: ServerProcess, kernel: KernelView) -> list[int]:
    return sorted({each.port for each in _listeners(server, kernel)})


def _check_socket_file(server: ServerProcess, kernel: KernelView) -> None:
    """Raises UsageError if the server listens on a Unix socket that has a name."""
    paths = {each.inode: each.path for each in kernel.unix_listeners() or () if each.path}
    held = holders(paths, process_tree(*server.roots()))
    if path := next((paths[inode] for inode in sorted(paths) if held[inode]), None):
        raise UsageError(
            f"The server listens on the Unix socket {path} alone.",
            "holdfast offers its requests over TCP; how Unix sockets queue is another matter (unix(7)).",
            "Let it listen on a TCP port of 127.0.0.1 for the probe.",
        )


def check_alive(
    server: ServerProcess, when: str, kind: Callable[[str, str, str], HoldfastError] = EnvironmentFailure
) -> None:
    """Raises `kind` if the server's first process has ended."""
    status = server.exit_status()
    if status is None:
        return
    how = (
        f"It exited with {status}" if status >= 0 else f"It was ended by signal {-status} ({signal.strsignal(-status)})"
    )
    said = all_that_counts(server) if kind is EnvironmentFailure else last_lines(server)
    words = f":\n{said}" if said else " and wrote nothing."
    if _WANTS_TERMINAL.search(said):
        raise kind(f"The server ended {when}.", f"{how}{words}", _NO_TERMINAL)
    seen = "Look at the server's own message above" if said else "Start the application without holdfast to see why"
    remedy = f"{seen}{or_raise_limits(server)}."
    raise kind(f"The server ended {when}.", f"{how}{words}", _REMEDIES.get(status, remedy))


def last_lines(server: ServerProcess) -> str:
    """The end of what it wrote, each line marked as a quotation; "" where it wrote nothing."""
    return "\n".join(f"| {line}" for line in server.last_words().splitlines()[-_SHOWN_LINES:])


def all_that_counts(server: ServerProcess) -> str:
    """Of what it wrote, the first lines and the last; the end alone may be a list of options that it would take."""
    last, first = server.last_words().splitlines(), server.first_words().splitlines()
    if len(last) <= _SHOWN_LINES:
        return last_lines(server)
    beginning = [line for line in first if line.strip()][:_FIRST_LINES]
    shown = [*beginning, "...", *last[_FIRST_LINES + 1 - _SHOWN_LINES :]]
    return "\n".join(f"| {line}" for line in shown)


def or_raise_limits(server: ServerProcess) -> str:
    """The end of an advice where the server was given limits, which may be the cause; "" where it was not."""
    given = {"--nofile": server.command.nofile, "--nproc": server.command.nproc}
    named = " and ".join(f"{option} {limit}" for option, limit in given.items() if limit is not None)
    return f", or raise {named}" if named else ""


def _never_ready(
    server: ServerProcess, port: int | None, within_s: float, others: list[int], *, listening: bool
) -> EnvironmentFailure:
    said = last_lines(server)
    words = f"; its log ends with:\n{said}" if said else "; it wrote nothing."
    if listening:
        return EnvironmentFailure(
            f"The server listens on port {port or others[0]} but did not come to rest within {within_s:g} s.",
            f"Its processes kept working or changing before any request came{words}",
            "Switch off reloaders and background work, or give it more time with --start-timeout.",
        )
    elsewhere = f"It listens on {', '.join(map(str, others))} instead" if others else "Its processes still run"
    return EnvironmentFailure(
        f"The server did not listen on {'any TCP port' if port is None else f'port {port}'} within {within_s:g} s.",
        f"{elsewhere}{words}",
        f"Name that port with --port {others[0]}, or let holdfast choose address and port."
        if others
        else f"Look for what its start waits for, give it more time with --start-timeout{or_raise_limits(server)}.",
    )
