"""Keep-alive throughput and CPU for each request, compared with wrk, h2load, ab and hey.

All load one nginx worker with 64 connections, in turn, for several rounds, each round beginning with another
one; each program has one thread, as holdfast has. `holdfast load` is the command as a person types it; "engine
alone" is its engine without start, saving and report. Figures are medians over the rounds, ratios are to wrk in the
same round. CPU is the whole program's, start and report included. nginx's own CPU for each request is beside it: one
worker gives no more requests than fit into a core's second.

    python -m benchmarks.throughput [ROUNDS] [SECONDS]

Takes a minute and a half with the defaults, 5 rounds of 3 s.
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Callable

from benchmarks.peers import (
    ADDRESS,
    cpu_s_of_server,
    engine_command,
    load_command,
    machine,
    nginx,
    result_of,
    run,
    table,
    versions,
)

CONNECTIONS = "64"


def rate_after(pattern: str) -> Callable[[str], float]:
    def read(output: str) -> float:
        found = re.search(pattern, output)
        if found is None:
            raise SystemExit(f"no rate in this output:\n{output}")
        return float(found[1])

    return read


def commands(port: int, seconds: str) -> dict[str, tuple[list[str], Callable[[str], float]]]:
    """Each generator's command, and how to read requests per second from what it prints."""
    url = f"http://{ADDRESS}:{port}/"
    return {
        "holdfast": (
            load_command(port, "closed", CONNECTIONS, seconds),
            lambda output: float(result_of(output)["rate_reached_per_s"]),
        ),
        "engine alone": (
            engine_command(port, "closed", CONNECTIONS, seconds),
            lambda output: float(result_of(output)["rate_reached_per_s"]),
        ),
        "wrk": (["wrk", "-t1", "-c", CONNECTIONS, "-d", f"{seconds}s", url], rate_after(r"Requests/sec: +([\d.]+)")),
        "h2load": (
            ["h2load", "--h1", "-t1", "-c", CONNECTIONS, "-D", seconds, url],
            rate_after(r"finished in .*?, ([\d.]+) req/s"),
        ),
        "ab": (
            ["ab", "-q", "-k", "-c", CONNECTIONS, "-t", seconds, "-n", "100000000", url],
            rate_after(r"Requests per second: +([\d.]+)"),
        ),
        "hey": (
            ["hey", "-cpus", "1", "-z", f"{seconds}s", "-c", CONNECTIONS, url],
            rate_after(r"Requests/sec:\s+([\d.]+)"),
        ),
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = sys.argv[2] if len(sys.argv) > 2 else "3"
    where = machine()
    rates: dict[str, list[float]] = {}
    cpus: dict[str, list[float]] = {}
    served: dict[str, list[float]] = {}
    with nginx() as port:
        known_commands = commands(port, seconds)
        run(commands(port, "1")["wrk"][0])  # nginx has to grow its memory once
        for round_ in range(rounds):
            order = list(known_commands)
            for name in order[round_ % len(order) :] + order[: round_ % len(order)]:
                command, rate_of = known_commands[name]
                before_s = cpu_s_of_server()
                cost = run(command)
                served_s = cpu_s_of_server() - before_s
                rate = rate_of(cost.output)
                rates.setdefault(name, []).append(rate)
                cpus.setdefault(name, []).append(cost.cpu_s / (rate * float(seconds)) * 1e6)
                served.setdefault(name, []).append(served_s / (rate * float(seconds)) * 1e6)
    known = versions()
    rows = []
    for name in known_commands:
        each = rates[name]
        ratios = [own / wrk for own, wrk in zip(each, rates["wrk"], strict=True)]
        rows.append(
            [
                f"{name} {known[name]}",
                f"{statistics.median(each):,.0f}",
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f}-{max(ratios):.2f}",
                f"{statistics.median(cpus[name]):.1f}",
                f"{statistics.median(served[name]):.1f}",
            ]
        )
    print(f"{where}; nginx {known['nginx']}, one worker; {rounds} rounds of {seconds} s\n")
    header = ["generator", "requests/s", "ratio to wrk", "range of ratio", "CPU us/request", "nginx's CPU us/request"]
    print(table(header, rows))


if __name__ == "__main__":
    main()
