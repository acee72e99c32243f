"""What many requests held at once cost: `holdfast load` on one side, benchmarks.holder on the other, one machine.

    python -m benchmarks.scale REQUESTS SECONDS [HOLD_S]

Prints one JSON object. The number held at once is the holder's own count. Memory is read once a second: of the load
processes what is theirs alone and their share of what they have in common (PSS of /proc/PID/smaps_rollup), of the
kernel its slabs and what is available to all. The run is ended when less than 2 GiB are.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LEAST_AVAILABLE_KB = 2 << 20
LOOK_S = 1.0
PAGE_BYTES = 4096
PATIENCE_S = 900
# What a socket and its place in an epoll are made of.
SOCKET_SLABS = (
    "TCP", "sock_inode_cache", "filp", "eventpoll_epi", "eventpoll_pwq", "ep_head", "lsm_inode_cache", "lsm_file_cache",
)  # fmt: skip
# Of dentries it has one, and one place in a wait queue (eventpoll_pwq), which stands in another cache's line.
UNSEEN_BYTES = 192 + 64
KERNEL = ("Slab", "PageTables", "KernelStack", "MemAvailable", "MemFree", "Percpu", "Cached")


@dataclass(frozen=True, slots=True)
class Sample:
    """The machine at one instant.

    Attributes:
        ours_kb, theirs_kb: PSS of the load's and of the holder's processes together.
        processes: of the load.
        sockets: TCP sockets of this network namespace.
        kernel_kb: lines of /proc/meminfo.
        slabs_kb: of each slab cache, where it may be read.
    """

    at_s: float
    ours_kb: int
    theirs_kb: int
    processes: int
    sockets: int
    tcp_pages: int
    kernel_kb: dict[str, int]
    slabs_kb: dict[str, int] = field(repr=False)


def descendants(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def pss_kb(pids: Sequence[int]) -> int:
    """Proportional set size of these processes together."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            words = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(words[1]) if words else 0
    return total


def slabs_kb() -> dict[str, int]:
    """Memory of each slab cache; nothing where /proc/slabinfo may not be read."""
    with suppress(OSError):
        sizes = {}
        for line in Path("/proc/slabinfo").read_text().splitlines()[2:]:
            name, *words = line.split()
            sizes[name] = int(words[13]) * int(words[4]) * PAGE_BYTES // 1024
        return sizes
    return {}


def sample(began: float, load: int | None, holder: int) -> Sample:
    """The machine now."""
    meminfo = dict(re.findall(r"^(\w+):\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE))
    tcp = re.search(r"^TCP: inuse (\d+) .* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.MULTILINE)
    ours = descendants(load) if load else []
    return Sample(
        round(time.monotonic() - began, 2),
        pss_kb(ours),
        pss_kb(descendants(holder)),
        max(0, len(ours) - 1),
        int(tcp[1]) if tcp else 0,
        int(tcp[2]) if tcp else 0,
        {name: int(meminfo[name]) for name in KERNEL},
        slabs_kb(),
    )


def measured(requests: int, seconds: float, hold_s: float) -> dict[str, Any]:
    """One run, from the first process to the last answer.

    Raises:
        SystemExit: the machine has too little memory left.
    """
    python = sys.executable
    holder = subprocess.Popen(
        [python, "-m", "benchmarks.holder", str(requests), str(-(-requests // 18_000)), str(hold_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=HERE.parent,
        start_new_session=True,
        text=True,
    )
    assert holder.stdout is not None
    load: subprocess.Popen[str] | None = None
    try:
        port = int(holder.stdout.readline())
        began = time.monotonic()
        samples = [sample(began, None, holder.pid)]
        before_s = os.times().children_user + os.times().children_system
        load = subprocess.Popen(
            [
                python, "-m", "holdfast", "load", f"http://127.0.0.1:{port}/",
                "--requests", str(requests), "--over", str(seconds), "--timeout", str(PATIENCE_S), "--json", "-",
            ],
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )  # fmt: skip
        while load.poll() is None and len(samples) * LOOK_S < PATIENCE_S:
            with suppress(subprocess.TimeoutExpired):
                load.wait(LOOK_S)
            samples.append(sample(began, load.pid, holder.pid))
            if samples[-1].kernel_kb["MemAvailable"] < LEAST_AVAILABLE_KB:
                raise SystemExit(f"Less than 2 GiB are left with {samples[-1].sockets // 2:,} connections: ended.")
        total_s = time.monotonic() - began
        assert load.stdout is not None
        result = json.loads(load.stdout.read())
        load_cpu_s = os.times().children_user + os.times().children_system - before_s
        holder_told = json.loads(holder.communicate(timeout=PATIENCE_S)[0].splitlines()[-1])
    finally:
        for program in (load, holder):
            if program is not None:
                with suppress(ProcessLookupError):
                    os.killpg(program.pid, signal.SIGKILL)
                program.communicate()
    return summed(requests, samples, result, holder_told, total_s, load_cpu_s)


def summed(
    requests: int,
    samples: Sequence[Sample],
    result: dict[str, Any],
    holder: dict[str, Any],
    total_s: float,
    load_cpu_s: float,
) -> dict[str, Any]:
    """The figures of a run, memory in bytes for each connection."""
    before = samples[0]
    # All load processes are there for 20 ms each before the first connection.
    begin = max((each for each in samples if each.sockets < requests // 20), key=lambda each: each.processes)
    full = max(samples, key=lambda each: (each.sockets, each.at_s))

    def each_bytes(kb: float) -> int:
        return round(kb * 1024 / requests)

    kernel = {name: full.kernel_kb[name] - before.kernel_kb[name] for name in KERNEL}
    user_kb = full.ours_kb + full.theirs_kb - before.theirs_kb
    # Whoever looks through /proc/PID/fd of all processes has an inode and a dentry made for each descriptor.
    slabs = {name: full.slabs_kb[name] - before.slabs_kb.get(name, 0) for name in full.slabs_kb}
    return {
        "requests": requests,
        "outcomes": {name: count for name, count in result["outcomes"].items() if count},
        "generator_limited": result["generator_limited"],
        "warnings": result["warnings"],
        "opened_per_s": result["rate_reached_per_s"],
        "lag_p99_us": result["pacing_lag_us"]["p99"],
        "peak_in_flight": result["peak_in_flight"],
        "holder": holder,
        "load_processes": full.processes,
        "total_s": round(total_s, 1),
        "load_cpu_s": round(load_cpu_s, 1),
        "load_cpu_us_each": round(load_cpu_s * 1e6 / requests, 1),
        "holder_cpu_us_each": round(holder["cpu_s"] * 1e6 / requests, 1),
        "ours_mb": round(full.ours_kb / 1024),
        "ours_mb_before": round(begin.ours_kb / 1024),
        "ours_bytes_each": each_bytes(full.ours_kb),
        "ours_bytes_each_over_start": each_bytes(full.ours_kb - begin.ours_kb),
        "ours_mb_most": round(max(each.ours_kb for each in samples) / 1024),
        "holder_bytes_each": each_bytes(full.theirs_kb - before.theirs_kb),
        "slab_bytes_each": each_bytes(kernel["Slab"]),
        "socket_slabs_bytes_each": 2 * UNSEEN_BYTES
        + each_bytes(sum(slabs[name] for name in SOCKET_SLABS if name in slabs)),
        "kernel_stacks_and_page_tables_bytes_each": each_bytes(kernel["PageTables"] + kernel["KernelStack"]),
        "available_less_user_bytes_each": each_bytes(-kernel["MemAvailable"] - user_kb),
        "least_available_mb": min(each.kernel_kb["MemAvailable"] for each in samples) // 1024,
        "tcp_pages": full.tcp_pages,
        "sockets": full.sockets,
        "slabs_bytes_each": {
            name: each_bytes(kb) for name, kb in sorted(slabs.items(), key=lambda item: -item[1]) if each_bytes(kb) > 8
        },
        "after_full_s": round(total_s - full.at_s, 1),
    }


def main() -> None:
    requests, seconds = int(sys.argv[1]), float(sys.argv[2])
    hold_s = float(sys.argv[3]) if len(sys.argv) > 3 else 5.0
    print(json.dumps(measured(requests, seconds, hold_s), indent=1))


if __name__ == "__main__":
    main()
