"""1,000,000 requests held at once on one machine; on the way there 10,000, 100,000, 200,000 and 400,000.

    python -m benchmarks.million [PER_SECOND [REQUESTS ...]]

Run by hand: it takes ten minutes at 4,000 a second, the default, and 9 GB of memory, most of it the kernel's; it
looks first whether the machine has them. Exits with 1 if not all were held at once and answered, or if
a million took more than ten minutes to open.
"""

from __future__ import annotations

import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.hundred_thousand import run
from benchmarks.scale import LEAST_AVAILABLE_KB

POINTS = (10_000, 100_000, 200_000, 400_000, 1_000_000)
MOST_OPENING_S = 600
# Of the kernel for both ends, and our own; measured, with something to spare.
BYTES_EACH = 9_500


def check_machine(requests: int) -> None:
    """Raises SystemExit where so many cannot be held here, with the command that would help."""
    needed_kb = requests * BYTES_EACH // 1024 + LEAST_AVAILABLE_KB
    found = re.search(r"^MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    if found and int(found[1]) < needed_kb:
        raise SystemExit(f"{requests:,} take {needed_kb >> 20} GiB of memory, and {int(found[1]) >> 20} GiB are free.")
    used, _, most = map(int, Path("/proc/sys/fs/file-nr").read_text().split())
    if used + 2 * requests > most:
        raise SystemExit(f"There may be {most:,} open files: sysctl -w fs.file-max={used + 2 * requests + 100_000}")
    watches = int(Path("/proc/sys/fs/epoll/max_user_watches").read_text())
    if 2 * requests > watches:
        raise SystemExit(f"Epolls may have {watches:,} places: sysctl -w fs.epoll.max_user_watches={2 * requests}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 19_000:
        raise SystemExit(f"A process may have {hard:,} descriptors: ulimit -n 20000")


def points(words: Sequence[str]) -> list[tuple[int, float]]:
    """What is asked for: (requests, seconds)."""
    per_s = float(words[0]) if words else 4000
    return [(requests, requests / per_s) for requests in (map(int, words[1:]) if words[1:] else POINTS)]


def main() -> None:
    asked = points(sys.argv[1:])
    check_machine(max(requests for requests, _ in asked))
    run(asked, MOST_OPENING_S)


if __name__ == "__main__":
    main()
