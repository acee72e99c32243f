"""How late holdfast begins its requests, at 1,000, 5,000 and 20,000 a second, and what latency comes of it.

Towards one nginx worker on the same machine that answers at once. Pacing lag is the time from when a request is
due until its SYN leaves, or on a connection that is used again the request itself. Latency counts from when a
request was due, so that a late generator shows in it; wrk2 counts in the same way, on 64 connections that it
keeps, and runs beside where it is installed (Debian has no package of it).

    python -m benchmarks.pacing [ROUNDS] [SECONDS]

Takes a minute and a half with the defaults, 3 rounds of 5 s; wrk2 rounds take 12 s, because it does not count its
first ten. Exits with 1 if the median round's p99 of the lag exceeds 1 ms, at 20,000 requests a second 5 ms.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys

from benchmarks.peers import ADDRESS, load_command, machine, nginx, result_of, run, table

# Requests per second, and how far the p99 of the lag may go in ms.
RATES = {1000: 1.0, 5000: 1.0, 20_000: 5.0}
MODELS = {"open": "one connection each", "kept": "connections kept"}
MOST_NEW_PER_S = 5000
"""With a connection for each request, the server and the generator are busy above that on two cores."""

_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def ours(port: int, model: str, rate: int, rounds: int, seconds: str) -> tuple[list[str], bool]:
    """A row of the table, and whether the lag is too large."""
    count = str(round(rate * float(seconds)))
    command = load_command(port, model, count, seconds)
    told = [result_of(run(command).output) for _ in range(rounds)]
    lags = [each["pacing_lag_us"] for each in told]
    latencies = [each["latency_from_due_ms"] for each in told]
    spread = sorted(each["p99"] / 1000 for each in lags)
    row = [f"{rate:,}", f"holdfast load, {MODELS[model]}"]
    row += [f"{statistics.median(each[rank] for each in lags) / 1000:.2f}" for rank in ("p50", "p99", "max")]
    row += [f"{spread[0]:.2f}-{spread[-1]:.2f}"]
    row += [f"{statistics.median(each[rank] for each in latencies):.2f}" for rank in ("p50", "p99")]
    return row, statistics.median(spread) > RATES[rate]


def wrk2(port: int, rate: int, rounds: int) -> list[str]:
    """Its row: what it says of latency."""
    found = []
    for _ in range(rounds):
        command = ["wrk2", "-t1", "-c64", "-d12s", f"-R{rate}", "--latency", f"http://{ADDRESS}:{port}/"]
        told = dict(re.findall(r"^ *(50|99)\.000% +([\d.]+[a-z]+)", run(command).output, re.MULTILINE))
        found.append([_ms(told["50"]), _ms(told["99"])])
    p50, p99 = (statistics.median(each) for each in zip(*found, strict=True))
    return [f"{rate:,}", "wrk2, connections kept", "-", "-", "-", "-", f"{p50:.2f}", f"{p99:.2f}"]


def _ms(text: str) -> float:
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * _MS[unit]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = sys.argv[2] if len(sys.argv) > 2 else "5"
    where = machine()
    rows = []
    late = False
    with nginx() as port:
        for rate in RATES:
            for model in MODELS:
                if model == "open" and rate > MOST_NEW_PER_S:
                    continue
                row, too_late = ours(port, model, rate, rounds, seconds)
                rows.append(row)
                late = late or too_late
            if shutil.which("wrk2"):
                rows.append(wrk2(port, rate, rounds))
    print(f"{where}; {rounds} rounds of {seconds} s\n")
    lags = ["lag p50 ms", "p99 ms", "max ms", "range of p99"]
    print(table(["requests/s", "generator", *lags, "latency from due p50 ms", "p99 ms"], rows))
    if not shutil.which("wrk2"):
        print("\nwrk2 is not installed, so it is not beside it.")
    sys.exit(late)


if __name__ == "__main__":
    main()
