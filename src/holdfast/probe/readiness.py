"""Waits until a server is ready: it listens, and every process of its tree has reached its waiting state.

A server listens before its workers are ready; who measures then sees one worker take it all.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from holdfast.errors import EnvironmentFailure, HoldfastError, InconclusiveError, UsageError
from holdfast.interrupts import Interrupts
from holdfast.model.address import NO_PORT, shown
from holdfast.model.experiment import DEFAULT_START_TIMEOUT_S
from holdfast.model.timeline import Listener
from holdfast.observe.activity import Rest
from holdfast.observe.kernel import KernelView
from holdfast.observe.processes import activity, listeners_of, process_tree, unix_listeners_of
from holdfast.servers.process import ServerProcess

_LOOK_S = 0.005
# A server of which no more is known than that it listens on a Unix socket may be about to listen on a port too.
_ALONE_NS = 250_000_000
_SHOWN_LINES = 15
_FIRST_LINES = 3

# By exit status; negative is a signal.
_REMEDIES = {
    0: "Look at its message, if any; if it left the work to others (docker, systemd, a supervisor), give the command "
    "that they run.",
    -int(signal.SIGKILL): "Somebody killed it, or the kernel did for want of memory (dmesg tells).",
    -int(signal.SIGSEGV): "It crashed; an extension module of its own, or of the application, is the usual cause.",
}

# What was asked for cannot be as it is written; all other troubles lie in what is installed, or in the application.
_ASKED_WRONGLY = frozenset(
    {
        "attribute-missing",
        "attribute-unreadable",
        "framework-unknown",
        "is-a-directory",
        "not-an-application",
        "not-callable",
        "not-python",
        "view-impossible",
        "wrong-interface",
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
    wanted: int | str | None,
    kernel: KernelView,
    trouble: Path,
    interrupts: Interrupts,
    within_s: float = DEFAULT_START_TIMEOUT_S,
    notes: list[str] | None = None,
) -> tuple[Listener, ...]:
    """Waits until the server listens, and for rest.

    Args:
        wanted: a TCP port, a Unix socket as of `model.address`, or None for any.
        notes: doubts are added to these.

    Returns:
        Every listening socket that the server's tree holds, of TCP and of Unix, one of them as wanted.

    Raises:
        EnvironmentFailure: it exited, could not load the application, or did not listen in time.
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
        if not listening and _listens(server, wanted, kernel):
            listening, rest = True, Rest()
        elif listening:
            now_ns = time.monotonic_ns()
            if not rest.seen(now_ns, activity(process_tree(*server.roots()))):
                rests_since_ns = now_ns
            else:
                listeners = listeners_now(server, kernel)
                # A master may have tried the port before its workers open it for themselves.
                meant = [each for each in listeners if _is_meant(each, wanted)]
                sure = wanted is not None or any(each.port for each in meant) or now_ns - rests_since_ns > _ALONE_NS
                if meant and sure:
                    if rest.busy and notes is not None:
                        notes.append(_works_in_the_background(rest.busy))
                    return listeners
        time.sleep(_LOOK_S)
    raise _never_ready(server, wanted, within_s, listeners_now(server, kernel), listening=listening)


def _works_in_the_background(busy: Sequence[int]) -> str:
    return (
        f"The server works in the background all the time (pid {busy[0]}): it was taken for ready because it had not "
        "changed for a while and its main thread waits. Handlers share the interpreter with that work."
    )


def listeners_now(server: ServerProcess, kernel: KernelView) -> tuple[Listener, ...]:
    """Every listening socket that the server's tree holds, of TCP and of Unix."""
    tree = process_tree(*server.roots())
    return (*listeners_of(tree, kernel), *unix_listeners_of(tree, kernel, str(server.command.cwd)))


def _listens(server: ServerProcess, wanted: int | str | None, kernel: KernelView) -> bool:
    # First what costs less: the processes' descriptors are many.
    there = bool(kernel.listeners(wanted)) if isinstance(wanted, int) else True
    return there and any(_is_meant(each, wanted) for each in listeners_now(server, kernel))


def _is_meant(listener: Listener, wanted: int | str | None) -> bool:
    return wanted is None or wanted in (listener.port or None, listener.address)


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
    server: ServerProcess, wanted: int | str | None, within_s: float, found: Sequence[Listener], *, listening: bool
) -> EnvironmentFailure:
    said = last_lines(server)
    words = f"; its log ends with:\n{said}" if said else "; it wrote nothing."
    others = sorted({_shown(each) for each in found})
    if listening:
        return EnvironmentFailure(
            f"The server listens on {_where(wanted, others)} but did not come to rest within {within_s:g} s.",
            f"Its processes kept working or changing before any request came{words}",
            "Switch off reloaders and background work, or give it more time with --start-timeout.",
        )
    elsewhere = f"It listens on {', '.join(others)} instead" if others else "Its processes still run"
    ports = sorted({each.port for each in found if each.port})
    return EnvironmentFailure(
        f"The server did not listen on {_address_shown(wanted)} within {within_s:g} s.",
        f"{elsewhere}{words}",
        f"Name that port with --port {ports[0]}, or let holdfast choose address and port."
        if ports
        else f"Look for what its start waits for, give it more time with --start-timeout{or_raise_limits(server)}.",
    )


def _where(wanted: int | str | None, others: Sequence[str]) -> str:
    """The listen address, or what it listens on; it may have closed that again."""
    return next(iter(others), "a port, from time to time,") if wanted is None else _address_shown(wanted)


def _address_shown(wanted: int | str | None) -> str:
    if wanted is None:
        return "any port"
    return f"port {wanted}" if isinstance(wanted, int) else shown(wanted, NO_PORT)


def _shown(listener: Listener) -> str:
    return f"port {listener.port}" if listener.port else shown(listener.address, NO_PORT)
