"""How late holdfast opens its connections, at 1,000 and at 5,000 requests a second.

One connection for each request, towards one nginx worker on the same machine; pacing lag is the time from
when a request is due until its SYN leaves.

    python -m benchmarks.pacing [ROUNDS] [SECONDS]

Takes half a minute with the defaults, 3 rounds of 5 s. Exits with 1 if the median round's p99 exceeds 1 ms.
"""

from __future__ import annotations

import json
import statistics
import sys

from benchmarks.peers import machine, nginx, run, table

RATES = (1000, 5000)
MOST_NS = 1_000_000


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = sys.argv[2] if len(sys.argv) > 2 else "5"
    where = machine()
    rows = []
    late = False
    with nginx() as port:
        for rate in RATES:
            count = str(round(rate * float(seconds)))
            told = [
                json.loads(run([sys.executable, "-m", "benchmarks.ours", str(port), "open", count, seconds]).output)
                for _ in range(rounds)
            ]
            middle = {
                name: statistics.median(each[name] for each in told)
                for name in ("lag_p50_ns", "lag_p99_ns", "lag_max_ns")
            }
            late = late or middle["lag_p99_ns"] > MOST_NS
            spread = sorted(each["lag_p99_ns"] / 1e6 for each in told)
            rows.append(
                [
                    f"{rate:,}",
                    *(f"{value / 1e6:.2f}" for value in middle.values()),
                    f"{spread[0]:.2f}-{spread[-1]:.2f}",
                ]
            )
    print(f"{where}; {rounds} rounds of {seconds} s\n")
    print(table(["requests/s", "p50 ms", "p99 ms", "max ms", "range of p99"], rows))
    sys.exit(late)


if __name__ == "__main__":
    main()
