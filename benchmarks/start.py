"""How long a command line takes to start, and how much memory it takes, compared with another build.

    python -m benchmarks.start --base OTHER/.venv/bin/python [--pairs 15]

`OTHER` is a checkout of the other commit that was set up as usual (`make .venv/.synced`); BASE in the environment says
the same as --base. Whole processes of both builds run in turn, in an empty directory and with the files that Python
compiles present:

* `holdfast --version`;
* `holdfast load URL --requests 1 --over 0s`, against a server of one thread: the result is printed and the run saved.
  Memory is the highest resident memory of its largest process;
* the imports of `holdfast probe`: the modules that one whole run (`probe --max-offered 3`: server started, measured,
  run saved, verdict printed) has loaded by its end are imported in the same order by a fresh process, without the run.

Time is CPU time, user and system together, which other work on the machine disturbs less; elapsed time stands next to
it. Figures are medians, a ratio is the median of the ratios of all pairs. Exits with 1 if a ratio is over its target.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.peers import machine, table

OURS = sys.executable
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"

# Imports the modules that are named, and says what that took.
IMPORT = """
import importlib, sys, time
began, cpu = time.perf_counter(), time.process_time()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(time.process_time() - cpu, time.perf_counter() - began)
"""
# Runs a command line and, at its end, writes down which modules it has loaded, in their order.
LOADED = """
import atexit, runpy, sys
before, found = {*sys.modules}, sys.argv.pop(1)
atexit.register(lambda: print(*(name for name in sys.modules if name not in before), file=open(found, "w")))
runpy.run_module("holdfast", run_name="__main__", alter_sys=True)
"""
# Of these, the ones that can be imported by their names.
IMPORTABLE = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    print(name)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process came to.

    Attributes:
        memory_mb: of its largest process; None where it is not of interest.
    """

    cpu_s: float
    elapsed_s: float
    memory_mb: float | None = None


def whole(command: Sequence[str], scratch: Path) -> Cost:
    """Runs a command to its end.

    It is started by a small process that does nothing else, since `ru_maxrss` counts what a process was before it
    became another program.
    """
    starter = (
        "import os, resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
        "elapsed, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, elapsed, used.ru_maxrss / 1024)\n"
        "sys.exit(code)\n"
    )
    ended = subprocess.run(
        [OURS, "-I", "-S", "-c", starter, *command],
        cwd=scratch,
        check=False,
        env=environment(scratch),
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise SystemExit(f"{command} ended with {ended.returncode}: {ended.stderr}")
    return Cost(*map(float, ended.stdout.split()))


def environment(scratch: Path) -> dict[str, str]:
    """Nothing of this environment but its path, and a place for saved runs."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {**own, "HOLDFAST_RUNS": str(scratch / "runs.sqlite")}


def said(python: str, code: str, *arguments: str, scratch: Path) -> str:
    """What a piece of Python prints."""
    command = [python, "-c", code, *arguments]
    return subprocess.run(
        command, cwd=scratch, env=environment(scratch), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def modules_of_a_probe(python: str, scratch: Path) -> list[str]:
    """The modules that a whole probe has loaded by its end, in their order."""
    found = scratch / "modules"
    said(python, LOADED, str(found), "probe", "--max-offered", "3", scratch=scratch)
    return said(python, IMPORTABLE, *found.read_text().split(), scratch=scratch).split()


def imports(python: str, modules: Sequence[str], scratch: Path) -> Cost:
    """What importing them takes in a fresh process."""
    return Cost(*map(float, said(python, IMPORT, *modules, scratch=scratch).split()))


@contextmanager
def small_server() -> Iterator[int]:
    """A server that answers each connection's request and closes it; gives its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        threading.Thread(target=_answer, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def _answer(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(REPLY)


def in_turn(pairs: int, base: Callable[[], Cost], ours: Callable[[], Cost]) -> tuple[list[Cost], list[Cost]]:
    """Both, one after the other, so many times; each once before, so that nothing is compiled in a measured run."""
    base()
    ours()
    found = [(base(), ours()) for _ in range(pairs)]
    return [each for each, _ in found], [each for _, each in found]


def row(
    name: str, base: Sequence[float], ours: Sequence[float], unit: str, target: float | None
) -> tuple[list[str], bool]:
    """A line of the table, and whether its ratio is within the target."""
    ratio = statistics.median(own / other for own, other in zip(ours, base, strict=True))
    cells = [name, *(f"{statistics.median(each):.{1 if unit == 'MB' else 3}f} {unit}" for each in (base, ours))]
    return [*cells, f"{ratio:.2f}", "" if target is None else f"{target:.2f}"], target is None or ratio <= target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default=os.environ.get("BASE"), help="the other build's python")
    parser.add_argument("--pairs", type=int, default=15)
    options = parser.parse_args()
    if not options.base:
        parser.error("name the other build's interpreter with --base or BASE")
    builds = (options.base, OURS)
    where = machine()
    rows, within = [], []
    with tempfile.TemporaryDirectory() as directory, small_server() as port:
        scratch = Path(directory)
        load = ("load", f"http://127.0.0.1:{port}/", "--requests", "1", "--over", "0s")
        modules = {python: modules_of_a_probe(python, scratch) for python in builds}
        subjects: list[tuple[str, float, float | None, Callable[[str], Cost]]] = [
            ("--version", 0.25, None, lambda python: whole([script(python), "--version"], scratch)),
            ("load", 0.4, 0.55, lambda python: whole([script(python), *load], scratch)),
            ("imports of probe", 0.5, None, lambda python: imports(python, modules[python], scratch)),
        ]
        for name, most_time, most_memory, cost in subjects:
            base, ours = in_turn(options.pairs, partial(cost, builds[0]), partial(cost, builds[1]))
            found = [
                row(f"{name}, CPU", [c.cpu_s for c in base], [c.cpu_s for c in ours], "s", most_time),
                row(f"{name}, elapsed", [c.elapsed_s for c in base], [c.elapsed_s for c in ours], "s", None),
            ]
            if most_memory is not None:
                sizes = [[c.memory_mb or 0.0 for c in costs] for costs in (base, ours)]
                found.append(row(f"{name}, memory", sizes[0], sizes[1], "MB", most_memory))
            rows += [cells for cells, _ in found]
            within += [kept for _, kept in found]
    print(f"{where}; {options.pairs} pairs; modules of a probe: {len(modules[builds[0]])} and {len(modules[OURS])}\n")
    print(table(["command", "base", "this build", "ratio", "target"], rows))
    return 0 if all(within) else 1


def script(python: str) -> str:
    """The command that is installed next to an interpreter."""
    return str(Path(python).with_name("holdfast"))


if __name__ == "__main__":
    sys.exit(main())
