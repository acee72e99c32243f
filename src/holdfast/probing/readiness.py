"""Waits until a server is ready: it listens, and every process of its tree waits for requests.

A server listens before its workers are ready; a measurement that begins then sees one worker take everything.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path

from holdfast.errors import EnvironmentFailure, HoldfastError, InconclusiveError, UsageError
from holdfast.interrupts import Interrupts
from holdfast.model.address import NO_PORT, shown
from holdfast.model.experiment import DEFAULT_START_TIMEOUT_S
from holdfast.model.frozen import frozen
from holdfast.model.live import LiveProbe
from holdfast.model.timeline import Listener
from holdfast.model.units import NS_PER_S
from holdfast.observe.activity import Rest
from holdfast.observe.kernel import KernelView
from holdfast.observe.network_namespace import listens_elsewhere
from holdfast.observe.processes import (
    find_listeners,
    find_unix_listeners,
    read_activity,
    read_descendants,
    read_process_tree,
)
from holdfast.observe.time_namespace import runs_on_another_clock
from holdfast.probing.more_ports import awaits_its_own
from holdfast.probing.patience import Patience
from holdfast.probing.turnover import Turnover
from holdfast.probing.yet_to_listen import awaits_a_server
from holdfast.servers.process import ServerProcess

_LOOK_S = 0.005
# A server that so far listens only on a Unix socket may be about to listen on a port too.
_ALONE_NS = 250_000_000
# TensorBoard needs some three seconds more than its data server; a server may wait for its database.
_ITS_OWN_NS = 10 * NS_PER_S
_SHOWN_LINES = 15
_FIRST_LINES = 3

# By exit status; negative is a signal.
_REMEDIES = {
    -int(signal.SIGKILL): "It was killed with SIGKILL, possibly by the kernel's OOM killer (see dmesg).",
    -int(signal.SIGSEGV): "It crashed; the usual cause is an extension module, its own or the application's.",
}
# By whether the command is the person's own: what to do about one that exits with 0 instead of listening.
_ENDED_WELL = {
    False: "Check the server's arguments after --: one of them may make it print something and exit.",
    True: "Look at its message, if any; if it handed the work over (to docker, systemd, a supervisor), give the "
    "command that they run.",
}

# Mistakes in what was asked for; every other kind lies in what is installed, or in the application.
_ASKED_WRONGLY = frozenset(
    {
        "attribute-missing",
        "attribute-unreadable",
        "file-missing",
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
    "It wants a terminal, and holdfast gives it none (its stdin is /dev/null): leave out whatever asks for input."
)


def raise_trouble(path: Path) -> None:
    """Raises what the part of holdfast inside the server reported, if it reported anything.

    Raises:
        UsageError: what was named is not an application (no such file, a directory, no such attribute).
        EnvironmentFailure: a module is missing, or loading it failed.
    """
    try:
        trouble = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return
    match trouble:
        case {"what": str(what), **more}:
            kind = UsageError if more.get("kind") in _ASKED_WRONGLY else EnvironmentFailure
            raise kind(what, str(more.get("why", "")), str(more.get("remedy", "")))


@frozen
class Starting:
    """A server that was started and is not ready yet.

    Attributes:
        wanted: where it has to listen: a TCP port, a Unix socket as in `model.address`, or None for anywhere.
        trouble: file in which the part of holdfast inside it reports that it could not load the application.
        within_s: how long it may take.
        own: it is a person's own command.
        patience: tells what is waited for, while that takes long.
    """

    server: ServerProcess
    wanted: int | str | None
    kernel: KernelView
    trouble: Path
    within_s: float = DEFAULT_START_TIMEOUT_S
    own: bool = False
    patience: Patience = field(default_factory=Patience)


@frozen
class Ready:
    """A server that has come to rest.

    Attributes:
        listeners: every listening socket that its processes hold, of TCP and of Unix, at least one of them as wanted.
        notes: doubts, in words.
        waits_unread: as `ServerFacts` has it.
    """

    listeners: tuple[Listener, ...]
    notes: tuple[str, ...]
    waits_unread: bool = False


def await_ready(starting: Starting, interrupts: Interrupts) -> Ready:
    """Waits until the server listens and has come to rest.

    Raises:
        UsageError: what was named is not an application.
        EnvironmentFailure: it exited, could not load the application, or did not listen in time.
        InconclusiveError: Ctrl-C.
    """
    server, wanted, kernel = starting.server, starting.wanted, starting.kernel
    deadline = time.monotonic() + starting.within_s
    rest, rests_since_ns = Rest(), 0
    listening, turnover = False, Turnover()
    while time.monotonic() < deadline:
        _check_start(starting, interrupts)
        tree = read_descendants(*server.roots())
        turnover.seen(tree)
        awaited = partial(_awaited, wanted, turnover, listening=listening)
        starting.patience.wait(awaited)
        starting.patience.offer(partial(_seen, awaited, deadline))
        if not listening:
            if _listens(server, wanted, kernel):
                listening, rest = True, Rest()
            elif elsewhere := listens_elsewhere(tree):
                raise _out_of_reach(*elsewhere)
        elif not rest.seen(now_ns := time.monotonic_ns(), read_activity(tree)):
            rests_since_ns = now_ns
        elif listeners := _settled_listeners(starting, now_ns - rests_since_ns):
            if (pid := runs_on_another_clock(tree)) is not None:
                raise _on_another_clock(pid)
            notes = (_never_rests(rest.busy, rest.polling),) if rest.busy else ()
            return Ready(listeners, notes, rest.unread)
        time.sleep(_LOOK_S)
    raise _never_ready(starting, listeners_now(server, kernel), turnover.words(), listening=listening)


def _out_of_reach(pid: int, port: int) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"The server listens on port {port}, which cannot be reached from here.",
        f"Its process {pid} is in a network namespace of its own, as in a container or with systemd's PrivateNetwork.",
        "Run holdfast inside of that, or start the server without it.",
    )


def _on_another_clock(pid: int) -> EnvironmentFailure:
    return EnvironmentFailure(
        "When the server's handlers begin cannot be measured here.",
        f"Its process {pid} is in a time namespace of its own, where CLOCK_MONOTONIC is another one than holdfast's.",
        "Run holdfast inside of that, or start the server without it.",
    )


def _awaited(wanted: int | str | None, turnover: Turnover, *, listening: bool) -> str:
    ends = turnover.words()
    state = "come to rest" if listening else f"listen on {_address_shown(wanted)}"
    return f"waiting for the server to {state}{f'; a process of it ends and is started again, {ends}' if ends else ''}."


def _seen(awaited: Callable[[], str], deadline: float, plain: LiveProbe) -> LiveProbe:
    return replace(plain, detail=awaited(), within_s=max(0.0, deadline - time.monotonic()))


def _check_start(starting: Starting, interrupts: Interrupts) -> None:
    ended = starting.server.exit_status() is not None
    raise_trouble(starting.trouble)  # asked after `ended`: it is written before the server ends because of it
    if ended:
        check_alive(starting.server, "at its start", remedies={**_REMEDIES, 0: _ENDED_WELL[starting.own]})
    if interrupts.asked:
        raise InconclusiveError(
            "Stopped before the server was ready.", "So nothing was seen.", "Nothing is left running."
        )


def _settled_listeners(starting: Starting, rested_ns: int) -> tuple[Listener, ...]:
    """The listening sockets of a server at rest; () while it may be about to open the one that is wanted."""
    listeners = listeners_now(starting.server, starting.kernel)
    # A master may have tried the port before its workers open it for themselves.
    wanted = [each for each in listeners if _is_wanted(each, starting.wanted)]
    sure = starting.wanted is not None or any(each.port for each in wanted) or rested_ns > _ALONE_NS
    if sure and wanted and starting.own and starting.wanted is None and rested_ns < _ITS_OWN_NS:
        tree = read_process_tree(*starting.server.roots())
        sure = not awaits_its_own(starting.server.command.argv, wanted) and not awaits_a_server(tree, listeners)
    return listeners if wanted and sure else ()


def _never_rests(busy: Sequence[int], polling: Sequence[int]) -> str:
    if polling:
        return (
            f"The server never rests: its main thread uses the processor without a pause (pid {polling[0]}), as a loop "
            "does that polls. It was taken to be ready because for a while it had not changed, read nothing and taken "
            "no memory."
        )
    return (
        f"The server works in the background all the time (pid {busy[0]}). It was taken to be ready because it had not "
        "changed for a while and its main thread was waiting. Handlers share the interpreter with that work."
    )


def listeners_now(server: ServerProcess, kernel: KernelView) -> tuple[Listener, ...]:
    """Every listening socket that the server's tree holds, of TCP and of Unix."""
    tree = read_process_tree(*server.roots())
    return (*find_listeners(tree, kernel), *find_unix_listeners(tree, kernel, str(server.command.cwd)))


def _listens(server: ServerProcess, wanted: int | str | None, kernel: KernelView) -> bool:
    # The cheap look first: the processes have many descriptors.
    there = bool(kernel.listeners(wanted)) if isinstance(wanted, int) else True
    return there and any(_is_wanted(each, wanted) for each in listeners_now(server, kernel))


def _is_wanted(listener: Listener, wanted: int | str | None) -> bool:
    return wanted is None or wanted in (listener.port or None, listener.address)


def check_alive(
    server: ServerProcess,
    when: str,
    kind: Callable[[str, str, str], HoldfastError] = EnvironmentFailure,
    remedies: Mapping[int, str] = _REMEDIES,
) -> None:
    """Raises `kind` if the server's first process has ended.

    Args:
        remedies: what to do next, by its exit status.
    """
    status = server.exit_status()
    if status is None:
        return
    how = (
        f"It exited with {status}" if status >= 0 else f"It was ended by signal {-status} ({signal.strsignal(-status)})"
    )
    said = first_and_last_lines(server) if kind is EnvironmentFailure else last_lines(server)
    words = f":\n{said}" if said else " and wrote nothing."
    if _WANTS_TERMINAL.search(said):
        raise kind(f"The server ended {when}.", f"{how}{words}", _NO_TERMINAL)
    seen = "Look at the server's own message above" if said else "Start the application without holdfast to see why"
    remedy = f"{seen}{or_raise_limits(server)}."
    if status in remedies:
        remedy = f"{remedies[status]}{limits_as_cause(server)}"
    raise kind(f"The server ended {when}.", f"{how}{words}", remedy)


def last_lines(server: ServerProcess) -> str:
    """The end of what it wrote, each line marked as a quotation; "" if it wrote nothing."""
    return "\n".join(f"| {line}" for line in server.log.last_words().splitlines()[-_SHOWN_LINES:])


def log_ends_with(server: ServerProcess) -> str:
    """A sentence with the end of what it wrote; "" if it wrote nothing."""
    lines = last_lines(server)
    return f" Its log ends with:\n{lines}" if lines else ""


def what_its_log_says(server: ServerProcess) -> str:
    """The last lines of its log, to follow a reason, or that there are none."""
    lines = last_lines(server)
    return f"; its log ends with:\n{lines}" if lines else "; its log is empty."


def first_and_last_lines(server: ServerProcess) -> str:
    """The beginning and the end of what it wrote, since the end alone may be a list of its options."""
    last, first = server.log.last_words().splitlines(), server.log.first_words().splitlines()
    if len(last) <= _SHOWN_LINES:
        return last_lines(server)
    beginning = [line for line in first if line.strip()][:_FIRST_LINES]
    shown = [*beginning, "...", *last[_FIRST_LINES + 1 - _SHOWN_LINES :]]
    return "\n".join(f"| {line}" for line in shown)


def or_raise_limits(server: ServerProcess) -> str:
    """The end of an advice, if the server was given limits, which may be the cause; "" if it was not."""
    named = _limits_given(server)
    return f", or raise {named}" if named else ""


def limits_as_cause(server: ServerProcess) -> str:
    """A sentence after an advice, if the server was given limits; "" if it was not."""
    named = _limits_given(server)
    return f" Its limits may be the cause too: raise {named}." if named else ""


def _limits_given(server: ServerProcess) -> str:
    return " and ".join(each.shown for each in server.command.limits)


def _never_ready(starting: Starting, found: Sequence[Listener], ends: str, *, listening: bool) -> EnvironmentFailure:
    """The error for a server that did not become ready in time.

    Args:
        found: where it listens now.
        ends: what of it ends again and again, in words; "" if nothing does.
    """
    server, wanted, within_s = starting.server, starting.wanted, starting.within_s
    said = last_lines(server)
    words = f"; its log ends with:\n{said}" if said else "; it wrote nothing."
    others = sorted({_shown(each) for each in found})
    if ends:
        return EnvironmentFailure(
            f"The server did not come up within {within_s:g} s.",
            f"A process of it ends and is started again, {ends}{words}",
            f"Start that alone to see why it ends. More time would not help.{limits_as_cause(server)}",
        )
    if listening:
        return EnvironmentFailure(
            f"The server listens on {_where(wanted, others)} but did not come to rest within {within_s:g} s.",
            f"Its processes kept working or changing before any request came{words}",
            "Turn off reloaders and background work, or give it more time with --start-timeout.",
        )
    elsewhere = f"It listens on {', '.join(others)} instead" if others else "Its processes still run"
    ports = sorted({each.port for each in found if each.port})
    return EnvironmentFailure(
        f"The server did not listen on {_address_shown(wanted)} within {within_s:g} s.",
        f"{elsewhere}{words}",
        f"Name that port with --port {ports[0]}, or let holdfast choose address and port."
        if ports
        else f"Find out what its start waits for, or give it more time with --start-timeout{or_raise_limits(server)}.",
    )


def _where(wanted: int | str | None, others: Sequence[str]) -> str:
    """The address that is wanted, or what it listens on, which it may have closed again."""
    return next(iter(others), "a port, from time to time,") if wanted is None else _address_shown(wanted)


def _address_shown(wanted: int | str | None) -> str:
    if wanted is None:
        return "any port"
    return f"port {wanted}" if isinstance(wanted, int) else shown(wanted, NO_PORT)


def _shown(listener: Listener) -> str:
    return f"port {listener.port}" if listener.port else shown(listener.address, NO_PORT)
