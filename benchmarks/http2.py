"""Requests a second over HTTP/2, compared with h2load, on one connection with many streams.

Both load the same server, in turn, for several rounds, each round beginning with the other one; each program has one
thread, as holdfast has. `holdfast load` is the command as a person types it: start, saving and report are in its CPU.
Figures are medians over the rounds, ratios are to h2load in the same round.

    python -m benchmarks.http2 [ROUNDS] [SECONDS] [CONNECTIONS] [STREAMS]

The servers are nginx (one worker) and nghttpd, if they are installed.
"""

from __future__ import annotations

import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import ADDRESS, NGINX, await_port, machine, result_of, run, table

PATHS = ":/usr/sbin:/usr/local/sbin"


@contextmanager
def serving(name: str) -> Iterator[int]:
    """A server that speaks HTTP/2 with prior knowledge; gives its port."""
    with socket.create_server((ADDRESS, 0)) as free:
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        program = str(shutil.which(name, path=PATHS))
        if name == "nginx":
            configuration = Path(directory, "nginx.conf")
            plain = NGINX.format(directory=directory, port=port)
            configuration.write_text(plain.replace(" backlog=4096", " http2 backlog=4096"))
            command = [program, "-c", str(configuration)]
        else:
            Path(directory, "index.html").write_bytes(b"ok\n")
            command = [program, "--no-tls", "-d", directory, str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            await_port(port)
            yield port
        finally:
            server.kill()
            server.wait()


def measured(port: int, seconds: str, connections: str, streams: str, generator: str) -> tuple[float, float]:
    """Requests a second of one run, and microseconds of CPU for each request."""
    url = f"http://{ADDRESS}:{port}/"
    if generator == "h2load":
        cost = run(["h2load", "-t1", "-c", connections, "-m", streams, "-D", seconds, url])
        found = re.search(r"finished in .*?, ([\d.]+) req/s", cost.output)
        rate = float(found[1]) if found else 0.0
    else:
        holdfast = str(Path(sys.executable).with_name("holdfast"))
        shape = ["--clients", connections, "--streams", streams, "--for", f"{seconds}s"]
        cost = run([holdfast, "load", url, "--http2", *shape, "--quiet", "--json", "-"])
        rate = float(result_of(cost.output)["rate_reached_per_s"])
    return rate, cost.cpu_s / (rate * float(seconds)) * 1e6


def main() -> None:
    given = dict(enumerate(sys.argv[1:]))
    rounds, seconds = int(given.get(0, 5)), given.get(1, "3")
    connections, streams = given.get(2, "1"), given.get(3, "100")
    rows = []
    for server in ("nginx", "nghttpd"):
        if shutil.which(server, path=PATHS) is None:
            print(f"{server} is not installed, so it is left out")
            continue
        found: dict[str, list[tuple[float, float]]] = {"holdfast": [], "h2load": []}
        with serving(server) as port:
            measured(port, "1", connections, streams, "h2load")  # the server has to grow its memory once
            for round_ in range(rounds):
                for generator in sorted(found, reverse=bool(round_ % 2)):
                    found[generator].append(measured(port, seconds, connections, streams, generator))
        for generator, each in found.items():
            ratios = [own[0] / peer[0] for own, peer in zip(each, found["h2load"], strict=True)]
            rows.append(
                [
                    server,
                    generator,
                    f"{statistics.median(rate for rate, _ in each):,.0f}",
                    f"{statistics.median(ratios):.2f}",
                    f"{min(ratios):.2f}-{max(ratios):.2f}",
                    f"{statistics.median(cpu for _, cpu in each):.1f}",
                ]
            )
    print(f"{machine()}; {connections} connections with {streams} streams; {rounds} rounds of {seconds} s\n")
    print(table(["server", "generator", "requests/s", "ratio to h2load", "range of ratio", "CPU us/request"], rows))


if __name__ == "__main__":
    main()
