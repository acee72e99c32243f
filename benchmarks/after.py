"""What a load of many requests costs once it is over: its summary and result, its rows packed, read again, and a page.

Each phase runs in a process of its own on rows that are arithmetic: 64 kept connections, no server. `rows` is what the
columns themselves take, which are there anyway; the other figures are over the memory before the phase.

    python -m benchmarks.after [ROWS ...]

Ten million rows, the default after one million, take three minutes and 3 GB.
"""

from __future__ import annotations

import heapq
import random
import sys
import time
from array import array
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from benchmarks.peers import machine, table
from holdfast.engine.collect import run_of
from holdfast.engine.columns import ROW_BYTES, Columns
from holdfast.engine.reports import RunFacts
from holdfast.loadtest import saved
from holdfast.loadtest.rows import chunks
from holdfast.loadtest.run import FinishedLoad, finished_load
from holdfast.model.load import LoadExperiment
from holdfast.model.places import Outcome
from holdfast.model.scenario import Group, Step
from holdfast.model.shapes import Clients
from holdfast.page.of_load import document_of_load
from holdfast.page.render import page

CLIENTS = 64
US = 1000
GROUP = Group("load", "http://127.0.0.1:8000/", (Step("GET /", ("/",)),), Clients(CLIENTS, for_s=10.0))


def filled(rows: int) -> Columns:
    """Rows as a closed load leaves them: client c's requests follow one another, each between 0.5 and 3 ms long."""
    columns = Columns(rows)
    chance = random.Random(1)
    at = [10**12 + client for client in range(CLIENTS)]
    due, done = array("q"), array("q")
    for _ in range(rows):
        # The next row is taken by the client that is answered next.
        due.append(at[0])
        ended = at[0] + 500 * US + int(chance.random() ** 3 * 2500 * US)
        done.append(ended)
        heapq.heapreplace(at, ended)
    columns.due[:] = columns.sent[:] = due
    columns.done[:] = done
    columns.outcome[:] = bytes([Outcome.ANSWERED]) * rows
    columns.status[:] = array("H", [200]) * rows
    columns.received[:] = array("I", [153]) * rows
    for row in range(CLIENTS):
        columns.opened[row] = columns.connected[row] = columns.sent[row]
    return columns


def finished(columns: Columns) -> FinishedLoad:
    """The run that has these rows."""
    span = range(columns.capacity)
    facts = RunFacts(spans=(span,), sources=(("127.0.0.1",),), peak=CLIENTS)
    return finished_load(LoadExperiment((GROUP,)), run_of(columns, span, facts), (), 0, interrupted=False)


def _hwm_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def work_of(phase: str, columns: Columns) -> Callable[[], object]:
    """What a phase does, with everything ready that comes before it."""
    if phase == "result":
        return lambda: finished(columns)
    done = finished(columns)
    if phase == "pack":
        return lambda: sum(len(part) for part in saved.parts_of(done))
    if phase == "page":
        return lambda: page(document_of_load(done.experiment, done.result, chunks(done)))
    head, parts = saved.head_of(done), list(saved.parts_of(done))
    return lambda: saved.read(head, parts)


def measured(phase: str, rows: int) -> tuple[float, float, float]:
    """Seconds, CPU us for each row and bytes for each row of a phase."""
    columns = filled(rows)
    work = work_of(phase, columns)
    del columns
    # Writing 5 sets the highest resident size back to the present one (proc(5)).
    Path("/proc/self/clear_refs").write_text("5")
    before_kb, cpu_s, began = _hwm_kb(), time.process_time(), time.monotonic()
    work()
    elapsed_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_s
    return elapsed_s, cpu_s / rows * 1e6, (_hwm_kb() - before_kb) * 1024 / rows


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [1_000_000, 10_000_000]
    where, rows = machine(), []
    for size in sizes:
        for phase in ("result", "pack", "read", "page"):
            with get_context("spawn").Pool(1) as pool:
                elapsed_s, cpu_us, each = pool.apply(measured, (phase, size))
            rows.append([f"{size:,}", phase, f"{elapsed_s:.1f}", f"{cpu_us:.2f}", f"{each:.0f}"])
            print(*rows[-1], file=sys.stderr, flush=True)
    print(f"{where}; the columns themselves take {ROW_BYTES} bytes for each row\n")
    print(table(["rows", "phase", "s", "CPU us each", "bytes each"], rows))


if __name__ == "__main__":
    main()
