"""Waits until a server is ready: it listens, and every process of its tree has reached its waiting state.

A server listens before its workers are ready; who measures then sees one worker take it all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from holdfast.errors import EnvironmentFailure, HoldfastError, UsageError
from holdfast.interrupts import Interrupts
from holdfast.model.timeline import Listener
from holdfast.observe.activity import Activity, settled
from holdfast.observe.kernel import KernelView
from holdfast.observe.processes import activity, listeners_of, process_tree
from holdfast.servers.process import ServerProcess

START_TIMEOUT_S = 30.0

_LOOK_S = 0.005
# CPU time is counted in ticks of 10 ms; looks closer than a few of them cannot show rest.
_REST_S = 0.04


class Trouble(msgspec.Struct):
    """What the server's side of holdfast wrote about an application that it could not load."""

    what: str
    why: str = ""
    remedy: str = ""
    kind: str = ""


def raise_trouble(path: Path) -> None:
    """Raises what the server's side wrote, if it wrote anything.

    Raises:
        UsageError: the application as it was named cannot be (a directory, no such attribute).
        EnvironmentFailure: loading it failed.
    """
    try:
        trouble = msgspec.json.decode(path.read_bytes(), type=Trouble)
    except (FileNotFoundError, msgspec.DecodeError):
        return
    raise EnvironmentFailure(trouble.what, trouble.why, trouble.remedy)


def port_taken(port: int, kernel: KernelView) -> None:
    """Raises UsageError if somebody listens on this port already."""
    if kernel.listeners(port):
        raise UsageError(
            f"Port {port} is taken.",
            "Another process listens on it; what would be measured there is not the server that is started.",
            "Choose another --port, leave it out for a free one, or end that process "
            f"(ss -ltnp 'sport = :{port}' names it).",
        )


def await_ready(
    server: ServerProcess, port: int, kernel: KernelView, trouble: Path, interrupts: Interrupts
) -> tuple[Listener, ...]:
    """Waits for the port's listeners and for rest.

    Returns:
        Every TCP listener that the server's tree holds, one of them on the port.

    Raises:
        EnvironmentFailure: it exited, could not load the application, or did not listen in time.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    before: Activity | None = None
    before_s = 0.0
    listening = False
    while time.monotonic() < deadline:
        ended = server.exit_status() is not None
        raise_trouble(trouble)  # asked after `ended`: it is written before the server ends because of it
        if ended:
            check_alive(server, "at its start")
        if interrupts.asked:
            raise KeyboardInterrupt
        if not listening:
            listening = bool(kernel.listeners(port)) and any(each.port == port for each in _listeners(server, kernel))
            time.sleep(_LOOK_S)
            continue
        now, look = time.monotonic(), activity(process_tree(server.pid))
        if before is None or now - before_s >= _REST_S:
            if before is not None and settled(before, look):
                return _listeners(server, kernel)
            before, before_s = look, now
        time.sleep(_LOOK_S)
    raise _never_ready(server, port, listening=listening, others=_ports(server, kernel))


def _listeners(server: ServerProcess, kernel: KernelView) -> tuple[Listener, ...]:
    return listeners_of(process_tree(server.pid), kernel)


def _ports(server: ServerProcess, kernel: KernelView) -> list[int]:
    return sorted({each.port for each in _listeners(server, kernel)})


def check_alive(
    server: ServerProcess, when: str, kind: Callable[[str, str, str], HoldfastError] = EnvironmentFailure
) -> None:
    """Raises `kind` if the server's first process has ended."""
    status = server.exit_status()
    if status is None:
        return
    how = f"It exited with {status}" if status >= 0 else f"It was killed by signal {-status}"
    raise kind(f"The server ended {when}.", f"{how}{_words(server)}", "Look at the server's own message above.")


def _words(server: ServerProcess) -> str:
    said = server.last_words()
    return ":\n" + "\n".join(f"| {line}" for line in said.splitlines()[-15:]) if said else " and wrote nothing."


def _never_ready(server: ServerProcess, port: int, *, listening: bool, others: list[int]) -> EnvironmentFailure:
    if listening:
        return EnvironmentFailure(
            f"The server listens on port {port} but did not come to rest within {START_TIMEOUT_S:.0f} s.",
            f"Its processes kept working or changing before any request came{_words(server)}",
            "Switch off reloaders and background work, or look at the server's log above.",
        )
    elsewhere = f"It listens on {', '.join(map(str, others))} instead. " if others else ""
    return EnvironmentFailure(
        f"The server did not listen on port {port} within {START_TIMEOUT_S:.0f} s.",
        f"{elsewhere}Its last words{_words(server)}",
        "Let holdfast choose address and port, or name the port with --port.",
    )
