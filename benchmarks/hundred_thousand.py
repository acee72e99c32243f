"""100,000 requests held at once on one machine, as docs/scale.md has them.

    python -m benchmarks.hundred_thousand [SECONDS]

`holdfast load --requests 100000 --over SECONDS` (40) against benchmarks.holder, which says how many it held at once.
Takes a minute; exits with 1 if not all were held at once and answered, if opening took more than a minute, or if a
connection took more than 1 KiB of memory of holdfast's own, its processes included.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.peers import machine, table
from benchmarks.scale import measured

REQUESTS = 100_000
MOST_OPENING_S = 60
MOST_BYTES_EACH = 1024
HEAD = [
    "held at once", "opened in s", "report after s", "load processes", "our bytes each", "of these, over the start",
    "kernel bytes each pair", "load CPU us each", "holder CPU us each", "from full to report s", "memory left MB",
]  # fmt: skip


def row(told: dict[str, Any]) -> list[str]:
    """One run's line of the table."""
    return [
        f"{told['holder']['held_at_once']:,}",
        f"{told['holder']['opened_s']:.0f}",
        f"{told['total_s']:.0f}",
        f"{told['load_processes']}",
        f"{told['ours_bytes_each']:,}",
        f"{told['ours_bytes_each_over_start']:,}" if told["ours_mb_before"] else "-",
        f"{told['socket_slabs_bytes_each']:,}",
        f"{told['load_cpu_us_each']:.0f}",
        f"{told['holder_cpu_us_each']:.0f}",
        f"{told['after_full_s']:.0f}",
        f"{told['least_available_mb']:,}",
    ]


def short_of(told: dict[str, Any], most_opening_s: float) -> list[str]:
    """What a run is short of, in words."""
    requests, holder = told["requests"], told["holder"]
    counted = {holder[name] for name in ("held_at_once", "came", "answered")}
    short = []
    if counted != {requests} or told["outcomes"] != {"answered": requests}:
        short.append(f"not all of {requests:,} were held at once and answered: {holder}, {told['outcomes']}")
    if holder["opened_s"] > most_opening_s:
        short.append(f"opening took {holder['opened_s']:.0f} s, more than {most_opening_s:.0f} s")
    # Of fewer, what a process is made of before its first connection weighs more than they do.
    if requests >= REQUESTS and told["ours_bytes_each"] > MOST_BYTES_EACH:
        short.append(f"a connection took {told['ours_bytes_each']} bytes of holdfast's own")
    return short


def run(points: Sequence[tuple[int, float]], most_opening_s: float) -> None:
    """Measures these points, (requests, seconds), prints the table, and ends with 1 if one is short of anything."""
    print(f"{machine()}\n")
    rows, short = [], []
    for requests, seconds in points:
        told = measured(requests, seconds, hold_s=5)
        rows.append(row(told))
        short += short_of(told, most_opening_s)
        print(f"{requests:,}: {told}", file=sys.stderr, flush=True)
    print(table(HEAD, rows))
    for words in short:
        print(f"! {words}")
    sys.exit(bool(short))


def main() -> None:
    run([(REQUESTS, float(sys.argv[1]) if len(sys.argv) > 1 else 40)], MOST_OPENING_S)


if __name__ == "__main__":
    main()
