"""What a load run costs as it grows, from a thousand requests to a million: nothing may grow faster than they do.

One nginx worker is loaded by 64 clients on kept connections. After the run is over, its result is made from the raw
rows and these are saved; then each form of the results is written from the saved run.

    python -m benchmarks.growth [MOST REQUESTS]

Takes about two minutes with the default, a million. Parquet is written where pyarrow is installed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from benchmarks.peers import ADDRESS, machine, nginx, run, table
from holdfast.cli.saved_load import saved_load
from holdfast.store import default_path

FORMS = ("csv", "jsonl", "jtl", "sqlite", *(("parquet",) if find_spec("pyarrow") else ()))
HOLDFAST = [sys.executable, "-m", "holdfast"]


def load(port: int, requests: int) -> list[str]:
    """Makes and saves run 1; its row of the table."""
    default_path().unlink(missing_ok=True)
    url = f"http://{ADDRESS}:{port}/"
    cost = run([*HOLDFAST, "load", url, "--clients", "64", "--requests", str(requests)], default_path())
    ended_ns = time.monotonic_ns()
    loaded = saved_load(1)
    columns, begun = loaded.run.columns, loaded.run.begun
    after_s = (ended_ns - max(columns.done[row] for row in begun)) / 1e9
    assert loaded.result.outcomes["answered"] == requests
    return [
        f"{requests:,}",
        f"{loaded.result.duration_s:.2f}",
        f"{after_s:.2f}",
        f"{after_s / requests * 1e6:.1f}",
        f"{cost.cpu_s:.2f}",
        f"{cost.memory_mb:.0f}",
        f"{default_path().stat().st_size / requests:.1f}",
    ]


def forms(directory: Path, requests: int) -> list[list[str]]:
    """Each form of run 1's results; its rows of the table."""
    rows = []
    for form in FORMS:
        file = directory / f"rows.{form}"
        cost = run([*HOLDFAST, "report", "1", f"--{form}", str(file)], default_path())
        size = file.stat().st_size / requests
        figures = (f"{cost.elapsed_s:.2f}", f"{cost.cpu_s:.2f}", f"{cost.memory_mb:.0f}", f"{size:.1f}")
        rows.append([f"{requests:,}", form, *figures])
        file.unlink()
    return rows


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    sizes = [10**power for power in range(3, 10) if 10**power <= most]
    loads, written = [], []
    with tempfile.TemporaryDirectory() as directory, nginx() as port:
        os.environ["HOLDFAST_RUNS"] = f"{directory}/runs.sqlite"
        for requests in sizes:
            loads.append(load(port, requests))
            written += forms(Path(directory), requests)
    print(f"{machine()}\n")
    head = ["requests", "run s", "after the last reply s", "of that us/request", "CPU s", "peak MB", "saved bytes/row"]
    print(table(head, loads))
    print("\nWritten from the saved run, its reading and a result of its own included:\n")
    print(table(["requests", "form", "s", "CPU s", "peak MB", "bytes/row"], sorted(written, key=lambda row: row[1])))


if __name__ == "__main__":
    main()
