"""What a load costs that several hosts share: hosts in network namespaces of this machine, with a Dask worker each.

The server is nginx with one worker on a host of its own (rate), or one process that holds each request for some
seconds (held). All hosts share this machine's cores, so the rate that they reach together cannot rise with their
number; what is to be seen is what sharing costs: the time from the command to the common start, the lag of each
host, and the time from the last reply to the result, for each million rows.

    python -m benchmarks.cluster [rate|closed|held]     as root; nginx on PATH; all of it takes four minutes
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.holding_server import Count, Holding
from benchmarks.peers import HERE, machine, table
from holdfast.api.load_arguments import ConnectionArguments, LoadArguments, ShapeArguments
from holdfast.api.load_shape import group_of
from holdfast.cluster.coordinator import cluster_runner
from holdfast.engine.target import target_of
from holdfast.interrupts import Interrupts
from holdfast.loadtest.run import run_load
from holdfast.model.load import LoadExperiment

sys.path += [str(HERE.parent / "tests" / "cluster"), str(HERE.parent / "tests")]

from hosts import Network, network
from support.waiting import until

HOSTS = (1, 2, 3)
RATES = ((5_000, 10),)
CLOSED = ((64, 1_000_000),)
HELD = ((6_000, 10),)
HELD_S = 20
NGINX = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  server {{ listen {address}:8000 backlog=4096; location / {{ return 200 "ok"; }} }} }}
"""


def shape_of_words(words: Sequence[str]) -> ShapeArguments:
    """From names and numbers by turns, as a command line carries them."""
    numbers = dict(zip(words[::2], map(float, words[1::2]), strict=True))
    match numbers:
        case {"rate": rate, "for_s": for_s}:
            return ShapeArguments(rate=rate, for_s=for_s)
        case {"clients": clients, "requests": requests}:
            return ShapeArguments(clients=int(clients), requests=int(requests))
        case _:
            return ShapeArguments(requests=int(numbers["requests"]), over_s=numbers["over_s"])


def asked(where: str, url: str, shape: tuple[str, ...]) -> dict[str, float]:
    """One load, in this process; what it came to, and how long its parts took."""
    # A host has some 28,000 ports towards one server, fewer than these requests.
    connection = ConnectionArguments(keep_alive="over_s" not in shape)
    arguments = LoadArguments(url, shape=shape_of_words(shape), connection=connection)
    target = target_of(url, url.partition("://")[2].partition(":")[0], "")
    experiment = LoadExperiment((group_of("/", arguments, body=None, data=None),))
    began_ns = time.monotonic_ns()
    run = cluster_runner(where, lambda _line: None)
    done = run_load(experiment, (target,), (), Interrupts(), run_elsewhere=run)
    ended_ns = time.monotonic_ns()
    columns, rows, result = done.run.columns, done.run.begun, done.result
    last_ns = max(columns.done[row] for row in rows)
    return {
        "requests": result.offered,
        "answered": result.outcomes["answered"],
        "replied/s": result.throughput_per_s or 0,
        "in flight": result.peak_in_flight,
        "p99 lag us": max(host.pacing_lag_p99_us or 0 for host in result.hosts),
        "clock +- us": max(host.clock_uncertainty_ms for host in result.hosts) * 1000,
        "to start s": (min(columns.due[row] for row in rows) - began_ns) / 1e9,
        "to result s": (ended_ns - last_ns) / 1e9,
        "s/10^6 rows": (ended_ns - last_ns) / 1e3 / len(rows),
    }


def in_namespaces(only: list[str]) -> list[list[str]]:
    """Each load over 1, 2 and 3 hosts."""
    rows = []
    for many in HOSTS:
        for name, shapes in (("rate", RATES), ("closed", CLOSED), ("held", HELD)):
            for shape in shapes if name in only or not only else ():
                with tempfile.TemporaryDirectory() as directory, network(Path(directory)) as made:
                    rows.append([name, str(many), *one(made, many, name, shape)])
                    print(*rows[-1], flush=True)
    return rows


def one(made: Network, many: int, name: str, shape: tuple[int, int]) -> list[str]:
    server, asking = made.host("server"), made.host("asking")
    if name == "held":
        made.run(server, sys.executable, "-m", "benchmarks.cluster", "hold", server.address)
    else:
        configuration = made.directory / "nginx.conf"
        configuration.write_text(NGINX.format(directory=made.directory, address=server.address))
        made.run(server, "nginx", "-c", str(configuration))
    scheduler = made.scheduler(asking)
    for index in range(many):
        made.worker(made.host(f"h{index}"), scheduler)
    words = {
        "rate": ("rate", str(shape[0]), "for_s", str(shape[1])),
        "closed": ("clients", str(shape[0]), "requests", str(shape[1])),
        "held": ("requests", str(shape[0]), "over_s", str(shape[1])),
    }[name]
    command = (sys.executable, "-m", "benchmarks.cluster", "ask", scheduler, f"http://{server.address}:8000/", *words)
    process, log = made.run(asking, *command)
    until(lambda: process.poll() is not None, "the load", 300)
    told = json.loads(log.read_text().splitlines()[-1])
    return [f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" for value in told.values()]


async def hold(address: str) -> None:
    """A server that holds each request for HELD_S."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    held = Count()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Holding(HELD_S, held), address, 8000, backlog=4096)
    await server.serve_forever()


def main() -> None:
    if sys.argv[1:2] == ["hold"]:
        asyncio.run(hold(sys.argv[2]))
    if sys.argv[1:2] == ["ask"]:
        print(json.dumps(asked(sys.argv[2], sys.argv[3], tuple(sys.argv[4:]))))
        return
    print(machine())
    rows = in_namespaces(sys.argv[1:])
    heads = ["load", "hosts", "requests", "answered", "replied/s", "in flight", "p99 lag, us", "clock, +- us",
             "to start, s", "to result, s", "s per 10^6 rows"]  # fmt: skip
    print(table(heads, rows))


if __name__ == "__main__":
    main()
