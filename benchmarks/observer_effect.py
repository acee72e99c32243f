"""What a request that holdfast holds costs the server, beside one whose handler just sleeps.

Each server is started twice: as `holdfast probe` starts it, its requests held by the recorder, and with
`sleeping_app.py`, in which nothing of holdfast is loaded. Both get the same connections from the same code.
Compared are the descriptors and threads that 50, 100 and 200 requests in their handlers add, which must be
equal, and the memory, whose ratio is shown. Then both run under
`ulimit -n` 64, 128, 256 and 512: as many handlers must run at once, one more for each descriptor more.

    python -m benchmarks.observer_effect

Exits with 1 if descriptors, threads or ceilings differ. Takes about 45 s.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.engine.http1 import host_field, numbered, request_head
from holdfast.engine.prober import Prober
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import View
from holdfast.observe.kernel import KernelView
from holdfast.observe.processes import read_process_tree, read_usage
from holdfast.observe.record_reader import RecorderSettings, Recording
from holdfast.probing.readiness import Starting, await_ready
from holdfast.probing.waits import look_interval_ns
from holdfast.servers.adapter import Start
from holdfast.servers.address import LOOPBACK
from holdfast.servers.interpreter import find_interpreter
from holdfast.servers.limits import asked_limits
from holdfast.servers.process import Command, ServerProcess
from holdfast.servers.registry import adapter_named

HELD = (50, 100, 200)
NOFILE = (64, 128, 256, 512)
HERE = Path(__file__).resolve().parent

_SAME_FOR_S = 0.3
_LONGEST_S = 30.0
_TURN_NS = 2_000_000
_LOOK_NS = 50_000_000


@dataclass(frozen=True, slots=True)
class Side:
    """One server, to be started once held and once sleeping.

    Attributes:
        plain: interpreter, port -> the command that serves `sleeping_app.py` in the same way.
    """

    title: str
    server: str
    view: View
    arguments: tuple[str, ...]
    plain: Callable[[str, int], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a server's processes use together; pages that a fork shares count once."""

    processes: int
    threads: int
    descriptors: int
    memory_bytes: int

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.processes - other.processes,
            self.threads - other.threads,
            self.descriptors - other.descriptors,
            self.memory_bytes - other.memory_bytes,
        )


@dataclass(frozen=True, slots=True)
class Running:
    """A started server and the load on it."""

    pid: int
    prober: Prober
    recording: Recording | None

    def cost(self) -> Cost:
        """What the server uses now."""
        used = read_usage(read_process_tree(self.pid), 0)
        if used is None or used.memory_bytes is None:
            raise SystemExit(f"what process {self.pid} uses cannot be read")
        return Cost(used.processes, used.threads, used.descriptors, used.memory_bytes)

    def hold(self, count: int) -> Cost:
        """Opens requests up to so many altogether; what the server uses once that stays the same."""
        while self.prober.offered < count:
            # A few at a time, so that no SYN is lost to a full accept queue.
            if self.prober.connecting == 0:
                self.prober.open(min(4, count - self.prober.offered))
            self.prober.turn(_TURN_NS)
            self._slow_down()
        deadline = time.monotonic() + _LONGEST_S
        seen, since = self.cost(), time.monotonic()
        while time.monotonic() - since < _SAME_FOR_S:
            self.prober.turn(_LOOK_NS)
            self._slow_down()
            now = self.cost()
            if (now.processes, now.threads, now.descriptors) != (seen.processes, seen.threads, seen.descriptors):
                since = time.monotonic()
            seen = now
            if time.monotonic() > deadline:
                raise SystemExit(f"process {self.pid} did not come to rest with {count} requests")
        return seen

    def _slow_down(self) -> None:
        if self.recording is not None:
            held = self.recording.in_service(0, self.prober.offered)
            self.recording.set_look_interval(look_interval_ns(held))


def _flask_plain(interpreter: str, port: int) -> tuple[str, ...]:
    return (interpreter, str(HERE / "sleeping_app.py"), str(port))


def _flask_processes_plain(interpreter: str, port: int) -> tuple[str, ...]:
    return (*_flask_plain(interpreter, port), str(max(HELD)))


_UWSGI = ("--http-socket", ":0", "--threads", str(max(HELD)), "--listen", "128")


def _uwsgi_plain(interpreter: str, port: int) -> tuple[str, ...]:
    listener = ("--http-socket", f":{port}", *_UWSGI[2:])
    return (str(Path(interpreter).parent / "uwsgi"), "--module", "sleeping_app:application", *listener)


SIDES = (
    Side("Flask, threads, sync view", "flask", "sync", (), _flask_plain),
    Side("Flask, threads, async view", "flask", "async", (), _flask_plain),
    Side("Flask, processes=200", "flask", "sync", ("--processes", str(max(HELD))), _flask_processes_plain),
    Side("uWSGI, threads=200", "uwsgi", "sync", _UWSGI, _uwsgi_plain),
)


@contextmanager
def _started(side: Side, *, held: bool, nofile: int | None = None) -> Iterator[Running]:
    adapter = adapter_named(side.server)
    interpreter = find_interpreter(adapter, None, Path.cwd())
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm")))
        kernel = stack.enter_context(KernelView())
        token, port, recording = secrets.token_hex(16), _free_port(), None
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(HERE)}
        if interpreter.virtual_env is not None:
            environment["VIRTUAL_ENV"] = interpreter.virtual_env
        if held:
            recording = stack.enter_context(Recording.create(directory / "record", 2 * max(NOFILE)))
            settings = RecorderSettings(recording.path, token, directory / "trouble", view=side.view)
            environment |= settings.environment()
            start = Start(interpreter.path, interpreter.scripts, port, side.arguments)
            argv, path = adapter.launch(start).command, "/"
        else:
            argv, path = side.plain(interpreter.path, port), f"/{side.view}"
        command = Command(
            argv,
            environment,
            Path.cwd(),
            directory / "log",
            token,
            limits=asked_limits(nofile),
            stop_signal=adapter.stop_signal,
        )
        server = stack.enter_context(ServerProcess(command))
        await_ready(Starting(server, port, kernel, directory / "trouble"), Interrupts())
        head = request_head("GET", path, host_field(LOOPBACK, port), ())
        prober = Prober(LOOPBACK, port, numbered(head, "X-Holdfast", f"{token}/"), 2 * max(NOFILE))
        yield Running(server.pid, stack.enter_context(prober), recording)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _costs(side: Side, *, held: bool) -> list[Cost]:
    """What the server uses at rest, then what requests in their handlers add, for each number of HELD."""
    with _started(side, held=held) as running:
        rest = running.cost()
        found = [rest]
        for count in HELD:
            found.append(running.hold(count) - rest)
            if running.recording is not None and running.recording.in_service(0, count) != count:
                raise SystemExit(f"{side.title}: not all of {count} requests are held")
        return found


def _ceiling(side: Side, nofile: int, *, held: bool) -> int:
    """Handlers that run at once with more offered than the limit lets in, by the server's own threads."""
    with _started(side, held=held, nofile=nofile) as running:
        rest = running.cost()
        return (running.hold(nofile + 20) - rest).threads


def _per_request(costs: Sequence[Cost]) -> tuple[float, float, float]:
    """Slope between the least and the most requests: descriptors, threads, bytes of memory."""
    more, requests = costs[-1] - costs[1], HELD[-1] - HELD[0]
    return more.descriptors / requests, more.threads / requests, more.memory_bytes / requests


def _row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def _compare_costs(side: Side) -> bool:
    """Prints what a request costs on both sides; whether descriptors and threads are the same."""
    held, plain = _costs(side, held=True), _costs(side, held=False)
    same = True
    for count, ours, theirs in zip((0, *HELD), held, plain, strict=True):
        if (ours.descriptors, ours.threads) != (theirs.descriptors, theirs.threads):
            same = False
            print(f"{side.title}: with {count} requests {ours} held and {theirs} sleeping", file=sys.stderr)
    held_each, plain_each = _per_request(held), _per_request(plain)
    for name, ours_each, theirs_each in zip(("descriptors", "threads"), held_each, plain_each, strict=False):
        ratio = f"{ours_each / theirs_each:.2f}" if theirs_each else "-"
        _row(side.title, name, f"{ours_each:g}", f"{theirs_each:g}", ratio)
    ours_kib, theirs_kib = held_each[2] / 1024, plain_each[2] / 1024
    _row(side.title, "memory", f"{ours_kib:.1f} KiB", f"{theirs_kib:.1f} KiB", f"{ours_kib / theirs_kib:.2f}")
    return same


def _compare_ceilings(side: Side) -> bool:
    """Prints the ceilings under limits of descriptors; whether both are the same, one more for each descriptor."""
    _row(f"{side.title}, ulimit -n", *NOFILE)
    _row(*["---"] * (1 + len(NOFILE)))
    ours = [_ceiling(side, nofile, held=True) for nofile in NOFILE]
    _row("in service, held by holdfast", *ours)
    theirs = [_ceiling(side, nofile, held=False) for nofile in NOFILE]
    _row("in service, handler just sleeps", *theirs)
    return ours == theirs and len({nofile - each for nofile, each in zip(NOFILE, ours, strict=True)}) == 1


def main() -> int:
    _row("server", "for each request", "held by holdfast", "handler just sleeps", "ratio")
    _row(*["---"] * 5)
    same = [_compare_costs(side) for side in SIDES]
    print()
    same.append(_compare_ceilings(SIDES[0]))
    print("\nNo observer effect." if all(same) else "\nThe observer has an effect.")
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
