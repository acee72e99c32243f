"""What 10,000 held requests cost the generator, compared with wrk, h2load, ab, hey, Locust and JMeter.

One asyncio server holds each request for 12 s and then answers and closes. `holdfast load` is the command as a person
types it, with its start, the saved run and the report; "engine alone" is its engine without these. Both, h2load,
Locust and JMeter's engine open 1,000 connections a second for ten seconds; wrk, ab and hey cannot pace new connections
and open all at once. The server says how many requests it held at once at most. Memory is the sum over the generator's
processes of each one's highest resident size, in which memory that two of them share counts twice; beside it, where it
counts once (PSS).

    python -m benchmarks.held [REQUESTS [GENERATOR ...]]

Takes four minutes with all of them.
"""

from __future__ import annotations

import os
import sys
import tempfile

from benchmarks.peers import (
    ADDRESS,
    HERE,
    engine_command,
    holding_server,
    load_command,
    machine,
    run,
    table,
    versions,
)

HELD_S = 12
OPENED_IN_S = 10
JMETER = "/usr/share/jmeter"
"""Where Debian's package has it."""
CLASS_PATH = f"{JMETER}/lib/*:{JMETER}/lib/ext/*:/usr/share/java/*"


def commands(port: int, requests: int, classes: str) -> dict[str, list[str]]:
    """Each generator's command for so many requests; `classes`: where JMeterHeld is compiled."""
    url = f"http://{ADDRESS}:{port}/"
    count, rate = str(requests), str(requests // OPENED_IN_S)
    return {
        "holdfast": load_command(port, "open", count, OPENED_IN_S),
        "engine alone": engine_command(port, "open", count, OPENED_IN_S),
        "h2load": ["h2load", "--h1", "-t1", "-c", count, "-n", count, "-r", rate, url],
        "wrk": ["wrk", "-t1", "-c", count, "-d", f"{HELD_S + 2}s", "--timeout", "60s", url],
        "ab": ["ab", "-q", "-c", count, "-n", count, "-s", "60", url],
        "hey": ["hey", "-cpus", "1", "-t", "60", "-c", count, "-n", count, url],
        "locust": [
            "locust", "--headless", "--only-summary", "-f", str(HERE / "locust_held.py"), "-H", url.removesuffix("/"),
            "-u", count, "-r", rate, "-t", f"{OPENED_IN_S + HELD_S + 2}s",
        ],
        "jmeter": [
            "java", "-Djava.awt.headless=true", "-Xmx6g", "-cp", f"{classes}:{CLASS_PATH}", "JMeterHeld",
            count, str(OPENED_IN_S), str(port),
        ],
    }  # fmt: skip


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    where = machine()
    known = versions()
    os.environ["JMETER_HOME"] = JMETER
    names = sys.argv[2:] or list(commands(0, requests, ""))
    rows = []
    with tempfile.TemporaryDirectory() as classes:
        if "jmeter" in names:
            run(["javac", "-nowarn", "-cp", CLASS_PATH, "-d", classes, str(HERE / "JMeterHeld.java")])
        for name in names:
            with holding_server(HELD_S) as (port, most):
                cost = run(commands(port, requests, classes)[name])
            figures = (f"{cost.memory_mb:.0f}", f"{cost.proportional_mb:.0f}", f"{cost.cpu_s:.1f}")
            rows.append([f"{name} {known[name]}", f"{most[0]:,}", *figures])
    print(f"{where}; {requests:,} requests\n")
    print(table(["generator", "held at once", "memory MB", "shared once MB", "CPU s"], rows))


if __name__ == "__main__":
    main()
